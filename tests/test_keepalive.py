"""Clients that fall asleep, freeze or vanish are let go of, in a way from which they come again by themselves."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import uvicorn
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from resolvers.cursors import event_cursor
from tests.conftest import Server, until
from tests.slow_clients import is_open, nothing_is_left
from tests.streaming import FOLLOW, TIMEOUT_S, add_many, following, opened
from transport.server import UVICORN

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

START = event_cursor(0)
PING = {"type": "ping"}
GONE = (4499, "No sign of life")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.websocket.PING_S", 0.5)
    monkeypatch.setattr("transport.websocket.PONG_S", 0.5)


async def test_who_is_silent_is_pinged_and_then_let_go_of(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        assert await socket.receive() == PING
        assert await socket.closed() == GONE
    await until(lambda: nothing_is_left(server))


async def test_who_only_listens_is_silent_too(server: Server) -> None:
    async with following(server, START) as socket:
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]
        assert await socket.closed() == GONE
    await until(lambda: nothing_is_left(server))


SIGNS_OF_LIFE: list[dict[str, Any]] = [
    {"type": "pong"},
    {"type": "pong", "payload": {"at": 1}},
    {"type": "ping"},
    {"type": "complete", "id": "of nothing"},
    {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { name } }"}},
]


async def test_any_message_is_a_sign_of_life(server: Server) -> None:
    await asyncio.gather(*(stay(server, message) for message in SIGNS_OF_LIFE))


async def stay(server: Server, message: dict[str, Any]) -> None:
    """Longer than one that says nothing may."""
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for _ in range(4):
            while await socket.receive() != PING:
                pass
            await socket.send(message)


async def test_a_silent_socket_gets_no_ping_of_the_websocket_protocol(server: Server) -> None:
    """On which uvicorn would close with 1011, after which graphql-ws never comes again."""
    assert uvicorn.Config("gateway:create_app", **UVICORN).ws_ping_interval is None
    frames = await frames_until_closed(server)
    assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.CLOSE]
    assert orjson.loads(frames[0].data) == PING


async def frames_until_closed(server: Server) -> list[Frame]:
    """All that a client hears that says nothing, not even what its library would say for it."""
    uri = parse_uri(server.websocket_url)
    client = ClientProtocol(uri, subprotocols=[Subprotocol("graphql-transport-ws")])
    reader, writer = await asyncio.open_connection(uri.host, uri.port)
    client.send_request(client.connect())
    writer.writelines(client.data_to_send())
    frames: list[Frame] = []
    async with asyncio.timeout(TIMEOUT_S):
        while not frames or frames[-1].opcode is not Opcode.CLOSE:
            client.receive_data(await reader.read(4096))
            frames += [event for event in client.events_received() if isinstance(event, Frame)]
    writer.close()
    await writer.wait_closed()
    return frames


LISTENER = f"""
import asyncio, json, sys
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

async def listen():
    async with connect(sys.argv[1], subprotocols=["graphql-transport-ws"], ping_interval=None) as socket:
        await socket.send(json.dumps({{"type": "connection_init"}}))
        await socket.send(json.dumps({{"type": "subscribe", "id": "1", "payload": {{"query": {FOLLOW!r}}}}}))
        try:
            while True:
                if json.loads(await socket.recv())["type"] == "ping":
                    await socket.send(json.dumps({{"type": "pong"}}))
        except ConnectionClosed as closed:
            print(closed.rcvd.code if closed.rcvd else 1006)

asyncio.run(listen())
"""


@asynccontextmanager
async def listener(server: Server) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that follows the dams, answers pings, and at the end prints with which code it was closed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LISTENER, server.websocket_url, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_frozen_client_is_let_go_of_meanwhile_and_hears_it_when_it_goes_on(server: Server) -> None:
    async with listener(server) as process:
        await until(lambda: is_open(server, subscriptions=1))
        process.send_signal(signal.SIGSTOP)
        await until(lambda: nothing_is_left(server))
        process.send_signal(signal.SIGCONT)
        printed, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
        assert printed == b"4499\n"
