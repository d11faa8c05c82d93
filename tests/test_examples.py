"""The programs in examples/ and those of docs/clients.md, run as users run them.

Against a real server, one that goes away, and one that fails.
"""

import asyncio
import re
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import async_playwright
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.typing import Subprotocol

from auth.viewer import Viewer
from models.database import Database
from tests.conftest import ADMIN_TOKEN, Place, Serve, Server, until
from tests.fixtures_browser import CHROMIUM_OPTIONS
from tests.services import find_chromium, free_port
from tests.streaming import add, add_many
from tests.test_readme import ROOT, is_ready, line_with, running

WEBSOCKET_EXAMPLES = ["listen", "follow_websocket"]
EXAMPLES = [*WEBSOCKET_EXAMPLES, "follow_sse"]

DOCUMENT = (ROOT / "docs/clients.md").read_text()

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"])


def command(example: str, port: int) -> str:
    scheme = "ws" if example in WEBSOCKET_EXAMPLES else "http"
    return f"{sys.executable} examples/{example}.py {scheme}://127.0.0.1:{port}/graphql"


def run(example: str, port: int, **environment: str) -> AbstractAsyncContextManager[Process]:
    return running(command(example, port), **environment)


@asynccontextmanager
async def serving(place: Place, port: int) -> AsyncIterator[None]:
    """A server of its own process, so that it can go and come back on its port."""
    serve = f"{Path(sys.executable).with_name('dams')} serve"
    async with running(serve, DAMS_DATABASE_URL=place.url, DAMS_PORT=str(port)):
        await until(lambda: is_ready(port))
        yield


async def names(program: Process, last: str) -> list[str]:
    """Of the dams that it prints next, up to this one."""
    printed: list[str] = []
    while last not in printed:
        printed.append((await line_with(program, " on Provo River, by Other")).partition(" on ")[0])
    return printed


@on_sqlite
@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_misses_nothing_while_the_server_is_away(
    example: str, place: Place, database: Database, admin: Viewer
) -> None:
    port = free_port()
    async with run(example, port) as program:
        async with serving(place, port):
            await line_with(program, "listening")
        await add(database, admin, "Before the first event")
        async with serving(place, port):
            assert await names(program, "Before the first event") == ["Before the first event"]
            await add(database, admin, "Live")
            assert await names(program, "Live") == ["Live"]
        for name in ("Away", "Still away"):
            await add(database, admin, name)
        async with serving(place, port):
            await add(database, admin, "Back")
            assert await names(program, "Back") == ["Away", "Still away", "Back"]


@on_sqlite
@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.usefixtures("admin")
async def test_an_example_needs_a_token_where_reading_does(example: str, serve: Serve) -> None:
    async with serve(public_read=False) as server:
        port = server.http.base_url.port
        assert port
        for environment, sentence in (({}, "view_dams"), ({"DAMS_TOKEN": "dams_unknown"}, "not valid|unknown")):
            refused = await asyncio.to_thread(
                subprocess.run,
                command(example, port).split(),
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
            assert re.search(sentence, refused.stderr)
        async with run(example, port, DAMS_TOKEN=ADMIN_TOKEN) as program:
            await line_with(program, "listening")
            await add_many(server, ["Sample Dam"])
            await line_with(program, "Sample Dam on Provo River, by Other")


DAM = {"name": "Sample Dam", "river": "Provo River", "owner": "Other"}
PASSING = [
    "SLOW_CONSUMER",
    "SERVER_DRAINING",
    "DATABASE_UNAVAILABLE",
    "PROVIDER_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
    "TOO_MANY_SUBSCRIPTIONS",
    "RATE_LIMITED",
]
ENDS: Mapping[str, Any] = {
    "an error": lambda errors: {"type": "error", "payload": errors},
    "a last result": lambda errors: {"type": "next", "payload": {"data": None, "errors": errors}},
    "nothing": lambda _: {"type": "complete"},
}


def errors(code: str) -> list[Any]:
    return [{"message": "It passes.", "extensions": {"code": code}}]


@pytest.mark.parametrize("example", WEBSOCKET_EXAMPLES)
@pytest.mark.parametrize("end", ENDS)
async def test_a_listener_comes_again_after_an_end_that_passes(example: str, end: str) -> None:
    """And asks for what comes after the latest dam it has seen."""
    afters: list[str] = []

    async def answer(socket: ServerConnection) -> None:
        async for text in socket:
            message = orjson.loads(text)
            answers: list[dict[str, Any]] = []
            if message["type"] == "connection_init":
                answers = [{"type": "connection_ack"}]
            elif message["type"] == "subscribe":
                after = message["payload"].get("variables", {}).get("after")
                data = {"damAdded": DAM | {"cursor": "place"}} if after else {"inventory": {"eventCursor": "start"}}
                last = ENDS[end](errors(PASSING[len(afters) % len(PASSING)])) if after else {"type": "complete"}
                answers = [{"type": "next", "payload": {"data": data}}, last]
                afters.extend([after] if after else [])
            for each in answers:
                await socket.send(orjson.dumps({"id": message.get("id")} | each).decode())

    async with serve_websocket(answer, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-transport-ws")]) as server:
        port = server.sockets[0].getsockname()[1]
        async with run(example, port) as program:
            for line in ("listening", "Sample Dam", *["reconnecting", "Sample Dam"] * 2):
                await line_with(program, line)
    assert afters[:3] == ["start", "place", "place"]


async def test_a_reader_of_events_comes_again_after_an_end_that_passes() -> None:
    """And asks for what comes after the latest id it has seen, the one of the beginning included."""
    lasts: list[str | None] = []
    ok = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    full = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    def event(id: str, payload: Any) -> bytes:  # noqa: A002
        return f"id: {id}\nevent: next\ndata: {orjson.dumps(payload).decode()}\n\n".encode()

    complete = b"event: complete\ndata:\n\n"
    answers = [
        ok + b"id: start\n\n",
        full,
        *(
            ok + event(code, {"data": {"damAdded": DAM}}) + event(code, {"errors": errors(code)}) + complete
            for code in PASSING
        ),
    ]

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lasts.append(next((line.partition(": ")[2] for line in head if line.startswith("Last-Event-ID")), None))
        writer.write(answers[min(len(lasts), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, run("follow_sse", server.sockets[0].getsockname()[1]) as program:
        for line in ("listening", "reconnecting", "reconnecting", *["Sample Dam", "reconnecting"] * len(PASSING)):
            await line_with(program, line)
    assert lasts[: len(answers)] == [None, "start", "start", *PASSING[:-1]]


def documented(language: str, beginning: str) -> str:
    """The program of docs/clients.md that begins so."""
    programs = re.findall(rf"```{language}\n({re.escape(beginning)}.*?)```", DOCUMENT, re.DOTALL)
    assert len(programs) == 1
    return str(programs[0])


@on_sqlite
async def test_curl_follows_and_resumes(server: Server) -> None:
    curl = documented("sh", "curl -N").replace("http://127.0.0.1:8000", server.url).strip()
    async with running(curl) as program:
        start = await line_with(program, "id: ")
        await add_many(server, ["Sample Dam"])
        assert await line_with(program, "Sample Dam") == (
            'data: {"data":{"damAdded":{"name":"Sample Dam","river":"Provo River"}}}'
        )
    async with running(f"{curl} -H '{start.replace('id', 'last-event-id')}'") as program:
        await line_with(program, "Sample Dam")


@on_sqlite
async def test_a_page_with_event_source_misses_nothing_while_the_server_is_away(
    place: Place, database: Database, admin: Viewer
) -> None:
    port = free_port()
    told: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        page = await browser.new_page()
        page.on("console", lambda message: told.append(message.text) if message.type == "log" else None)
        async with serving(place, port):
            await page.goto(f"http://127.0.0.1:{port}/graphiql")  # whose policy lets it fetch
            await page.evaluate(f"async () => {{ {documented('js', 'const query')} }}")
        await add(database, admin, "Away")
        async with serving(place, port):
            await until(lambda: len(told) == 1)
            await add(database, admin, "Live")
            await until(lambda: len(told) == 2)
        await add(database, admin, "Away again")
        async with serving(place, port):
            await until(lambda: len(told) == 3)
        await browser.close()
    assert told == [f"{name} on Provo River" for name in ("Away", "Live", "Away again")]
