"""Query, then subscribe: between a page and the cursor of the same answer there is no hole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.extensions import SchemaExtension

from auth.viewer import Viewer
from models.database import Database, Reader
from models.errors import DatabaseUnavailable
from resolvers.cursors import sequence_of
from schema import schema
from schema.errors import CodedErrors
from tests.conftest import Place, Serve, Server
from tests.streaming import add, following, opened

PAGE_FIRST = "{ dams(first: 100) { nodes { damId } } inventory { eventCursor } }"
DOCUMENTS = [
    PAGE_FIRST,
    "{ inventory { eventCursor } dams(first: 100) { nodes { damId } } }",
    "{ page: dams(first: 100) { nodes { damId } } state: inventory { place: eventCursor } }",
    "{ earlier: inventory { damCount } dams(first: 100) { nodes { damId } } inventory { eventCursor } }",
    """query { ...Page ...State }
    fragment State on Query { inventory { ...Place } }
    fragment Place on Inventory { damCount eventCursor }
    fragment Page on Query { dams(first: 100) { nodes { damId } } }""",
    """query Other { viewer { name } }
    query Asked { ... on Query { dams(first: 100) { nodes { damId } } } inventory { ... { eventCursor } } }""",
]


in_operation = ContextVar("in_operation", default=False)
"""Tells the reads of operations from those of the hub, which nobody disturbs."""


class MarkedOperation(SchemaExtension):
    def on_operation(self) -> Iterator[None]:
        in_operation.set(True)
        yield


class BusyReader(Reader):
    """Operations read one after the other, in the order asked for, and `after_each` read something is done."""

    after_each: Callable[[], Awaitable[Any]] | None = None
    turn = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if BusyReader.after_each is None or not in_operation.get():
            async with super().read() as connection:
                yield connection
            return
        async with self.turn:
            async with super().read() as connection:
                yield connection
            await BusyReader.after_each()

    async def fetch(self, *args: Any) -> Any:
        if BusyReader.after_each is None or not in_operation.get():
            return await super().fetch(*args)
        async with self.turn:
            rows = await super().fetch(*args)
            await BusyReader.after_each()
        return rows


class BusyDatabase(BusyReader, Database):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.following = BusyReader(self.following._engine, self.following._driver)


class LostReader(Reader):
    """Once `error` is set, each read raises it."""

    error: Exception | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if LostReader.error is not None:
            raise LostReader.error
        async with super().read() as connection:
            yield connection

    async def fetch(self, *args: Any) -> Any:
        if LostReader.error is not None:
            raise LostReader.error
        return await super().fetch(*args)


class LostDatabase(LostReader, Database):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.following = LostReader(self.following._engine, self.following._driver)


@pytest.fixture
async def busy(
    place: Place, database: Database, admin: Viewer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    """A server to whose inventory somebody adds a dam after each read of an operation."""
    for _ in range(3):
        await add(database, admin)
    monkeypatch.setattr("gateway.Database", BusyDatabase)
    monkeypatch.setattr(schema, "extensions", [MarkedOperation, *schema.extensions])
    async with serve() as server:
        monkeypatch.setattr(BusyReader, "after_each", lambda: add(database, admin))
        yield server


async def ask_over_http(server: Server, document: str) -> Any:
    name = "Asked" if "Asked" in document else None
    return (await server.http.post("/graphql", json={"query": document, "operationName": name})).json()


async def ask_over_websocket(server: Server, document: str) -> Any:
    name = "Asked" if "Asked" in document else None
    async with opened(server.websocket_url) as socket:
        await socket.init()
        payload = {"query": document, "operationName": name}
        await socket.send({"type": "subscribe", "id": "1", "payload": payload})
        return (await socket.receive())["payload"]


ASKED_OVER = pytest.mark.parametrize("ask", [ask_over_http, ask_over_websocket])


def page_and_cursor(data: dict[str, Any]) -> tuple[list[int], str]:
    """Whatever their names are."""
    (page,) = [value["nodes"] for value in data.values() if "nodes" in value]
    (cursor,) = [text for value in data.values() for text in value.values() if isinstance(text, str)]
    return [dam["damId"] for dam in page], cursor


def missed(page: list[int], cursor: str) -> set[int]:
    """Neither on the page nor after the cursor. Nothing is removed here, so each event is a dam of the same number."""
    return set(range(1, sequence_of(cursor) + 1)) - set(page)


@ASKED_OVER
async def test_a_cursor_that_is_read_after_the_page_misses_a_dam(
    busy: Server, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any]
) -> None:
    """So the tests below would notice."""
    monkeypatch.setattr(schema, "extensions", [MarkedOperation, CodedErrors])
    assert missed(*page_and_cursor((await ask(busy, PAGE_FIRST))["data"])) == {4}


@ASKED_OVER
@pytest.mark.parametrize("document", DOCUMENTS)
async def test_no_dam_falls_between_a_page_and_its_cursor(busy: Server, document: str, ask: Callable[..., Any]) -> None:
    page, cursor = page_and_cursor((await ask(busy, document))["data"])
    assert missed(page, cursor) == set()
    assert sequence_of(cursor) == 3  # the last change of all when the operation came


async def test_what_the_page_does_not_show_comes_after_the_cursor(
    busy: Server, database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, cursor = page_and_cursor((await ask_over_http(busy, PAGE_FIRST))["data"])
    monkeypatch.setattr(BusyReader, "after_each", None)
    last = await add(database, admin)
    async with following(busy, cursor) as socket:
        messages = [await socket.receive() for _ in range(last - sequence_of(cursor))]
    replayed = [message["payload"]["data"]["damAdded"]["damId"] for message in messages]
    assert {*page, *replayed} == set(range(1, last + 1))


async def test_operations_of_one_socket_each_have_a_cursor_of_their_own(busy: Server) -> None:
    count = 5
    async with opened(busy.websocket_url) as socket:
        await socket.init()
        for number in range(count):
            await socket.start(PAGE_FIRST, str(number))
        messages = [await socket.receive() for _ in range(2 * count)]
    answers = [page_and_cursor(message["payload"]["data"]) for message in messages if message["type"] == "next"]
    assert [missed(*answer) for answer in answers] == [set()] * count
    # Read once for operations that come together, and not for all of a socket.
    async with opened(busy.websocket_url) as socket:
        await socket.init()
        for number in range(2):
            await socket.start(PAGE_FIRST, str(number))
            messages = [await socket.receive() for _ in range(2)]
            answers.append(page_and_cursor(messages[0]["payload"]["data"]))
    assert answers[-1][1] != answers[-2][1]


@ASKED_OVER
async def test_the_count_belongs_to_the_cursor(busy: Server, ask: Callable[..., Any]) -> None:
    document = "{ dams { nodes { damId } } inventory { damCount } later: inventory { eventCursor } }"
    data = (await ask(busy, document))["data"]
    assert data["inventory"]["damCount"] == sequence_of(data["later"]["eventCursor"]) == 3


@ASKED_OVER
async def test_a_cursor_that_cannot_be_read_is_an_error_with_a_code(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ask: Callable[..., Any]
) -> None:
    monkeypatch.setattr("gateway.Database", LostDatabase)
    async with serve() as server:
        for error, code in [
            (DatabaseUnavailable("The database cannot be reached at the moment. Try again."), "DATABASE_UNAVAILABLE"),
            (RuntimeError("a secret"), "INTERNAL_SERVER_ERROR"),
        ]:
            monkeypatch.setattr(LostReader, "error", error)
            answer = await ask(server, PAGE_FIRST)
            monkeypatch.setattr(LostReader, "error", None)
            (shown,) = answer["errors"]
            assert answer.get("data") is None
            assert shown["extensions"]["code"] == code
            assert "secret" not in str(answer)
    assert "a secret" in caplog.text


async def test_who_may_not_read_gets_no_cursor(serve: Serve, admin: Viewer) -> None:
    async with serve(public_read=False) as server:
        answer = await server.post("{ inventory { eventCursor } }", token=None)
        assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert answer["data"] is None
