"""A WebSocket that is written to directly, and whose client is seen to read on, or not."""

from asyncio import BaseTransport, Transport
from collections.abc import Callable
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from transport import request_head
from transport.connections import CLOSE_S, CONNECTION, LOGGER, ON_DRAIN, ON_REFUSAL, drain_delay
from transport.connections.unread import UNREAD
from transport.refusal import REFUSED, Refusal

HIGH_WATER_BYTES = 64 * 1024
"""Unsent bytes of a socket from which on its client counts as not reading."""

FREE_BYTES = 2 * HIGH_WATER_BYTES
"""Unsent bytes that events make; only answers to queries are longer."""

MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5."""

PONGS = (b'{"type":"pong"}', b'{"type": "pong"}')
"""As clients in JavaScript and in Python answer our ping. That they were heard is all there is to it, so it goes no
further: thousands of idle sockets would otherwise keep the process busy."""


MAX_FRAGMENTS = 1_000
"""Frames of one message. Browsers send one; empty ones would count for nothing in the size of the message."""


class Handshake(ServerProtocol):
    """Refuses in JSON."""

    def __init__(self, on_refusal: Callable[[Refusal], None], **options: Any) -> None:
        super().__init__(**options)
        self._on_refusal = on_refusal

    def reject(self, status: Any, text: str) -> Response:
        response = super().reject(status, text)
        status = response.status_code if response.status_code in REFUSED else 400
        message = text.strip() or "There is no WebSocket at this path for pages of this origin."
        refusal = Refusal(status, message)
        self._on_refusal(refusal)
        headers, response.body = request_head.last_answer(refusal)
        response.headers = Headers({"date": response.headers["date"], **headers})
        return response


class Connection(WebSocketsSansIOProtocol):
    """A WebSocket. `writable` is set while its client reads on."""

    heard: float
    """When anything came from the client, by the loop's clock."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = LOGGER
        self.conn = Handshake(self.app_state[ON_REFUSAL], max_size=self.config.ws_max_size, logger=LOGGER)
        self.when_enough: set[Callable[[], None]] = set()
        """Called when no more is to be written for now, or for ever. Each takes itself out."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        cast(Transport, transport).set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            cast(dict[str, Any], self.scope["extensions"])[CONNECTION] = self

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.request.headers.clear()  # which their parser holds, 3 KB of no more use
            del self.request, self.response
        if not self.writable.is_set():  # of several that waited for it, each has written
            UNREAD.hold(self.transport, free=FREE_BYTES)

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        super().data_received(data)
        if self.transport.is_closing():  # after the client's close, or what is no frame
            self._let_go()

    def eof_received(self) -> None:
        """The transport closes itself as soon as all is sent, and says nothing of it before."""
        self._let_go()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._have_enough()

    def resume_writing(self) -> None:
        super().resume_writing()
        UNREAD.release(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        UNREAD.release(self.transport)
        self._have_enough()

    def _let_go(self) -> None:
        if self.close_timer is None:
            self._have_enough()
            self._cut_in_time()

    def _have_enough(self) -> None:
        for tell in list(self.when_enough):
            tell()

    def handle_text(self, event: Frame) -> None:
        if not (event.fin and event.data in PONGS):
            super().handle_text(event)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        else:
            self.end(1009, f"A message may come in {MAX_FRAGMENTS} frames")

    def handle_ping(self) -> None:
        """A pong for who reads on: RFC 6455, section 5.5.3 asks for no more, and others would pile up."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    @property
    def is_open(self) -> bool:
        return not (self.disconnected or self.close_sent or self.transport.is_closing())

    @property
    def takes_more(self) -> bool:
        return self.is_open and self.writable.is_set()

    def write(self, frames: bytes) -> None:
        """Whole frames, whatever `writable` says. Nothing where the connection is no longer open."""
        if self.is_open:
            self.transport.write(frames)

    def end(self, code: int, reason: str) -> None:
        """Nothing more is sent. A client that does not take what was, and the close, within `CLOSE_S` is cut off."""
        if not self.is_open:
            return
        self._have_enough()
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
