"""Clients that read slowly, or not at all: they are told where to resume, and what comes live does not wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from socket import SHUT_WR

import pytest
from websockets.frames import Frame, Opcode

from auth.viewer import Viewer
from models.database import Database
from resolvers.cursors import event_cursor
from tests.conftest import Serve, Server, until
from tests.shared import dam_values, fill
from tests.slow_clients import (
    ACCEPT,
    TRANSPORTS,
    WIDE,
    asked,
    has_executed,
    hold_more,
    is_open,
    metrics,
    nothing_is_left,
    slow_socket,
    subscribed,
    wide,
)
from tests.streaming import FOLLOW, Socket, add_many, cursor_of, following

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

START = event_cursor(0)


@pytest.fixture
async def server(serve: Serve, admin: Viewer) -> AsyncIterator[Server]:
    async with serve(**WIDE) as server:
        yield server


async def add_dams(server: Server, first: int, count: int) -> list[str]:
    """One after the other, each seen at once: none waits for the next ones to be sent with them."""
    names = [f"Dam {number}" for number in range(first, first + count)]
    for start in range(0, count, 50):
        await add_many(server, names[start : start + 50])
    return names


@pytest.mark.parametrize(
    ("transport", "fields", "count"), [("websocket", 170, 450), *((transport, 800, 120) for transport in TRANSPORTS)]
)
async def test_who_stops_reading_is_told_where_to_resume_and_nobody_waits(
    transport: str, fields: int, count: int, server: Server
) -> None:
    """Results of 3 kB, of which too many wait, and of 16 kB, whose bytes are too many."""
    async with (
        subscribed(transport, server, wide(fields), after=START) as slow,
        following(server, START) as other,
    ):
        await until(lambda: is_open(server, subscriptions=2))
        names = await add_dams(server, 0, count)
        assert await other.names(count) == names
        assert (await metrics(server))["dams_results_waiting"] == 0, "it has ended, and what waited was let go of"
        received = await slow.receive_all()
        assert [error["extensions"] for error in received.errors] == [
            {"code": "SLOW_CONSUMER", "cursor": received.cursor}
        ]
        assert 0 < len(received.names) < count
        async with subscribed(transport, server, wide(fields), after=received.cursor) as resumed:
            assert received.names + await resumed.receive(count - len(received.names)) == names
        found = await metrics(server)
        assert found['dams_subscriptions_ended_total{reason="slow_consumer"}'] == 1
    await until(lambda: nothing_is_left(server))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_reads_is_not_slow_however_much_comes_at_once(
    transport: str, server: Server, database: Database
) -> None:
    """In batches of 32, that is more than a megabyte each."""
    async with subscribed(transport, server, wide(2000)) as stream:
        await until(lambda: is_open(server, subscriptions=1))
        names = [f"Dam {number}" for number in range(100)]
        await fill(database, [dam_values(id=number, name=name) for number, name in enumerate(names, 1)])
        assert await stream.receive(len(names)) == names


async def fill_log(database: Database, server: Server, names: list[str]) -> None:
    """With one event for each name, which the server has seen."""
    await fill(database, [dam_values(id=number, name=name) for number, name in enumerate(names, 1)])
    await until(lambda: has_seen(server, len(names)))


async def has_seen(server: Server, sequence: int) -> bool:
    return (await metrics(server))["dams_log_position"] == sequence


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_replay_waits_for_a_slow_reader(transport: str, server: Server, database: Database) -> None:
    """3 MB of it, of which the server holds back what is not read."""
    names = [f"Dam {number}" for number in range(1500)]
    await fill_log(database, server, names)
    async with subscribed(transport, server, wide(100), after=START) as stream:
        for start in range(0, len(names), 100):
            found = await metrics(server)
            assert found["dams_results_waiting"] <= 1
            assert found["dams_executions_total"] < start + 500, "what is held back is not even executed"
            assert await stream.receive(100) == names[start : start + 100]
        await add_many(server, ["Deer Creek"])
        assert await stream.receive(1) == ["Deer Creek"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_vanishes_in_the_middle_of_a_replay_leaves_nothing_behind(
    transport: str, server: Server, database: Database
) -> None:
    """With more to replay than a group remembers."""
    await fill_log(database, server, ["Dam"] * 1000)
    before = len(asyncio.all_tasks())
    async with subscribed(transport, server, wide(100), after=START) as stream:
        await stream.receive(10)
    await until(lambda: nothing_is_left(server))
    await until(lambda: len(asyncio.all_tasks()) <= before)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_never_reads_again_is_cut_and_leaves_nothing_behind(
    transport: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live, where it is told SLOW_CONSUMER if it would only hear, and in a replay, where it is waited for."""
    for patience in ("websocket.PING_S", "websocket.PONG_S", "connections.websocket.CLOSE_S", "event_stream.STALLED_S"):
        monkeypatch.setattr(f"transport.{patience}", 0.3)
    before = len(asyncio.all_tasks())
    async with subscribed(transport, server, wide(800), after=START):
        await until(lambda: is_open(server, subscriptions=1))
        await add_dams(server, 0, 120)
        await until(lambda: nothing_is_left(server))
        async with subscribed(transport, server, wide(800), after=START):
            await until(lambda: is_open(server, subscriptions=1))
            await until(lambda: nothing_is_left(server))
    await until(lambda: len(asyncio.all_tasks()) <= before)


CLOSE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)
PING = Frame(Opcode.TEXT, b'{"type":"ping"}').serialize(mask=True)
HALF_CLOSE = b""
FAREWELLS = [CLOSE, PING + CLOSE, b"this is no frame", HALF_CLOSE]


async def test_who_says_good_bye_without_reading_is_cut(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's answer would wait behind what is not read, for ever."""
    monkeypatch.setattr("transport.connections.websocket.CLOSE_S", 0.3)
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(slow_socket(server)) for _ in FAREWELLS]
        for socket in sockets:
            await socket.init()
            await socket.start(wide(800), after=START)
        await until(lambda: is_open(server, subscriptions=len(FAREWELLS)))
        await add_dams(server, 0, 60)
        await until(lambda: has_executed(server, 60))
        assert [is_held(socket) for socket in sockets] == [True] * len(FAREWELLS)
        for socket, farewell in zip(sockets, FAREWELLS, strict=True):
            if farewell == HALF_CLOSE:
                socket.connection.transport.write_eof()
            else:
                socket.connection.transport.write(farewell)
        await until(lambda: not any(map(is_held, sockets)))
        await until(lambda: nothing_is_left(server))


@pytest.mark.parametrize("transport", ACCEPT)
async def test_who_sends_no_more_and_reads_no_more_is_cut_however_little_is_unsent(
    transport: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_more(monkeypatch)
    monkeypatch.setattr("transport.connections.http.STALLED_S", 0.3)
    body = {"query": wide(800), "variables": {"after": START}}
    async with asked(server, ACCEPT[transport], body) as response:
        await until(lambda: is_open(server, subscriptions=1))
        await add_dams(server, 0, 60)
        await until(lambda: has_executed(server, 60))
        response.extensions["network_stream"].get_extra_info("socket").shutdown(SHUT_WR)
        await until(lambda: nothing_is_left(server))


def is_held(socket: Socket) -> bool:
    """Whether the server still has the connection; the kernel may go on offering what was sent on it."""
    here, there = socket.connection.remote_address[1], socket.connection.local_address[1]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = f":{here:04X}", f":{there:04X}"
    return any(line[1].endswith(ports[0]) and line[2].endswith(ports[1]) and line[9] != "0" for line in lines)


async def test_the_other_operations_of_a_slow_socket_go_on(server: Server) -> None:
    async with slow_socket(server) as socket:
        await socket.init()
        await socket.start(wide(800), after=START)
        await until(lambda: is_open(server, subscriptions=1))
        await add_dams(server, 0, 120)
        await until(lambda: has_executed(server, 120))
        while (message := await socket.receive())["type"] == "next":
            pass
        assert (message["id"], message["type"]) == ("1", "error")
        await socket.start(FOLLOW, "2", after=await cursor_of(server))
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]
