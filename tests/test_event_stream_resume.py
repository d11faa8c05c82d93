"""A stream that was cut goes on where it was, whenever that is, and leaves nothing behind in the server."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from playwright.async_api import async_playwright

from auth.viewer import Viewer
from models.database import Database
from resolvers.cursors import event_cursor
from tests.conftest import Place, Serve, Server, until
from tests.event_streams import (
    SSE,
    fill_with_many,
    leaving_nothing_behind,
    metric,
    on_sqlite,
    subscribed,
)
from tests.fixtures_browser import CHROMIUM_OPTIONS
from tests.services import find_chromium, free_port
from tests.streaming import FOLLOW, TIMEOUT_S, add, add_many
from tests.test_examples import serving
from transport import event_stream
from transport.streams import subscriber

START = event_cursor(0)
MANY = 3_000
"""More than a page of the log, than a hub keeps and than a group remembers."""

UNUSUAL = [
    "subscription { ...Added } fragment Added on Subscription { damAdded { name cursor } }",
    "subscription ($after: String = null) { damAdded(after: $after) { name cursor } }",
]
"""Documents that are executed for themselves."""


def last_id(cursor: str) -> dict[str, str]:
    return SSE | {"last-event-id": cursor}


async def test_the_last_event_id_counts_and_not_after(server: Server) -> None:
    names = ["Deer Creek", "Jordanelle", "Echo", "Rockport"]
    await add_many(server, names)
    for after in (START, event_cursor(3), event_cursor(99), "nonsense"):
        async with subscribed(server, headers=last_id(event_cursor(2)), get=True, after=after) as stream:
            assert await stream.begun() == event_cursor(2)
            assert await stream.names(2) == ["Echo", "Rockport"]
    for document in UNUSUAL:
        async with subscribed(server, document, headers=last_id(event_cursor(2))) as stream:
            assert await stream.begun() == event_cursor(2)
            assert await stream.names(2) == ["Echo", "Rockport"]


@on_sqlite
@pytest.mark.parametrize("document", [FOLLOW, *UNUSUAL])
async def test_a_stream_that_is_cut_before_its_first_event_misses_nothing(server: Server, document: str) -> None:
    await add_many(server, ["Before"])
    await until(lambda: is_at(server, 1))
    async with subscribed(server, document) as stream:
        begun = await stream.begun()
    await add_many(server, ["Meanwhile"])
    async with subscribed(server, document, headers=last_id(begun)) as stream:
        await add_many(server, ["Live"])
        assert await stream.names(2) == ["Meanwhile", "Live"]


@pytest.mark.parametrize("where", [None, {"river": "Provo River"}])
async def test_a_replay_of_thousands_may_be_cut_again_and_again(
    server: Server, database: Database, caplog: pytest.LogCaptureFixture, where: dict[str, str] | None
) -> None:
    names = await fill_with_many(database, MANY)
    if where:
        names = [name for number, name in enumerate(names, 1) if number % 7]
    seen: list[str] = []
    cursor = START
    async with leaving_nothing_behind(server, caplog):
        for count in (1, 5, 0, len(names) // 4, 70, len(names) // 2):
            async with subscribed(server, headers=last_id(cursor), where=where) as stream:
                assert await stream.begun() == cursor
                for dam in await stream.dams(count):
                    seen.append(dam["name"])
                    cursor = dam["cursor"]
        async with subscribed(server, headers=last_id(cursor), where=where) as stream:
            await add_many(server, ["Live"])
            seen += await stream.names(len(names) + 1 - len(seen))
    assert seen == [*names, "Live"]


@on_sqlite
async def test_who_comes_a_little_later_is_served_at_once(server: Server) -> None:
    async with subscribed(server) as first:
        await first.begun()
        await add_many(server, ["Deer Creek", "Jordanelle"])
        assert await first.names(2) == ["Deer Creek", "Jordanelle"]
        async with subscribed(server, headers=last_id(event_cursor(1))) as second:
            assert await second.names(1) == ["Jordanelle"]
            await add_many(server, ["Echo"])
            assert await first.names(1) == await second.names(1) == ["Echo"]


@on_sqlite
async def test_a_page_resumes_by_itself_when_the_server_comes_again(
    place: Place, database: Database, admin: Viewer
) -> None:
    port = free_port()
    names = [f"Dam {number}" for number in range(1, 151)]
    told: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        page = await browser.new_page()
        await page.expose_function("tell", lambda name: told.append(name))
        query = "subscription { damAdded { name cursor } }"
        async with serving(place, port):
            await page.goto(f"http://127.0.0.1:{port}/graphiql")  # whose policy lets it fetch
            await page.evaluate(
                """query => new Promise(opened => {
                    const source = new EventSource("/graphql/stream?query=" + encodeURIComponent(query));
                    source.addEventListener("open", opened);
                    source.addEventListener("next", event => {
                        const { name, cursor } = JSON.parse(event.data).data.damAdded;
                        tell(cursor === event.lastEventId ? name : "wrong id");
                    });
                })""",
                query,
            )
            for name in names[:50]:
                await add(database, admin, name)
            await until(lambda: told)
        for name in names[50:100]:
            await add(database, admin, name)
        async with serving(place, port):
            await until(lambda: told[-1] == names[99])
            for name in names[100:]:
                await add(database, admin, name)
            await until(lambda: told[-1] == names[-1])
        await browser.close()
    assert told == names


OPERATION = orjson.dumps({"query": FOLLOW, "variables": {"after": START}})
REQUEST = (
    b"POST /graphql/stream HTTP/1.1\r\nhost: dams\r\naccept: text/event-stream\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(OPERATION), OPERATION)
)


@contextmanager
def client(server: Server, request: bytes = REQUEST) -> Iterator[socket.socket]:
    """One that has sent a request and reads nothing, in a small buffer."""
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.connect((server.http.base_url.host, server.http.base_url.port))
        opened.sendall(request)
        opened.setblocking(False)
        yield opened


async def read(client: socket.socket, until: bytes | None = None) -> bytes:
    """To the end, where it is not said until what."""
    loop, received = asyncio.get_running_loop(), b""
    async with asyncio.timeout(TIMEOUT_S):
        while until is None or until not in received:
            chunk = await loop.sock_recv(client, 65_536)
            if not chunk:
                break
            received += chunk
    assert until is None or until in received
    return received


CUT = struct.pack("ii", 1, 0)
"""Linger for no time: a reset instead of an orderly end."""


@pytest.mark.parametrize("is_reset", [False, True])
async def test_clients_that_hang_up_leave_nothing_behind(
    server: Server, database: Database, caplog: pytest.LogCaptureFixture, is_reset: bool
) -> None:
    names = await fill_with_many(database, MANY)
    await until(lambda: is_at(server, MANY))

    def hang_up(opened: socket.socket) -> None:
        if is_reset:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT)
        opened.close()

    async with leaving_nothing_behind(server, caplog):
        for length in (0, 5, REQUEST.index(b"\r\n\r\n") + 8, len(REQUEST)):  # before the headers
            for pause in range(5):
                with client(server, REQUEST[:length]) as opened:
                    for _ in range(pause**2):  # as much of the server's work as gets done meanwhile
                        await asyncio.sleep(0)
                    hang_up(opened)
        for name in ("", *names[:100:20], names[-1]):  # in the replay, and when it waits
            with client(server) as opened:
                await read(opened, b"id: " if not name else f'"{name}"'.encode())
                hang_up(opened)
        with client(server) as opened:  # while the server waits for it to read on
            await until(lambda: metric(server, "dams_subscriptions_open"))
            await until(lambda: is_idle(server))
            hang_up(opened)


async def is_at(server: Server, sequence: int) -> bool:
    return await metric(server, "dams_log_position") == sequence


async def is_idle(server: Server) -> bool:
    """Whether nothing is executed for a while."""
    before = await metric(server, "dams_executions_total")
    await asyncio.sleep(0.1)
    return await metric(server, "dams_executions_total") == before


@on_sqlite
async def test_a_client_that_takes_nothing_is_cut(
    server: Server, database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "STALLED_S", 0.3)
    await fill_with_many(database, MANY)
    await until(lambda: is_at(server, MANY))
    async with leaving_nothing_behind(server, caplog):
        with client(server) as opened:
            await until(lambda: metric(server, "dams_subscriptions_open"))
            await until(lambda: has_ended(server))
            received = await read(opened)
    assert b"event: next" in received
    assert b"event: complete" not in received


async def has_ended(server: Server) -> bool:
    return await metric(server, "dams_subscriptions_open") == 0


AGAIN = " ".join(f"more{number}: name" for number in range(400))
BIG = f"subscription {{ damAdded {{ name cursor {AGAIN} }} }}"


@on_sqlite
async def test_a_client_that_reads_slowly_is_told_where_to_go_on(
    serve: Serve, admin: Viewer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{number} {'x' * 100}" for number in range(40)]
    operation = orjson.dumps({"query": BIG})
    request = REQUEST.replace(OPERATION, operation).replace(b": %d" % len(OPERATION), b": %d" % len(operation))
    async with serve(max_aliases=400) as server, leaving_nothing_behind(server, caplog):
        with monkeypatch.context() as patched, client(server, request) as opened:
            patched.setattr(subscriber, "MAX_WAITING", 5)
            await until(lambda: metric(server, "dams_subscription_groups"))
            for name in names:
                await add_many(server, [name])
            received = await read(opened, b"\r\n0\r\n\r\n")
        events = [block for block in unchunked(received).split(b"\r\n\r\n") if b"event: next" in block]
        payloads = [orjson.loads(block.partition(b"data: ")[2]) for block in events]
        (error,) = payloads.pop()["errors"]
        dams = [payload["data"]["damAdded"] for payload in payloads]
        assert error["extensions"] == {"code": "SLOW_CONSUMER", "cursor": dams[-1]["cursor"]}
        assert [dam["name"] for dam in dams] == names[: len(dams)]
        assert 0 < len(dams) < len(names)
        async with subscribed(server, headers=last_id(dams[-1]["cursor"])) as stream:
            assert await stream.names(len(names) - len(dams)) == names[len(dams) :]


def unchunked(answer: bytes) -> bytes:
    """The body of an answer in chunks."""
    body, rest = b"", answer.partition(b"\r\n\r\n")[2]
    while rest:
        length, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(length, 16)], rest[int(length, 16) + 2 :]
    return body
