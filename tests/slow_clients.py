"""Subscriptions over each transport whose clients read when they are told to and not before, and what /metrics says."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.conftest import Server
from tests.streaming import FOLLOW, TIMEOUT_S, Socket
from transport.connections.http import HttpConnection

SMALL_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
"""The kernel would otherwise take megabytes for a client that does not read."""

OPEN = ("dams_sockets_open", "dams_subscriptions_open", "dams_subscription_groups", "dams_results_waiting")
"""Metrics that are 0 when nobody is there."""


UNUSUAL = "subscription { ...Field } fragment Field on Subscription { damAdded { name } }"
"""Executed for each of its subscribers, even where they are alike."""


WIDE = {"max_aliases": 2_000, "max_tokens": 10_000}
"""Settings under which `wide` documents are allowed."""


def wide(count: int) -> str:
    """A subscription with results of some `count` times 20 bytes."""
    names = " ".join(f"name{number}: name" for number in range(count))
    return f"subscription ($after: String) {{ damAdded(after: $after) {{ name cursor {names} }} }}"


def hold_more(monkeypatch: pytest.MonkeyPatch, keep_alive_s: float = 5) -> None:
    """Over HTTP, the server never waits for a client to read on before it writes more."""
    begin = HttpConnection.connection_made

    def begun(connection: HttpConnection, transport: Any) -> None:
        begin(connection, transport)
        transport.set_write_buffer_limits(high=2**24)
        connection.timeout_keep_alive = keep_alive_s  # type: ignore[assignment]  # any number will do

    monkeypatch.setattr(HttpConnection, "connection_made", begun)


class Received(NamedTuple):
    """What came on a subscription."""

    names: list[str]
    cursor: str | None
    """Of the last dam."""
    errors: list[Any]
    """What it ended with."""


class Stream(ABC):
    """One subscription."""

    @abstractmethod
    async def payload(self) -> Any:
        """As GraphQL answers, `data` or `errors`; None where the subscription was completed."""

    async def receive(self, count: int) -> list[str]:
        """Names of the next dams."""
        return [(await self._next())["data"]["damAdded"]["name"] for _ in range(count)]

    async def receive_all(self) -> Received:
        """Until the end."""
        names: list[str] = []
        cursor = None
        while (payload := await self._next()) is not None:
            if "errors" in payload:
                return Received(names, cursor, payload["errors"])
            names.append(payload["data"]["damAdded"]["name"])
            cursor = payload["data"]["damAdded"]["cursor"]
        return Received(names, cursor, [])

    async def _next(self) -> Any:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.payload()


class SocketStream(Stream):
    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def payload(self) -> Any:
        message = await self.socket.receive()
        if message["type"] == "ping":
            return await self.payload()
        return {"next": message.get("payload"), "error": {"errors": message.get("payload")}, "complete": None}[
            message["type"]
        ]


class ResponseStream(Stream):
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._buffer = b""
        kind = response.headers["content-type"].partition(";")[0]
        self._separator = {"text/event-stream": b"\r\n\r\n", "multipart/mixed": b"\r\n--graphql"}[kind]

    async def payload(self) -> Any:
        while True:
            while self._separator not in self._buffer:
                self._buffer += await anext(self._chunks, self._separator)  # what comes last has none
            block, _, self._buffer = self._buffer.partition(self._separator)
            if block.startswith((b"event: complete", b"--")):
                return None
            _, found, data = block.partition(b"data: ")
            if found:
                return orjson.loads(data)
            _, found, part = block.partition(b"\r\n\r\n")
            if found and part != b"{}":
                return orjson.loads(part)["payload"]


@asynccontextmanager
async def slow_socket(server: Server) -> AsyncIterator[Socket]:
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port), TIMEOUT_S) as raw:
        raw.setsockopt(*SMALL_BUFFER)
        async with connect(
            server.websocket_url,
            sock=raw,
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            ping_interval=None,
            max_queue=1,
            close_timeout=1,
        ) as connection:
            yield Socket(connection)


ACCEPT = {"sse": "text/event-stream", "multipart": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"}
TRANSPORTS = ["websocket", *ACCEPT]


@asynccontextmanager
async def asked(server: Server, accept: str, body: Any, token: str | None = None) -> AsyncIterator[httpx.Response]:
    headers = {"accept": accept} | ({"authorization": f"Bearer {token}"} if token else {})
    transport = httpx.AsyncHTTPTransport(socket_options=[SMALL_BUFFER])
    async with (
        httpx.AsyncClient(base_url=server.url, transport=transport, timeout=TIMEOUT_S) as client,
        client.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        yield response


@asynccontextmanager
async def subscribed(
    transport: str, server: Server, query: str = FOLLOW, token: str | None = None, **variables: Any
) -> AsyncIterator[Stream]:
    """`transport` is one of TRANSPORTS. Over a socket the operation has the id `1`."""
    if transport == "websocket":
        async with slow_socket(server) as socket:
            await socket.init({"Authorization": f"Bearer {token}"} if token else None)
            await socket.start(query, **variables)
            yield SocketStream(socket)
    else:
        body = {"query": query, "variables": variables}
        async with asked(server, ACCEPT[transport], body, token) as response:
            assert response.status_code == 200, await response.aread()
            yield ResponseStream(response)


async def metrics(server: Server) -> dict[str, float]:
    """By name and labels."""
    lines = (await server.http.get("/metrics")).text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


async def is_open(server: Server, **counts: int) -> bool:
    """Whether so many `sockets` and `subscriptions` are open."""
    found = await metrics(server)
    return all(found[f"dams_{name}_open"] == count for name, count in counts.items())


async def nothing_is_left(server: Server) -> bool:
    found = await metrics(server)
    return not any(found[name] for name in OPEN)


async def has_executed(server: Server, count: int) -> bool:
    """At least so many events, for all groups and replays together."""
    return (await metrics(server))["dams_executions_total"] >= count
