"""How much may be open at a time, over all transports; what is refused says the limit, and what ends is free again."""

import asyncio
import contextlib
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from auth.tokens import create_token
from auth.users import add_user
from models.database import Database
from resolvers.cursors import event_cursor
from settings import Settings
from tests.conftest import ADMIN_TOKEN, Serve, Server, until
from tests.slow_clients import ACCEPT, TRANSPORTS, asked, is_open, nothing_is_left, subscribed
from tests.streaming import FOLLOW, TIMEOUT_S, Socket, add_many, following, opened
from transport.streams.delivery import SUBSCRIPTIONS

pytestmark = [pytest.mark.parametrize("engine", ["sqlite"], indirect=True), pytest.mark.usefixtures("admin")]

START = event_cursor(0)
PLACES = {"": "in this server process", "_per_address": "from your address", "_per_user": "by your user"}
"""By how the setting ends."""


@pytest.mark.parametrize("scope", ["", "_per_address"])
async def test_a_socket_too_many_is_closed_with_the_limit(scope: str, serve: Serve) -> None:
    async with serve(**{f"max_sockets{scope}": 2}) as server, opened(server.websocket_url) as kept:
        refusal = 1013, f"At most 2 WebSockets may be open at a time {PLACES[scope]}. Close one or wait."
        for _ in range(2):
            async with opened(server.websocket_url):
                await until(lambda: is_open(server, sockets=2))
                async with opened(server.websocket_url) as refused:
                    assert await refused.closed() == refusal
            await until(lambda: is_open(server, sockets=1))
        await kept.init()


async def test_a_network_of_ipv6_may_open_as_much_as_an_address(serve: Serve) -> None:
    async with serve(max_sockets_per_address=1) as server, AsyncExitStack() as stack:

        async def of(address: str) -> Socket:
            return await stack.enter_async_context(opened(server.websocket_url, **{"x-forwarded-for": address}))

        await (await of("2001:db8::1")).init()
        assert (await (await of("2001:db8::2")).closed())[0] == 1013
        await (await of("2001:db8:0:1::2")).init()


async def refusal(transport: str, server: Server, token: str | None) -> str:
    """The message to whom one more subscription is refused, which says everything else that it has to say too."""
    if transport == "websocket":
        async with opened(server.websocket_url) as socket:
            await socket.init({"Authorization": f"Bearer {token}"} if token else None)
            message = await socket.ask(FOLLOW)
            assert message["type"] == "error"
            (error,) = message["payload"]
            assert (await socket.ask("{ viewer { name } }"))["type"] == "next"
    else:
        async with asked(server, ACCEPT[transport], {"query": FOLLOW}, token) as answer:
            (error,) = orjson.loads(await answer.aread())["errors"]
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert error["extensions"] == {"code": "TOO_MANY_SUBSCRIPTIONS"}
    return str(error["message"])


@pytest.mark.parametrize("scope", PLACES)
async def test_subscriptions_are_limited_over_all_transports_together(
    scope: str, serve: Serve, database: Database
) -> None:
    other = await create_token(database, user="admin", name="another of the same user")
    limit = f"At most 3 {SUBSCRIPTIONS} may be open at a time {PLACES[scope]}. Close one or wait."
    async with serve(**{f"max_subscriptions{scope}": 3}) as server:
        for leaving in TRANSPORTS:
            async with AsyncExitStack() as stack:
                for transport in TRANSPORTS:
                    if transport != leaving:
                        await stack.enter_async_context(subscribed(transport, server, token=ADMIN_TOKEN))
                async with subscribed(leaving, server, token=ADMIN_TOKEN):
                    await until(lambda: is_open(server, subscriptions=3))
                    assert [await refusal(transport, server, other) for transport in TRANSPORTS] == [limit] * 3
                await until(lambda: is_open(server, subscriptions=2))
                async with subscribed(leaving, server, token=other):
                    await until(lambda: is_open(server, subscriptions=3))
            await until(lambda: is_open(server, subscriptions=0))


async def test_the_limit_of_a_user_is_no_limit_for_others(serve: Serve, database: Database) -> None:
    await add_user(database, "guest", [])
    guest = await create_token(database, user="guest", name="test")
    async with serve(max_subscriptions_per_user=1) as server, AsyncExitStack() as stack:
        for token in (ADMIN_TOKEN, guest, None, None):
            await stack.enter_async_context(subscribed("websocket", server, token=token))
        await until(lambda: is_open(server, subscriptions=4))
        assert "by your user" in await refusal("sse", server, guest)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_long_document_and_long_variables_count_for_several(transport: str, serve: Serve) -> None:
    async with serve(max_subscriptions_per_address=8) as server:
        for query, variables in (
            (f"{FOLLOW} # {'long ' * 1_300}", {}),
            (FOLLOW, {"where": {"text": "dam", "externalIds": [f"{'long' * 40} {number}" for number in range(40)]}}),
        ):
            async with subscribed(transport, server, query, **variables):
                await until(lambda: is_open(server, subscriptions=1))
                async with subscribed("websocket", server):
                    await until(lambda: is_open(server, subscriptions=2))
                    assert "for every started KiB" in await refusal(transport, server, None)
            await until(lambda: is_open(server, subscriptions=0))


async def test_what_was_completed_or_refused_on_an_open_socket_is_free_again(serve: Serve) -> None:
    async with serve(max_subscriptions=1) as server, following(server, START) as socket:
        for _ in range(3):
            await until(lambda: is_open(server, subscriptions=1))
            await socket.send({"type": "complete", "id": "1"})
            await until(lambda: is_open(server, subscriptions=0))
            for document in ("subscription { nonsense }", "subscription { damAdded { name } "):
                assert (await socket.ask(document, "wrong"))["type"] == "error"
            await socket.start(FOLLOW, "1", after=START)


async def say(server: Server, *pieces: bytes, hear: bool) -> None:
    """Over bare TCP, which ends by a reset; after each piece `hear` waits for an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(server.url).port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        if hear:
            async with asyncio.timeout(TIMEOUT_S):
                await reader.read(1000)
    writer.transport.abort()


HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def text(message: Any) -> bytes:
    return Frame(Opcode.TEXT, orjson.dumps(message)).serialize(mask=True)


INIT = text({"type": "connection_init"})
SUBSCRIBE = text({"type": "subscribe", "id": "1", "payload": {"query": FOLLOW, "variables": {"after": START}}})
BODY = orjson.dumps({"query": FOLLOW, "variables": {"after": START}})
STREAM = (
    b"POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
UNANSWERED = [[HANDSHAKE[:-2]], [STREAM[:-5]]]
RUDE = [
    *UNANSWERED,
    [HANDSHAKE],
    [HANDSHAKE, INIT],
    [
        HANDSHAKE,
        text({"type": "connection_init", "payload": {"Authorization": "Bearer of_nobody"}}),
    ],
    [HANDSHAKE.replace(b"graphql-transport-ws", b"graphql-ws")],
    [HANDSHAKE, text([])],
    [HANDSHAKE, INIT + SUBSCRIBE[:20]],
    [HANDSHAKE, INIT + SUBSCRIBE + b"\xff\xff\xff"],
    [HANDSHAKE, INIT + SUBSCRIBE],
    [HANDSHAKE + INIT + SUBSCRIBE],
    [STREAM],
    [STREAM + STREAM],
    [STREAM.replace(b"text/event-stream", ACCEPT["multipart"].encode())],
    [STREAM.replace(b"Host: x", b"Authorization: Bearer of_nobody")],
    [STREAM.replace(b"damAdded", b"nonsense")],
]


async def test_clients_of_every_rude_kind_are_counted_out_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("transport.event_stream.HEARTBEAT_S", 0.3)  # by which one is missed that sent too much
    async with serve(max_sockets=5, max_subscriptions=5) as server:
        await add_many(server, [f"Dam {number}" for number in range(10)])
        before = len(asyncio.all_tasks())
        for pieces in RUDE:
            for _ in range(3):
                await say(server, *pieces, hear=pieces not in UNANSWERED)
                await say(server, *pieces, hear=False)
        await until(lambda: nothing_is_left(server))
        await until(lambda: len(asyncio.all_tasks()) <= before)
        async with AsyncExitStack() as stack:
            for number in range(1, 6):
                await stack.enter_async_context(following(server, START))
                await until(partial(is_open, server, sockets=number, subscriptions=number))
            assert "in this server process" in await refusal("sse", server, None)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


CROWD = """
import asyncio, json, sys
from websockets.asyncio.client import connect

async def follow(url, message):
    socket = await connect(url, subprotocols=["graphql-transport-ws"], ping_interval=None, compression=None)
    await socket.send('{"type": "connection_init"}')
    await socket.send(message)
    for _ in range(3):
        await socket.recv()
    return socket

async def main():
    kept = await asyncio.gather(*(follow(sys.argv[1], sys.argv[2]) for _ in range(200)))
    print("in the middle of it", flush=True)
    while True:
        await asyncio.gather(*(socket.recv() for socket in kept))

asyncio.run(main())
"""


async def test_two_hundred_sockets_of_a_killed_process_leave_nothing_behind(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(asyncio.all_tasks())
    adding = asyncio.create_task(keep_adding(server))
    message = {"type": "subscribe", "id": "1", "payload": {"query": FOLLOW, "variables": {"after": START}}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CROWD, server.websocket_url, orjson.dumps(message), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), TIMEOUT_S) == b"in the middle of it\n"
    assert await is_open(server, sockets=200, subscriptions=200)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await until(lambda: nothing_is_left(server))
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def keep_adding(server: Server) -> None:
    while True:
        await add_many(server, [f"Dam {number}" for number in range(5)])


def padded(size: int) -> str:
    """A message of so many bytes."""
    head, tail = '{"type": "ping", "payload": {"a": "', '"}}'
    return head + "x" * (size - len(head) - len(tail)) + tail


def whole(message: str) -> str | list[str]:
    return message


def in_fragments(message: str) -> str | list[str]:
    return [message[start : start + 10_000] for start in range(0, len(message), 10_000)]


@pytest.mark.parametrize("shape", [whole, in_fragments])
async def test_a_message_too_big_closes_its_socket_and_no_other(
    shape: Callable[[str], str | list[str]], server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    max_bytes = Settings.model_fields["max_request_bytes"].default
    async with following(server, START) as other, following(server, START) as socket:
        await socket.connection.send(shape(padded(max_bytes)))
        assert await socket.receive() == {"type": "pong"}
        with contextlib.suppress(ConnectionClosed):  # in the middle of sending
            await socket.connection.send(shape(padded(max_bytes + 1)))
        assert (await socket.closed())[0] == 1009
        await until(lambda: is_open(server, sockets=1, subscriptions=1))
        await add_many(server, ["Deer Creek"])
        assert await other.names(1) == ["Deer Creek"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
