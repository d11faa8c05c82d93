"""Random requests and messages over the whole schema: every answer is JSON with codes, none is our fault, none hangs.

To a server in a process of its own, whose log and memory are looked at afterwards.
"""

import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries
from websockets.exceptions import ConnectionClosed

from auth.tokens import create_token
from auth.viewer import Viewer
from models.database import Database
from schema import schema
from tests.conftest import Place
from tests.fuzz import fuzz
from tests.processes import Process
from tests.services import running
from tests.streaming import TIMEOUT_S, Socket, opened

INTROSPECTION = get_introspection_query()
GRAPHQL_JSON = "application/graphql-response+json"
SCALARS: Any = {
    "GeoJSON": st.sampled_from(["a point", '{"type": "Point"}', "", "\0"]).map(nodes.String),
    "PartialDate": st.sampled_from(["1941", "1993-04", "9999-99-99", "", "12 April"]).map(nodes.String),
}
DOCUMENTS = st.one_of(
    queries(schema._schema, custom_scalars=SCALARS),
    queries(schema._schema, custom_scalars=SCALARS),
    mutations(schema._schema, custom_scalars=SCALARS),
)
NOBODY = "dams_of_nobody"
TOKENS = st.sampled_from(["a new one", None, NOBODY])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PIECES = st.sampled_from(
    ["{", "}", "(", ")", "dams", "first: ", "9" * 40, "...F", "fragment F on Dam ", "$a", "@skip", '"']
)
FILTERED = st.just("query ($a: DamFilter) { dams(where: $a) { totalCount } }")
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "query": JSON | st.lists(PIECES, max_size=30).map(" ".join) | FILTERED,
        "variables": JSON | st.fixed_dictionaries({"a": JSON}),
        "operationName": JSON,
        "extensions": JSON | st.fixed_dictionaries({"persistedQuery": JSON}),
        "documentId": JSON,
        "another": JSON,
    },
)


MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("subscribe"),
            "id": st.sampled_from(["1", "2", "3"]),
            "payload": REQUESTS | st.fixed_dictionaries({"query": DOCUMENTS}),
        }
    ),
    st.fixed_dictionaries({"type": st.just("complete"), "id": st.sampled_from(["1", "2", "3"])}),
    st.fixed_dictionaries(
        {"type": JSON | st.sampled_from(["subscribe", "complete", "ping", "pong", "connection_init", "next", "error"])},
        optional={"id": JSON, "payload": JSON},
    ),
    JSON,
)

CLOSED = {1009, 4400, 4403, 4409, 4429}
"""What a client can be closed with that has said connection_init; 4403 after it has signed out."""

MAX_GROWTH_MB = 100
"""Of the process: what it keeps of documents and answers, all of it bounded."""


class Target:
    """The server, and clients for it."""

    def __init__(self, process: Process, database: Database) -> None:
        self._database = database
        self.url = f"http://127.0.0.1:{process.port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT_S)
        self.websocket_url = self.url.replace("http", "ws") + "/graphql"

    async def authorization(self, token: str | None) -> dict[str, str]:
        """An administrator's new token is one for each case, as it may sign out."""
        if token not in (None, NOBODY):
            token = await create_token(self._database, user="admin", name=f"{uuid.uuid4()}")
        return {"authorization": f"Bearer {token}"} if token else {}


def resident_mb(process: Process) -> float:
    return sum(_pages(pid) for pid in process.processes()) * 4096 / 2**20


def _pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


@pytest.fixture
async def target(place: Place, database: Database, admin: Viewer) -> AsyncIterator[Target]:
    with running(
        Process(
            DAMS_DATABASE_URL=place.url,
            DAMS_RATE_LIMIT_PER_USER="0",
            DAMS_RATE_LIMIT_PER_TOKEN="0",
            DAMS_RATE_LIMIT_PER_ADDRESS="0",
        )
    ) as process:
        target = Target(process, database)
        async with target.http:
            (await target.http.post("/graphql", json={"query": INTROSPECTION})).raise_for_status()
            before = resident_mb(process)
            yield target
            assert (await target.http.get("/readyz")).json()["status"] == "ok"
        assert resident_mb(process) - before < MAX_GROWTH_MB
        log = (process.folder / "log").read_text()
        assert not re.search("Traceback|ERROR|CRITICAL", log), log[-4000:]


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    told: Mapping[str, Any] = answer.json()
    assert told.keys() <= {"data", "errors", "extensions"}
    for error in told.get("errors", []):
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"


@fuzz(40)
@given(document=DOCUMENTS, token=TOKENS)
async def test_no_document_is_too_strange(target: Target, document: str, token: str | None) -> None:
    headers = {"accept": GRAPHQL_JSON} | await target.authorization(token)
    check(await target.http.post("/graphql", json={"query": document}, headers=headers, timeout=TIMEOUT_S))


@fuzz(60)
@given(request=REQUESTS, get=st.booleans())
async def test_no_request_is_too_strange(target: Target, request: dict[str, Any], get: bool) -> None:
    headers = {"accept": GRAPHQL_JSON, "content-type": "application/json"}
    if get:
        parameters = {name: str(value) for name, value in request.items()}
        check(await target.http.get("/graphql", params=parameters, headers=headers))
    else:
        check(await target.http.post("/graphql", content=dumps(request), headers=headers))


@fuzz(60)
@given(messages=st.lists(MESSAGES, max_size=6), token=TOKENS.filter(lambda token: token != NOBODY))
async def test_no_message_is_too_strange(target: Target, messages: list[Any], token: str | None) -> None:
    async with opened(target.websocket_url) as socket:
        await socket.init(await target.authorization(token))
        assert await close_code(socket, messages) in {None, *CLOSED}


async def close_code(socket: Socket, messages: list[Any]) -> int | None:
    """None where the socket is open after them, and answers."""
    try:
        for message in messages:
            await socket.connection.send(dumps(message), text=True)
        await socket.send({"type": "subscribe", "id": LAST, "payload": {"query": "{ __typename }"}})
        while not is_last(await socket.receive()):
            pass
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else -1
    return None


LAST = "the last one"


def is_last(message: Any) -> bool:
    """Raises AssertionError where a message is none that a server may send."""
    assert message["type"] in {"next", "error", "complete", "ping", "pong", "connection_ack"}, message
    payload = message.get("payload")
    for error in payload if message["type"] == "error" else (payload or {}).get("errors", []):
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
    return bool(message.get("id") == LAST and message["type"] == "complete")


def dumps(value: Any) -> bytes:
    """Also what is no JSON, such as NaN, and what no UTF-8 can hold."""
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
