"""What comes before any request is whole, and below the messages of a socket: bounded, and answered in JSON."""

import asyncio
import re
import socket
import struct
from typing import Any

import orjson
import pytest

from tests.conftest import Server, until
from tests.slow_clients import SMALL_BUFFER, hold_more
from tests.streaming import TIMEOUT_S, opened
from transport import request_head
from transport.connections import http
from transport.connections.http import HttpConnection
from transport.connections.websocket import HIGH_WATER_BYTES, MAX_FRAGMENTS, Connection

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

HOST = b" HTTP/1.1\r\nhost: dams\r\n"
GET = b"GET /livez" + HOST
CLOSE = b"connection: close\r\n\r\n"
UPGRADE = (
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n"
)
KEY = b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
HANDSHAKE = HOST + UPGRADE + KEY
CHUNKED = b"POST /graphql" + HOST + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n"
TOO_MUCH = 5_000_000

HEADS: dict[str, tuple[bytes, int, str | None]] = {
    "as long an address as there may be": (b"GET /livez?" + b"a" * 7_993 + HOST + CLOSE, 200, None),
    "an address too long": (b"GET /livez?" + b"a" * 7_994 + HOST + CLOSE, 414, "URI_TOO_LONG"),
    "an address of 5 MB": (b"GET /" + b"a" * TOO_MUCH + HOST + CLOSE, 414, "URI_TOO_LONG"),
    "an address without end": (b"GET /" + b"a" * 9_000, 414, "URI_TOO_LONG"),
    "as long a field as there may be": (GET + b"a: " + b"b" * 7_999 + b"\r\n" + CLOSE, 200, None),
    "a field too long": (GET + b"a: " + b"b" * 8_000 + b"\r\n" + CLOSE, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "a field of 5 MB": (GET + b"a: " + b"b" * TOO_MUCH, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "a name of 5 MB": (GET + b"a" * TOO_MUCH, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "as many fields as there may be": (GET + b"a: b\r\n" * 98 + CLOSE, 200, None),
    "too many fields": (GET + b"a: b\r\n" * 99 + CLOSE, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "fields without end": (GET + b"a: b\r\n" * 500_000, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "long fields": (GET + (b"a: " + b"b" * 7_000 + b"\r\n") * 5 + CLOSE, 431, "REQUEST_HEADERS_TOO_LARGE"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "BAD_REQUEST"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.9\r\n", 400, "BAD_REQUEST"),
    "two lengths": (CHUNKED + b"content-length: 3\r\n" + CLOSE, 400, "BAD_REQUEST"),
    "a length too great": (b"POST /graphql" + HOST + b"content-length: " + b"9" * 30 + b"\r\n\r\n", 400, "BAD_REQUEST"),
    "a tunnel": (b"CONNECT dams:1" + HOST + CLOSE, 400, "BAD_REQUEST"),
    "HTTP/2, which we do not speak": (GET + b"connection: upgrade, close\r\nupgrade: h2c\r\n\r\n", 200, None),
    "a socket by POST": (b"POST /graphql" + HANDSHAKE + b"\r\n", 400, "BAD_REQUEST"),
    "a socket with a body": (b"GET /graphql" + HANDSHAKE + b"content-length: 5\r\n\r\nhello", 400, "BAD_REQUEST"),
    "a socket with a body in chunks": (
        b"GET /graphql" + HANDSHAKE + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        400,
        "BAD_REQUEST",
    ),
    "a chunk of no size": (CHUNKED + b"\r\nx", 400, "BAD_REQUEST"),
    "a chunk of no size after others": (CHUNKED + b"\r\n1\r\n{\r\nx", 400, "BAD_REQUEST"),
    "fields after a body": (
        CHUNKED + b"\r\n1\r\n{\r\n0\r\n" + b"a: b\r\n" * 1_000_000,
        431,
        "REQUEST_HEADERS_TOO_LARGE",
    ),
    "a socket without its key": (b"GET /graphql" + HOST + UPGRADE + b"\r\n", 400, "BAD_REQUEST"),
    "a socket elsewhere": (b"GET /nowhere" + HANDSHAKE + b"\r\n", 403, "FORBIDDEN"),
    "a socket for another site": (b"GET /graphql" + HANDSHAKE + b"origin: https://x.example\r\n\r\n", 403, "FORBIDDEN"),
    "a socket at a long address": (b"GET /graphql?" + b"a" * 8_000 + HANDSHAKE + b"\r\n", 414, "URI_TOO_LONG"),
    "a socket with a long field": (
        b"GET /graphql" + HANDSHAKE + b"a: " + b"b" * 8_000 + b"\r\n\r\n",
        431,
        "REQUEST_HEADERS_TOO_LARGE",
    ),
    "half an address": (b"GET /grap", 408, "REQUEST_TIMEOUT"),
    "half a field": (GET + b"a", 408, "REQUEST_TIMEOUT"),
    "half a handshake": (b"GET /graphql" + HANDSHAKE, 408, "REQUEST_TIMEOUT"),
}
"""What is sent, the status of the last answer, and its code."""


async def answers_to(server: Server, sent: bytes) -> bytes:
    """All that comes until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http.base_url.port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), TIMEOUT_S)
    finally:
        writer.close()


async def test_heads_that_are_too_long_too_slow_or_none_have_their_exact_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(request_head, "HEAD_S", 0.2)
    for what, (sent, status, code) in HEADS.items():
        received = await answers_to(server, sent)
        head, _, body = received[received.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), (what, received)
        assert b"content-type: application/json" in head, (what, head)
        assert b"x-content-type-options: nosniff" in head, (what, head)
        errors = orjson.loads(body).get("errors", [])
        assert [error["extensions"]["code"] for error in errors] == ([code] if code else []), (what, body)
    assert caplog.records == []  # which strangers could fill


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_connection_on_which_no_request_comes_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(request_head, "HEAD_S", 0.2)
    assert await answers_to(server, sent) == b""


async def test_a_later_request_on_a_connection_is_not_waited_for_either(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_head, "HEAD_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http.base_url.port)
    writer.write(GET + b"\r\n")
    assert await asyncio.wait_for(reader.readuntil(b'{"status":"ok"}'), TIMEOUT_S)
    writer.write(GET)
    assert (await asyncio.wait_for(reader.read(), TIMEOUT_S)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_body_in_the_smallest_chunks_is_read(server: Server) -> None:
    body = b'{"query": "{ __typename }"}'.ljust(100_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    answer = await answers_to(server, CHUNKED + b"connection: close\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert b'{"__typename":"Query"}' in answer


async def test_requests_that_come_together_are_answered_one_after_the_other(server: Server) -> None:
    long_ones = [b"POST /graphql" + HOST + b"content-length: 60000\r\n\r\n" + b" " * 60_000] * 2
    received = await answers_to(server, b"".join([*long_ones, GET, b"\r\n", GET, CLOSE]))
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"415", b"415", b"200", b"200"]


SCHEMA_AGAIN_AND_AGAIN = (
    "{ " + " ".join(f"a{n}: __schema {{ types {{ name fields {{ name description }} }} }}" for n in range(19)) + " }"
)


@pytest.mark.parametrize("how", ["is waited for", "is written", "is the last one"])
async def test_an_answer_that_nobody_takes_is_not_kept(
    server: Server, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how != "is waited for":
        hold_more(monkeypatch, keep_alive_s=0.1)
    monkeypatch.setattr(http, "STALLED_S", 0.2)
    ended = asyncio.Event()
    lose = HttpConnection.connection_lost

    def noted(connection: HttpConnection, error: Exception | None) -> None:
        ended.set()
        lose(connection, error)

    monkeypatch.setattr(HttpConnection, "connection_lost", noted)
    body = orjson.dumps({"query": SCHEMA_AGAIN_AND_AGAIN})
    last = b"connection: close\r\n" if how == "is the last one" else b""
    head = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", server.http.base_url.port), TIMEOUT_S) as raw:
        raw.setsockopt(*SMALL_BUFFER)
        await asyncio.to_thread(raw.sendall, b"POST /graphql" + HOST + last + head + body)
        await asyncio.wait_for(ended.wait(), TIMEOUT_S)
        head, _, taken = (await asyncio.to_thread(read_all, raw)).partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        assert 0 < len(taken) < int(length[1])


async def test_nothing_comes_due_for_who_was_cut_off_between_two_requests(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: asyncio.Future[HttpConnection] = asyncio.get_running_loop().create_future()
    lose = HttpConnection.connection_lost

    def noted(connection: HttpConnection, error: Exception | None) -> None:
        lose(connection, error)
        if isinstance(error, ConnectionResetError):
            lost.set_result(connection)

    monkeypatch.setattr(HttpConnection, "connection_lost", noted)
    with socket.create_connection(("127.0.0.1", server.http.base_url.port), TIMEOUT_S) as raw:
        raw.sendall(GET + b"\r\n")
        assert (await asyncio.to_thread(raw.recv, 2**16)).startswith(b"HTTP/1.1 200")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset
    connection = await asyncio.wait_for(lost, TIMEOUT_S)
    assert connection.timeout_keep_alive_task is None


def read_all(raw: socket.socket) -> bytes:
    return b"".join(iter(lambda: raw.recv(2**16), b""))


def masked(first: int, payload: bytes) -> bytes:
    """A short frame as clients send them."""
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload


READ_BYTES = 256 * 1024
"""At a time, by uvloop; the pongs to these go out together."""

CONTINUATION, TEXT, PING, FINAL = 0x00, 0x01, 0x09, 0x80


async def test_a_message_has_not_any_number_of_frames(server: Server) -> None:
    async with opened(server.websocket_url) as client:
        await client.init()
        transport: Any = client.connection.transport
        transport.write(masked(TEXT, b"") + masked(CONTINUATION, b"") * (MAX_FRAGMENTS + 1))
        assert await client.closed() == (1009, f"A message may come in {MAX_FRAGMENTS} frames")


NO_FRAMES = {
    "no UTF-8": (masked(FINAL | TEXT, b"\xff"), 1007),
    "not masked": (bytes([FINAL | TEXT, 2]) + b"{}", 1002),
    "a continuation of nothing": (masked(FINAL | CONTINUATION, b"{}"), 1002),
    "a kind that there is not": (masked(FINAL | 0x07, b"{}"), 1002),
}
"""What is sent on a socket, and what it is closed with."""


async def test_what_is_no_message_of_rfc_6455_closes_its_socket_and_writes_no_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for what, (sent, code) in NO_FRAMES.items():
        async with opened(server.websocket_url) as client:
            await client.init()
            transport: Any = client.connection.transport
            transport.write(sent)
            assert (await client.closed())[0] == code, what
    assert caplog.records == []


async def test_pongs_do_not_pile_up_for_who_does_not_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    unsent: list[int] = []
    answer = Connection.handle_ping

    def noted(connection: Connection) -> None:
        answer(connection)
        unsent.append(connection.transport.get_write_buffer_size())

    monkeypatch.setattr(Connection, "handle_ping", noted)
    pings = 20_000
    with socket.create_connection(("127.0.0.1", server.http.base_url.port), TIMEOUT_S) as raw:
        raw.setsockopt(*SMALL_BUFFER)
        reader, writer = await asyncio.open_connection(sock=raw)
        writer.write(b"GET /graphql" + HANDSHAKE + b"\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.write(masked(FINAL | PING, b"a" * 125) * pings)
        await until(lambda: len(unsent) == pings)
        assert max(unsent) <= HIGH_WATER_BYTES + READ_BYTES
        writer.close()
