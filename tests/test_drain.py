"""A process that is told to end: nobody is cut, nobody is kept waiting, and clients know to come again."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.database import Database
from resolvers.cursors import event_cursor
from tests.conftest import ADMIN_TOKEN, Place, Serve, Server, until
from tests.services import Redis, running
from tests.shared import dam_values, fill
from tests.slow_clients import (
    ACCEPT,
    TRANSPORTS,
    UNUSUAL,
    ResponseStream,
    SocketStream,
    Stream,
    asked,
    has_executed,
    is_open,
    metrics,
    subscribed,
    wide,
)
from tests.streaming import ADD, FOLLOW, TIMEOUT_S, Socket, add_many, dam_input, following, opened
from tests.test_processes import Process

pytestmark = pytest.mark.usefixtures("admin")
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

START = event_cursor(0)
LIMIT_S = 9.0
"""The time that UVICORN gives, and a second for everything else."""


@asynccontextmanager
async def client(process: Process) -> AsyncIterator[Server]:
    async with AsyncExitStack() as stack:
        server = Server(f"http://127.0.0.1:{process.port}", stack)
        stack.push_async_callback(server.http.aclose)
        yield server


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Nobody else can write."""
    connection = sqlite3.connect(make_url(place.url).database or "", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


async def farewell(stream: Stream) -> Any:
    """What the end of the process is told with."""
    if isinstance(stream, SocketStream):
        return (await stream.socket.closed())[0]
    assert isinstance(stream, ResponseStream)
    received = await stream.receive_all()
    assert await stream.payload() is None, "complete"
    return [error["extensions"] for error in received.errors]


FAREWELLS = {"websocket": 1012, "sse": [{"code": "SERVER_DRAINING"}], "multipart": [{"code": "SERVER_DRAINING"}]}


def terminate(process: Process) -> None:
    os.kill(process.processes()[0], signal.SIGTERM)


async def ended_well(process: Process) -> None:
    """In time, and without a word of complaint."""
    begun = time.monotonic()
    await until(lambda: not process.is_running)
    assert time.monotonic() - begun < LIMIT_S
    log = (process.folder / "log").read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert "Application shutdown complete." in log


@asynccontextmanager
async def begun(server: Server, document: str, **variables: Any) -> AsyncIterator[asyncio.StreamReader]:
    """The answer to a request on which the server works by now."""
    url = httpx.URL(server.url)
    body = orjson.dumps({"query": document, "variables": variables})
    head = f"POST /graphql HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(head.encode() + body)
    await writer.drain()
    await metrics(server)  # asked for later, and answered
    yield reader
    writer.close()
    await writer.wait_closed()


@on_sqlite
async def test_every_stream_is_told_and_every_request_is_answered(place: Place) -> None:
    with running(Process(DAMS_DATABASE_URL=place.url)) as process:
        async with client(process) as server, AsyncExitStack() as stack:
            streams = [
                (transport, await stack.enter_async_context(subscribed(transport, server, document)))
                for transport in TRANSPORTS
                for document in (FOLLOW, UNUSUAL)
                for _ in range(5)
            ]
            await until(lambda: is_open(server, subscriptions=30, sockets=10))
            with locked(place):
                answer = await stack.enter_async_context(begun(server, ADD, input=dam_input("Deer Creek")))
                terminate(process)
                for transport, stream in streams:
                    assert await farewell(stream) == FAREWELLS[transport]
            async with asyncio.timeout(TIMEOUT_S):
                assert b'"name":"Deer Creek"' in await answer.read()
        await ended_well(process)


@on_sqlite
async def test_sockets_are_closed_one_after_the_other(place: Place) -> None:
    """So that their clients do not come again all at once: 300 of them within a bit over half a second."""
    with running(Process(DAMS_DATABASE_URL=place.url)) as process:
        async with client(process) as server, AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(opened(server.websocket_url)) for _ in range(300)]
            await until(lambda: is_open(server, sockets=300))
            terminate(process)
            times = await asyncio.gather(*(closed_at(socket) for socket in sockets))
        assert max(times) - min(times) > 0.05
        await ended_well(process)


async def closed_at(socket: Socket) -> float:
    assert (await socket.closed())[0] == 1012
    return time.monotonic()


@on_sqlite
async def test_clients_that_do_not_read_hold_nobody_up(place: Place, database: Database) -> None:
    """Neither those that are behind, nor those in the middle of a replay."""
    await fill(database, [dam_values(id=number, name="Dam") for number in range(1, 501)])
    with running(Process(DAMS_DATABASE_URL=place.url, DAMS_MAX_ALIASES="1000", DAMS_MAX_TOKENS="5000")) as process:
        async with client(process) as server, AsyncExitStack() as stack:
            for transport in TRANSPORTS:
                for after in (START, event_cursor(500)):
                    await stack.enter_async_context(subscribed(transport, server, wide(800), after=after))
            await until(lambda: is_open(server, subscriptions=6))
            await add_many(server, [f"Dam {number}" for number in range(100)])
            await until(lambda: has_executed(server, 102))  # the replays share theirs
            terminate(process)
            await ended_well(process)


@on_postgresql
async def test_all_workers_end(place: Place, redis_server: Redis) -> None:
    settings = {"DAMS_DATABASE_URL": place.url, "DAMS_REDIS_URL": redis_server.url, "DAMS_WORKERS": "2"}
    with running(Process(**settings)) as process:
        async with client(process) as server, AsyncExitStack() as stack:
            streams = [
                (transport, await stack.enter_async_context(subscribed(transport, server, after=START)))
                for transport in TRANSPORTS * 4
            ]
            await add_many(server, ["Deer Creek"])
            assert [await stream.receive(1) for _, stream in streams] == [["Deer Creek"]] * 12
            terminate(process)
            for transport, stream in streams:
                assert await farewell(stream) == FAREWELLS[transport]
        await ended_well(process)
        assert (process.folder / "log").read_text().count("Application shutdown complete.") == 2


@on_sqlite
async def test_open_sockets_take_no_more_subscriptions_and_answer_still(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transport.connections.websocket.drain_delay", lambda streams: 2.0)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve())
        async with subscribed("sse", server) as stream, following(server, START) as socket:
            await until(lambda: is_open(server, subscriptions=2))
            ending = asyncio.create_task(stack.aclose())
            assert await farewell(stream) == FAREWELLS["sse"]
            refused = await socket.ask(FOLLOW, "2")
            assert (refused["type"], refused["payload"][0]["extensions"]) == ("error", {"code": "SERVER_DRAINING"})
            assert (await socket.ask("{ viewer { name } }", "3"))["type"] == "next"
            assert (await socket.closed())[0] == 1012
            await ending


@on_postgresql
async def test_who_is_looked_up_when_the_end_comes_is_refused_by_a_status(
    place: Place, serve: Serve, database: Database
) -> None:
    """It would otherwise begin a stream that nobody ends."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve())
        async with (
            subscribed("sse", server) as told,
            database.write() as connection,
            asyncio.TaskGroup() as tasks,
        ):
            await until(lambda: is_open(server, subscriptions=1))
            await connection.execute(text("LOCK api_tokens IN ACCESS EXCLUSIVE MODE"))
            asking = tasks.create_task(status_of_stream(server, ADMIN_TOKEN))
            await until(lambda: is_waited_for(connection))
            ending = tasks.create_task(stack.aclose())
            assert await farewell(told) == FAREWELLS["sse"]
            await connection.rollback()
            assert await asking == 503
            await ending


async def status_of_stream(server: Server, token: str) -> int:
    async with asked(server, ACCEPT["sse"], {"query": FOLLOW}, token) as answer:
        return answer.status_code


async def is_waited_for(connection: AsyncConnection) -> bool:
    """Whether somebody waits for a lock of this connection."""
    await connection.execute(text("SELECT pg_stat_clear_snapshot()"))  # else a transaction sees what it saw at first
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    return bool(await connection.scalar(waiting))
