"""damAdded over each transport, as a client reads it: what came, with the cursor from which to resume."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import httpx
import orjson
from httpx_sse import EventSource
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

CONNECT_TIMEOUT_S = 10
TIMEOUT = httpx.Timeout(CONNECT_TIMEOUT_S, read=30)
"""No server is silent for so long that lives."""

SMALL_BUFFER = (socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
"""The kernel would otherwise take megabytes for a client that is frozen, and none would ever be too slow."""


def http_client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    transport = httpx.AsyncHTTPTransport(limits=limits, socket_options=[SMALL_BUFFER])
    return httpx.AsyncClient(transport=transport, timeout=TIMEOUT)


class Subscription(NamedTuple):
    query: str
    where: dict[str, Any]

    def payload(self, after: str | None) -> dict[str, Any]:
        variables = {"after": after, "where": self.where or None}
        return {"query": self.query, "variables": {name: value for name, value in variables.items() if value}}


class Ended(Exception):
    """The stream, with the code of the reason; `cursor` is the place that the server names to go on from."""

    def __init__(self, reason: str, cursor: str | None = None) -> None:
        super().__init__(reason)
        self.cursor = cursor


def ended_with(errors: list[Any]) -> Ended:
    extensions = errors[0]["extensions"]
    return Ended(extensions["code"], extensions.get("cursor"))


Received = tuple[str, dict[str, Any] | None]
"""A cursor, and the dam that it is of; None where it is only a place."""

Follow = Callable[[httpx.AsyncClient, int, Subscription, str, str | None], AsyncGenerator[Received]]
"""With the port, the cursor to begin after, and the token. Raises Ended, and HTTPError where the connection fails."""


async def connected(port: int) -> socket.socket:
    """A buffer can be made small before the connection only. Raises OSError."""
    raw = socket.socket()
    raw.setsockopt(*SMALL_BUFFER)
    raw.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    except BaseException:
        raw.close()
        raise
    return raw


async def websocket(
    _: httpx.AsyncClient, port: int, subscription: Subscription, after: str, token: str | None
) -> AsyncGenerator[Received]:
    try:
        async with connect(
            f"ws://127.0.0.1:{port}/graphql",
            sock=await connected(port),
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=1,
        ) as connection:
            hello = {"Authorization": f"Bearer {token}"} if token else {}
            await connection.send(orjson.dumps({"type": "connection_init", "payload": hello}).decode())
            begin = {"type": "subscribe", "id": "1", "payload": subscription.payload(after)}
            async for text in connection:
                match orjson.loads(text):
                    case {"type": "connection_ack"}:
                        await connection.send(orjson.dumps(begin).decode())
                    case {"type": "next", "payload": payload}:
                        dam = dam_of(payload)
                        yield dam["cursor"], dam
                    case {"type": "error", "payload": errors}:
                        raise ended_with(errors)
                    case {"type": "complete"}:
                        return
                    case {"type": "ping"}:
                        await connection.send('{"type":"pong"}')
            raise Ended("1000")
    except ConnectionClosed as closed:
        raise Ended(str(closed.rcvd.code) if closed.rcvd else "cut") from closed
    except (WebSocketException, OSError) as error:
        raise Ended(f"network: {type(error).__name__}") from error


async def server_sent_events(
    http: httpx.AsyncClient, port: int, subscription: Subscription, after: str, token: str | None
) -> AsyncGenerator[Received]:
    headers = authorization(token) | {"accept": "text/event-stream", "last-event-id": after}
    url = f"http://127.0.0.1:{port}/graphql/stream"
    async with http.stream("POST", url, json=subscription.payload(None), headers=headers) as response:
        await require_ok(response)
        async with aclosing(EventSource(response).aiter_sse()) as events:
            async for event in events:
                if event.event == "complete":
                    return
                yield event.id, dam_of(event.json()) if event.event == "next" else None
        raise Ended("cut")


async def multipart(
    http: httpx.AsyncClient, port: int, subscription: Subscription, after: str, token: str | None
) -> AsyncGenerator[Received]:
    accept = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
    headers = authorization(token) | {"accept": accept}
    url, unread = f"http://127.0.0.1:{port}/graphql", b""
    async with http.stream("POST", url, json=subscription.payload(after), headers=headers) as response:
        await require_ok(response)
        async for chunk in response.aiter_raw():
            *parts, unread = (unread + chunk).split(b"\r\n--graphql")
            for part in parts:
                payload = orjson.loads(part.partition(b"\r\n\r\n")[2] or b"{}").get("payload")
                if payload is not None:
                    dam = dam_of(payload)
                    yield dam["cursor"], dam
        if not unread.startswith(b"--"):
            raise Ended("cut")


TRANSPORTS: dict[str, Follow] = {"websocket": websocket, "sse": server_sent_events, "multipart": multipart}


def authorization(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


async def require_ok(response: httpx.Response) -> None:
    """Raises Ended."""
    if response.status_code != 200:
        raise ended_with(orjson.loads(await response.aread())["errors"])


def dam_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Raises Ended where the payload is an end."""
    if "errors" in payload:
        raise ended_with(payload["errors"])
    dam: dict[str, Any] = payload["data"]["damAdded"]
    return dam
