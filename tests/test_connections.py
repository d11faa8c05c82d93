"""Plain HTTP connections: however many are opened, only so many are kept of those that wait for their clients."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, TypeAlias

import orjson
import pytest

from tests.conftest import Server, until
from tests.slow_clients import SMALL_BUFFER, subscribed
from tests.streaming import TIMEOUT_S, add_many, opened
from tests.test_request_head import HANDSHAKE, SCHEMA_AGAIN_AND_AGAIN
from transport.connections import http, unread
from transport.connections.http import HttpConnection

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

Raw: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]

GET = b"GET /livez HTTP/1.1\r\nhost: dams\r\n\r\n"


def again(count: int) -> str:
    """A document whose answer has some 40 KB for each time."""
    schema = "__schema { types { name fields { name description type { name description } } } }"
    return "{ " + " ".join(f"a{number}: {schema}" for number in range(count)) + " }"


def posted(document: str) -> bytes:
    body = orjson.dumps({"query": document})
    head = b"POST /graphql HTTP/1.1\r\nhost: dams\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


UNREAD = "a request whose answer is not read"
WAITING = {
    "nothing": b"",
    "half an address": GET[:7],
    "half a head": GET[:-2],
    "half a body": b"POST /graphql HTTP/1.1\r\nhost: dams\r\ncontent-type: application/json\r\n"
    b"content-length: 100\r\n\r\n{",
    "one request": GET,
    UNREAD: posted(SCHEMA_AGAIN_AND_AGAIN),
}
"""What was sent on connections that wait for the rest, for another request, or to be read from."""
LONGER = posted(again(19))


@asynccontextmanager
async def connected(server: Server, sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection that waits."""
    before = len(HttpConnection._waiting)
    async with sending(server, sent) as (reader, _):
        if sent in (GET, WAITING[UNREAD]):
            await reader.readuntil(b"HTTP/1.1 200 ")
        await until(lambda: len(HttpConnection._waiting) == min(before + 1, http.MAX_WAITING))
        yield reader


@asynccontextmanager
async def sending(server: Server, sent: bytes) -> AsyncIterator[Raw]:
    raw = socket.create_connection(("127.0.0.1", server.http.base_url.port), TIMEOUT_S)
    raw.setsockopt(*SMALL_BUFFER)
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    writer.write(sent)
    yield reader, writer
    writer.close()


async def ended(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        with suppress(ConnectionResetError):
            await reader.read()


async def is_whole(reader: asyncio.StreamReader) -> bool:
    """Whether all of an answer comes."""
    async with asyncio.timeout(TIMEOUT_S):
        (length,) = re.findall(rb"content-length: (\d+)", await reader.readuntil(b"\r\n\r\n"))
        try:
            await reader.readexactly(int(length))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return False
        return True


async def test_who_has_waited_longest_gives_way_and_whoever_is_answered_does_not(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_WAITING", len(WAITING))
    async with opened(server.websocket_url) as client, subscribed("sse", server) as stream, AsyncExitStack() as stack:
        await client.init()
        waiting = [await stack.enter_async_context(connected(server, sent)) for sent in WAITING.values()]
        for reader in waiting:
            assert not reader.at_eof()
            await stack.enter_async_context(connected(server, GET))
            await ended(reader)
        assert (await client.ask("{ __typename }"))["type"] == "next"
        await add_many(server, ["Deer Creek"])
        assert await stream.receive(1) == ["Deer Creek"]
    await until(lambda: not HttpConnection._waiting)


async def test_of_what_is_unread_so_much_is_held_and_the_longest_answer_gives_way(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        short = [await stack.enter_async_context(connected(server, WAITING[UNREAD])) for _ in range(2)]
        monkeypatch.setattr(unread, "MAX_UNREAD_BYTES", unread.UNREAD.total + 2**16)
        for _ in range(3):
            reader, _ = await stack.enter_async_context(sending(server, LONGER))
            assert not await is_whole(reader)
        for reader in short:
            assert await is_whole(reader)
    await until(lambda: not unread.UNREAD.total)


def frame(message: Any) -> bytes:
    text = orjson.dumps(message).ljust(126)
    return b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text


async def ask(socket: Raw, document: str) -> None:
    """Without reading the answer."""
    reader, writer = socket
    await reader.readuntil(b"\r\n\r\n")
    writer.write(frame({"type": "connection_init"}))
    await reader.readuntil(b"connection_ack")
    writer.write(frame({"type": "subscribe", "id": "1", "payload": {"query": document}}))


async def test_answers_that_a_socket_does_not_read_count_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    handshake = b"GET /graphql" + HANDSHAKE + b"\r\n"
    async with sending(server, handshake) as modest, sending(server, handshake) as greedy:
        await ask(modest, again(14))
        await until(lambda: unread.UNREAD.total)
        monkeypatch.setattr(unread, "MAX_UNREAD_BYTES", unread.UNREAD.total + 2**16)
        await ask(greedy, again(19))
        async with asyncio.timeout(TIMEOUT_S):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await greedy[0].readexactly(2**22)
            assert await modest[0].readexactly(500_000)
    await until(lambda: not unread.UNREAD.total)
