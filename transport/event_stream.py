"""Subscriptions as an HTTP response that goes on: server-sent events, and multipart.

Server-sent events, after https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections mode:
the request accepts `text/event-stream`, the answer is an event `next` for each result and `complete` at the end. Each
event has the cursor of its dam as its `id`; a client that comes again with it as `Last-Event-ID` (a browser's
EventSource does so by itself) resumes there, whatever `after` says. First comes the id of the place where the stream
begins, without an event, so that a client resumes also where it was cut off before its first event.

Multipart, after
https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol: each result is a part
`{"payload": ...}`, and `{}` is a sign of life.

Whatever fails once the stream has begun is told in a last result; a status could no longer say it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence

import orjson
from starlette.types import Receive, Scope, Send
from strawberry.http.streaming import SSETransport

from resolvers.cursors import event_cursor
from transport.connections import CONNECTION
from transport.connections.http import STALLED_S, HttpConnection
from transport.streams.batch import Result
from transport.streams.subscriber import End, ResponseSubscriber

HEARTBEAT_S = 15.0
"""Proxies cut what is silent for a minute."""


class Format(ABC):
    """How results become bytes."""

    headers: Mapping[str, str]
    opening: bytes
    """At once, so that no proxy waits for more."""
    heartbeat: bytes

    @abstractmethod
    def begun(self, position: int) -> bytes:
        """The stream begins after this event."""

    @abstractmethod
    def result(self, result: Result) -> bytes: ...

    @abstractmethod
    def end(self, last: bytes | None) -> bytes:
        """`last` is the JSON of a last result."""


class ServerSentEvents(Format):
    headers = SSETransport.headers
    opening = heartbeat = b":\r\n\r\n"

    def begun(self, position: int) -> bytes:
        return f"id: {event_cursor(position)}\r\n\r\n".encode()

    def result(self, result: Result) -> bytes:
        return f"id: {event_cursor(result.sequence)}\r\n".encode() + self._next(result.payload)

    def end(self, last: bytes | None) -> bytes:
        return (self._next(last) if last else b"") + b"event: complete\r\ndata:\r\n\r\n"

    def single(self, payload: bytes) -> bytes:
        """All of the answer to a query."""
        return self._next(payload) + self.end(None)

    def _next(self, payload: bytes) -> bytes:
        return b"event: next\r\ndata: " + payload + b"\r\n\r\n"  # JSON on one line


class Multipart(Format):
    headers: Mapping[str, str] = {
        "content-type": 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
        "cache-control": "no-cache, no-transform",
    }
    _head = b"\r\nContent-Type: application/json\r\n\r\n"
    _boundary = b"\r\n--graphql"
    heartbeat = _head + b"{}" + _boundary
    opening = _boundary + heartbeat

    def begun(self, position: int) -> bytes:
        return b""

    def result(self, result: Result) -> bytes:
        return self._part(result.payload)

    def end(self, last: bytes | None) -> bytes:
        return (self._part(last) if last else b"") + b"--\r\n"

    def _part(self, payload: bytes) -> bytes:
        return self._head + b'{"payload":' + payload + b"}" + self._boundary


FORMATS: Mapping[tuple[str, frozenset[str]], Format] = {
    ("text/event-stream", frozenset()): ServerSentEvents(),
    ("multipart/mixed", frozenset({"subscriptionspec=1.0"})): Multipart(),
}
"""By the media type and the parameters that the header Accept has to name."""


Follow = Callable[[ResponseSubscriber], Awaitable[End]]


class EventStream:
    """A response that goes on until its subscription ends, the client is gone or takes nothing any more."""

    def __init__(self, form: Format, position: int, follow: Follow) -> None:
        self._format = form
        self._position = position
        self._follow = follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: HttpConnection = scope["extensions"][CONNECTION]
        if connection.transport.is_closing():  # the client has gone while its token was looked up
            return

        async def write(body: bytes, more: bool = True) -> None:
            if more and connection.transport.is_closing():
                return  # asyncio would complain of each write until uvicorn hears of it
            async with asyncio.timeout(STALLED_S):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        headers = [(name.lower().encode(), value.encode()) for name, value in self._format.headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await write(self._format.opening)
            if (end := await self._run(receive, write)) is not None:
                last = orjson.dumps(end.payload) if end.payload else None
                await write(self._format.end(last), more=False)
        except TimeoutError:
            connection.transport.abort()
            await gone(receive)  # uvicorn would complain of an answer without an end

    async def _run(self, receive: Receive, write: Callable[[bytes], Awaitable[None]]) -> End | None:
        """None where the client is gone. Raises TimeoutError where it takes nothing any more."""

        async def write_begun(position: int) -> None:
            await write(self._format.begun(position))

        async def write_results(results: Sequence[Result]) -> None:
            await write(b"".join(map(self._format.result, results)))

        async def beat() -> None:
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await write(self._format.heartbeat)

        subscriber = ResponseSubscriber(self._position, write_begun, write_results)
        following = asyncio.ensure_future(self._follow(subscriber))
        tasks = [following, asyncio.create_task(beat()), asyncio.create_task(gone(receive))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {following}:
                task.result()
            return following.result() if following in done else None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def gone(receive: Receive) -> None:
    """Returns when the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass
