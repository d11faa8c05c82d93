"""What a group sends is what Strawberry's own handler sends, byte for byte, whatever the document says.

Random documents run both ways: over WebSockets, where subscriptions share their execution, and one by one through
Strawberry's handler of graphql-transport-ws as it comes.
"""

import asyncio
import random
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation as RunningOperation
from websockets.exceptions import ConnectionClosed

from auth.viewer import Viewer, anonymous
from models import Dam, Event, EventKind, Inventory
from models.database import Database
from models.vocabulary import DamType, Hazard, OwnerType, Purpose
from pubsub.hub import Hub
from pubsub.hub import Place as LogPlace
from resolvers.cursors import event_cursor, sequence_of
from resolvers.dates import parse_iso
from schema import schema
from schema.context import Context, Stream
from schema.dam import Dam as DamOfClients
from schema.dam import Location
from schema.errors import MASKED
from tests.conftest import Serve, Server, until
from tests.documents import ALL, Sent, documents, mutilated
from tests.in_memory import context
from tests.shared import NOON, dam_values
from tests.streaming import BEARER, FOLLOW, Socket, add_many, cursor_of, following, opened

REMEMBERED = 64
"""Fewer than in earnest, so that few events are more."""


@pytest.fixture(autouse=True)
def _little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.streams.groups.REMEMBERED", REMEMBERED)


REPLAYED = 10
"""Dams before a subscription begins; one more comes while it runs."""

FAULTS: dict[str, Any] = {
    "height_ft": float("inf"),
    "storage_acre_ft": "much",
    "hazard": "none of ours",
    "name": object(),
    "other_names": ["Old Dam", None],
    "purposes": [Purpose.IRRIGATION, "none of ours"],
    "owner_types": 5,
    "dam_id": 2**40,
    "location": None,
    "latitude": "north",
}
"""By field, what cannot be sent: each gives an error with a path, and nulls up to where null is allowed."""


def random_dam(chance: random.Random) -> dict[str, Any]:
    """Half of what may be null is null. Of most dams something cannot be sent: what, `county` says."""

    def maybe(value: Any) -> Any:
        return value if chance.random() < 0.5 else None

    def some(codes: Any) -> tuple[Any, ...]:
        return tuple(chance.sample(list(codes), chance.randrange(4)))

    built = maybe(parse_iso(chance.choice(["1941", "1993-04", "1993-04-12"])))
    return {
        "name": maybe(chance.choice(["Deer Creek Dam", "Ütliberg-Damm \N{WATER WAVE}", 'The "Dam"\\'])),
        "other_names": chance.choice([(), ("Echo",), ("Echo", "Écho")]),
        "owner": maybe("Reclamation"),
        "owner_types": some(OwnerType),
        "river": maybe("TR-DEER CREEK"),
        "built_first_day": built and built.first_day,
        "built_last_day": built and built.last_day,
        "longitude": chance.uniform(-180, 180),
        "latitude": chance.uniform(-90, 90),
        "state": maybe("UT"),
        "height_ft": maybe(chance.uniform(0, 100)),
        "storage_acre_ft": maybe(float(chance.randrange(10**9))),
        "drainage_area_sq_mi": maybe(1e-9),
        "purposes": some(Purpose),
        "dam_types": some(DamType),
        "hazard": maybe(chance.choice(list(Hazard))),
        "county": " ".join(chance.sample(list(FAULTS), chance.randrange(4))),
    }


def spoil(dam: DamOfClients) -> DamOfClients:
    for name in (dam.county or "").split():
        if name == "latitude":
            dam.location = Location(latitude=FAULTS[name], longitude=5.0)
        else:
            setattr(dam, name, FAULTS[name])
    return dam


async def shows(server: Server, metric: str) -> bool:
    """Whether a metric has this value."""
    return f"\n{metric}\n" in (await server.http.get("/metrics")).text


class Reference(BaseGraphQLTransportWSHandler[Any, None]):
    """Strawberry's handler, writing down what it would send."""

    def __init__(self, context: Context) -> None:
        nobody: Any = None
        super().__init__(nobody, nobody, context, None, schema, timedelta())
        self.messages: list[Any] = []

    async def send_message(self, message: Any) -> None:
        self.messages.append(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: object) -> None:
        """Of ours, a syntax error does not close the socket: that is the one difference."""


class BothWays:
    def __init__(self, server: Server, database: Database, hub: Hub, sockets: list[Socket]) -> None:
        """The hub is one of our own: whatever that of the server does is no part of what is expected."""
        self._server = server
        self._database = database
        self._hub = hub
        self._sockets = sockets
        self._chance = random.Random(2)
        self._got: dict[tuple[Socket, str], list[bytes]] = defaultdict(list)
        self._pongs = 0
        self._ids = 0
        self.told: Counter[str] = Counter()
        """Messages compared, by what they say."""

    async def add(self, count: int) -> None:
        """Nobody is told: the hubs look for themselves."""
        async with self._database.write() as connection:
            changed = update(Inventory).values(last_sequence=Inventory.last_sequence + count)
            last = (await connection.execute(changed.returning(Inventory.last_sequence))).scalar_one()
            numbers = range(last - count + 1, last + 1)
            await connection.execute(
                insert(Dam), [dam_values(id=number, **random_dam(self._chance)) for number in numbers]
            )
            events = [
                {"sequence": number, "kind": EventKind.DAM_ADDED, "dam_id": number, "at": NOON, "actor": "test"}
                for number in numbers
            ]
            await connection.execute(insert(Event), events)
        await until(lambda: self._hub.position == last)
        await until(lambda: shows(self._server, f"dams_log_position {last:.1f}"))

    async def read(self, socket: Socket) -> None:
        with suppress(ConnectionClosed):
            while True:
                raw = await socket.connection.recv(decode=False)
                message = orjson.loads(raw)
                if message["type"] == "pong":
                    self._pongs += 1
                else:
                    self._got[socket, message["id"]].append(raw)

    async def pass_all(self) -> None:
        """Returns when every socket has answered what it was sent."""
        pongs = self._pongs + len(self._sockets)
        for socket in self._sockets:
            await socket.send({"type": "ping"})
        await until(lambda: self._pongs == pongs)

    async def compare(self, sent: list[Sent]) -> None:
        """Each document on every socket, where some of them resume later than others; a dam comes meanwhile."""
        begin = self._hub.position
        asked: dict[tuple[Socket, str], Sent] = {}
        for each in sent:
            self._ids += 1
            for number, socket in enumerate(self._sockets):
                cursor = event_cursor(begin - REPLAYED + 3 * number * (ALL in each.variables.values()))
                asked[socket, f"{self._ids}"] = placed(each, event_cursor(begin - REPLAYED), cursor)
        for (socket, operation_id), each in asked.items():
            payload = {"query": each.query, "variables": each.variables, "operationName": each.name}
            await socket.send({"type": "subscribe", "id": operation_id, "payload": payload})
        await self.pass_all()
        await self.add(1)
        expected = {key: await self.expected(key[1], each, begin) for key, each in asked.items()}
        await until(lambda: all(len(self._got[key]) >= len(messages) for key, messages in expected.items()))
        for socket, operation_id in asked:
            await socket.send({"type": "complete", "id": operation_id})
        await self.pass_all()
        for key, each in asked.items():
            assert [masked(raw) for raw in self._got.pop(key)] == expected[key], each

    async def expected(self, operation_id: str, sent: Sent, begin: int) -> list[bytes]:
        stream = Stream(anonymous(public_read=True), LogPlace(begin, follow=False), placed=False)
        health: Any = None
        handler = Reference(context(self._database, self._hub, health, stream=stream))
        operation = RunningOperation(handler, operation_id, sent.query, dict(sent.variables), sent.name)
        handler.operations[operation_id] = operation
        await handler.run_operation(operation)
        *messages, last = handler.messages
        if last["type"] == "error" or (messages and source_failed(messages[-1]["payload"])):
            messages.append(last)
        self.told.update(what_it_says(message) for message in messages)
        return [masked(orjson.dumps(message)) for message in messages]


def placed(sent: Sent, cursor: str, cursor_of_variable: str) -> Sent:
    variables = {name: cursor_of_variable if value == ALL else value for name, value in sent.variables.items()}
    return Sent(sent.query.replace(ALL, cursor), variables, sent.name)


def source_failed(payload: Mapping[str, Any]) -> bool:
    """And not a field of a dam."""
    return payload["data"] is None and len(payload["errors"][0].get("path", ())) < 2


def what_it_says(message: Mapping[str, Any]) -> str:
    if message["type"] != "next":
        return str(message["type"])
    data = "null" if message["payload"]["data"] is None else "data"
    return f"{data} and errors" if "errors" in message["payload"] else data


def masked(message: bytes) -> bytes:
    return re.sub(rb'"requestId":"[0-9a-f]{32}"', b'"requestId":"..."', message)


@pytest.fixture
async def both(serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BothWays]:
    monkeypatch.setattr("pubsub.hub.POLL_S", 0.02)
    from_row = DamOfClients.from_row
    monkeypatch.setattr(DamOfClients, "from_row", lambda row: spoil(from_row(row)))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve())
        hub = await stack.enter_async_context(Hub(database, None).running())
        sockets = [await stack.enter_async_context(opened(server.websocket_url)) for _ in range(2)]
        both = BothWays(server, database, hub, sockets)
        for socket in sockets:
            await socket.init()
        readers = [asyncio.create_task(both.read(socket)) for socket in sockets]
        await both.add(REPLAYED)
        yield both
        for reader in readers:
            reader.cancel()
        assert {"data", "data and errors", "null and errors"} <= both.told.keys()  # it was worth comparing


often = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
sqlite = pytest.mark.parametrize("engine", ["sqlite"])
"""Nothing here is about the database."""


@sqlite
@often
@given(sent=st.lists(documents(), min_size=4, max_size=6))
async def test_random_documents_give_what_strawberry_gives(both: BothWays, sent: list[Sent]) -> None:
    await both.compare(sent)


@sqlite
@often
@given(sent=st.lists(mutilated(), min_size=4, max_size=6))
async def test_what_is_wrong_is_told_as_strawberry_tells_it(both: BothWays, sent: list[Sent]) -> None:
    await both.compare(sent)


@sqlite
async def test_like_subscriptions_of_several_sockets_are_one_execution_for_each_event(server: Server) -> None:
    cursor = await cursor_of(server)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(following(server, cursor)) for _ in range(20)]
        await add_many(server, ["Deer Creek", "Jordanelle", "Echo"])
        for socket in sockets:
            assert await socket.names(3) == ["Deer Creek", "Jordanelle", "Echo"]
        assert await shows(server, "dams_executions_total 3.0")
        async with opened(server.websocket_url) as other:
            await other.init(BEARER)  # who may do more
            await other.start(FOLLOW, after=cursor)
            assert await other.names(3) == ["Deer Creek", "Jordanelle", "Echo"]
        assert await shows(server, "dams_executions_total 6.0")


@sqlite
async def test_a_subscription_by_itself_gets_what_it_asked_for_and_no_more(server: Server) -> None:
    """Message by message; after `complete` nothing comes, and the id can be used again."""
    cursor = await cursor_of(server)
    async with following(server, cursor, where={"text": "creek"}) as socket:
        await add_many(server, ["Deer Creek", "Jordanelle"])
        dam = {"damId": 1, "name": "Deer Creek", "cursor": event_cursor(1)}
        assert await socket.receive() == {"id": "1", "type": "next", "payload": {"data": {"damAdded": dam}}}
        await socket.send({"type": "complete", "id": "1"})
        await until(lambda: shows(server, "dams_subscription_groups 0.0"))
        await add_many(server, ["Mill Creek"])
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        await socket.start(FOLLOW, after=event_cursor(1))
        assert await socket.names(2) == ["Jordanelle", "Mill Creek"]
        assert await shows(server, "dams_executions_total 3.0")


@sqlite
@pytest.mark.parametrize("document", [FOLLOW, "subscription { ... { damAdded { name } } }"])
async def test_what_nobody_expected_is_told_with_a_request_id_and_the_socket_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, document: str
) -> None:
    def broken(*_: object) -> bytes:
        raise ArithmeticError("the secret")

    async with opened(server.websocket_url) as socket:
        await socket.init()
        await socket.start(document)
        await socket.send({"type": "ping"})
        await socket.receive()
        with monkeypatch.context() as patch:
            patch.setattr("transport.streams.executor.process_result", broken)
            await add_many(server, ["Deer Creek"])
            message = await socket.receive()
        [error] = message.pop("payload")
        assert message == {"id": "1", "type": "error"}
        assert error["message"] == MASKED
        assert error["extensions"]["requestId"] in caplog.text
        assert "the secret" in caplog.text
        await socket.start(document)
        await socket.send({"type": "ping"})
        await socket.receive()
        await add_many(server, ["Jordanelle"])
        assert await socket.names(1) == ["Jordanelle"]


async def test_joiners_over_sockets_meet_adds_at_full_speed_and_miss_nothing(
    server: Server, database: Database, admin: Viewer
) -> None:
    """Each comes again and again with its last cursor, and hangs up at any moment."""
    writing = True

    async def write(chance: random.Random) -> None:
        for _ in range(5):
            await add_many(server, [f"Dam {number}" for number in range(chance.choice([1, 10, REMEMBERED + 6]))])

    async def join(chance: random.Random) -> list[int]:
        seen: list[int] = []
        while writing or not seen or seen[-1] < await last_of(server):
            async with following(server, event_cursor(seen[-1] if seen else 0)) as socket:
                with suppress(TimeoutError):
                    async with asyncio.timeout(chance.uniform(0, 0.4)):
                        while True:
                            message = await socket.receive()
                            seen.append(message["payload"]["data"]["damAdded"]["damId"])
        return seen

    joiners = [asyncio.create_task(join(random.Random(seed))) for seed in range(12)]
    await asyncio.gather(*(write(random.Random(seed)) for seed in range(3)))
    writing = False
    everything = list(range(1, await last_of(server) + 1))
    for joiner in joiners:
        assert await joiner == everything


async def last_of(server: Server) -> int:
    return sequence_of(await cursor_of(server))
