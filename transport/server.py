"""uvicorn, made for many open streams: sockets that can be written to directly, and an end that is no cut.

Built where uvicorn lets itself be extended: the classes of its connections, WebSocket and HTTP.
"""

import random
import socket
from asyncio import BaseTransport, Transport
from typing import Any, cast

from uvicorn._types import ASGI3Application, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

CONNECTION = "dams.connection"
"""Key of the connection among the extensions of an ASGI scope."""

ON_DRAIN = "on_drain"
"""Key, in the state of the lifespan, of what is called when the process is told to end."""

HIGH_WATER_BYTES = 64 * 1024
"""Unsent bytes of a socket from which on its client counts as not reading; the kernel holds as many again."""

MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5."""

CLOSE_S = 3.0
"""How long a client has to read on and to answer a close. uvicorn would wait for ever for one that does not read."""

DRAIN_S = 3.0
"""Over which many streams are ended, so that their clients do not come again all at once."""

PER_STREAM_S = 0.002
"""Fewer streams take less time."""


def drain_delay(streams: int) -> float:
    """Seconds, at random, that one of so many streams goes on when the process is told to end."""
    return random.uniform(0, min(DRAIN_S, streams * PER_STREAM_S))  # noqa: S311  # no secret


def bound_send_buffer(transport: BaseTransport) -> None:
    """By default the kernel takes megabytes for a client that does not read."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HIGH_WATER_BYTES)


PONGS = (b'{"type":"pong"}', b'{"type": "pong"}')
"""As clients in JavaScript and in Python answer our ping. That they were heard is all there is to it, so it goes no
further: thousands of idle sockets would otherwise keep the process busy."""


class Connection(WebSocketsSansIOProtocol):
    """A WebSocket. `writable` is set while its client reads on."""

    heard: float
    """When anything came from the client, by the loop's clock."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        cast(Transport, transport).set_write_buffer_limits(high=HIGH_WATER_BYTES)
        bound_send_buffer(transport)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast(dict[str, Any], self.scope["extensions"])[CONNECTION] = self

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            del self.request, self.response  # 3 KB of headers, of no more use

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        super().data_received(data)
        if self.transport.is_closing() and self.close_timer is None:  # after the client's close, or what is no frame
            self._cut_in_time()

    def handle_text(self, event: Frame) -> None:
        if not (event.fin and event.data in PONGS):
            super().handle_text(event)

    @property
    def is_open(self) -> bool:
        return not (self.disconnected or self.close_sent or self.transport.is_closing())

    def write(self, frames: bytes) -> None:
        """Whole frames, whatever `writable` says. Nothing where the connection is no longer open."""
        if self.is_open:
            self.transport.write(frames)

    def end(self, code: int, reason: str) -> None:
        """Nothing more is sent. A client that does not take what was, and the close, within `CLOSE_S` is cut off."""
        if not self.is_open:
            return
        reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._cut_in_time()

    def _cut_in_time(self) -> None:
        """What a client does not take would otherwise keep its connection for ever."""
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)

    def shutdown(self) -> None:
        """Called for every connection when the process is told to end."""
        self.app_state[ON_DRAIN]()
        if self.handshake_complete:
            self.loop.call_later(drain_delay(len(self.connections)), self.end, 1012, "The server restarts")
        else:
            super().shutdown()


class HttpConnection(HttpToolsProtocol):
    _running: RequestResponseCycle | None = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {CONNECTION: self}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running is not None and not self._running.response_complete:
            # uvicorn tells only the latest of pipelined requests, which may not have begun.
            self._running.disconnected = True
            self._running.message_event.set()

    def shutdown(self) -> None:
        self.app_state[ON_DRAIN]()
        super().shutdown()
        self.loop.call_later(DRAIN_S + CLOSE_S, self._cut_if_unread)

    def _cut_if_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": HttpConnection,
    "ws": Connection,
    # uvicorn's own ping closes a sleeping laptop with 1011, which graphql-ws never retries.
    "ws_ping_interval": None,
    # Deflate doubles the cost of a message and adds 37 KB a socket.
    "ws_per_message_deflate": False,
    "access_log": False,
    # What is still there by then is cut.
    "timeout_graceful_shutdown": int(DRAIN_S) + 5,
}
"""How uvicorn is to be configured, besides the settings."""
