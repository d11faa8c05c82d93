"""What the tests of delivery share: adding dams, and graphql-transport-ws message by message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from auth.viewer import Viewer
from models.database import Database
from resolvers.adding import NewDam, add_dam
from resolvers.dates import parse_build_date
from resolvers.locations import Point
from tests.conftest import ADMIN_TOKEN, Server

ADD = "mutation Add($input: AddDamInput!) { addDam(input: $input) { dam { damId cursor name } errors { message } } }"
FOLLOW = """subscription Follow($after: String, $where: DamFilter) {
  damAdded(after: $after, where: $where) { damId name cursor } }"""
TIMEOUT_S = 30
ADDS_A_REQUEST = 20


def dam_input(name: str, **changes: Any) -> dict[str, Any]:
    location = {"latitude": 40.4, "longitude": -111.5}
    return {"name": name, "owner": "Other", "river": "Provo River", "dateBuilt": "1941", "location": location} | changes


async def add(database: Database, viewer: Viewer, name: str = "Deer Creek") -> int:
    """Without a server. The sequence number of the event, which is the id of the dam."""
    dam = NewDam(name, "Other", "Provo River", parse_build_date("1941"), Point(-111.5, 40.4))
    return int((await add_dam(database, dam, viewer)).id)


async def add_many(server: Server, names: list[str]) -> None:
    """One after the other, as many in one request as it may have root fields."""
    for start in range(0, len(names), ADDS_A_REQUEST):
        await _add(server, names[start : start + ADDS_A_REQUEST])


async def _add(server: Server, names: list[str]) -> None:
    variables: dict[str, Any] = {f"dam{number}": dam_input(name) for number, name in enumerate(names)}
    parameters = ", ".join(f"${dam}: AddDamInput!" for dam in variables)
    fields = " ".join(f"{dam}: addDam(input: ${dam}) {{ dam {{ name }} }}" for dam in variables)
    added = await server.query(f"mutation ({parameters}) {{ {fields} }}", **variables)
    assert [payload["dam"]["name"] for payload in added.values()] == names


async def cursor_of(server: Server) -> str:
    """The place of the last change."""
    return str((await server.query("{ inventory { eventCursor } }"))["inventory"]["eventCursor"])


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        """Text and bytes as they are, anything else as JSON."""
        await self.connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())

    async def receive(self) -> Any:
        async with asyncio.timeout(TIMEOUT_S):
            return orjson.loads(await self.connection.recv())

    async def init(self, payload: Any = None) -> None:
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == {"type": "connection_ack"}

    async def start(self, query: str, id: str = "1", **variables: Any) -> None:  # noqa: A002
        await self.send({"type": "subscribe", "id": id, "payload": {"query": query, "variables": variables}})

    async def ask(self, query: str, id: str = "1", **variables: Any) -> Any:  # noqa: A002
        """The next message, which must be for this operation."""
        await self.start(query, id, **variables)
        message = await self.receive()
        assert message["id"] == id
        return message

    async def names(self, count: int) -> list[str]:
        """Of the next dams added, however long they take: pings are answered."""
        names: list[str] = []
        while len(names) < count:
            message = await self.receive()
            if message["type"] == "ping":
                await self.send({"type": "pong"})
            else:
                names.append(message["payload"]["data"]["damAdded"]["name"])
        return names

    async def closed(self) -> tuple[int, str]:
        """Code and reason; what comes before is passed over."""

        async def read_on() -> None:
            while True:
                await self.connection.recv()

        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(read_on(), TIMEOUT_S)
        frame = closed.value.rcvd
        assert frame is not None
        return frame.code, frame.reason


@asynccontextmanager
async def opened(
    url: str, protocol: str = "graphql-transport-ws", origin: str | None = None, **headers: str
) -> AsyncIterator[Socket]:
    """`url` is that of the WebSocket."""
    async with connect(
        url,
        subprotocols=[Subprotocol(protocol)],
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
        compression=None,
        close_timeout=1,
    ) as connection:
        yield Socket(connection)


@asynccontextmanager
async def following(server: Server, after: str, **variables: Any) -> AsyncIterator[Socket]:
    """A socket on which damAdded runs from the cursor on."""
    async with opened(server.websocket_url) as socket:
        await socket.init()
        await socket.start(FOLLOW, after=after, **variables)
        yield socket


BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
