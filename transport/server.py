"""uvicorn, made for many open streams: sockets that can be written to directly, and an end that is no cut.

Built where uvicorn lets itself be extended: the classes of its connections, WebSocket and HTTP. What is no request, or
the head of one that is too long or too slow, is answered here, as no application hears of it.
"""

import random
import socket
from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from typing import Any, ClassVar, cast

from uvicorn._types import ASGI3Application, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from transport import request_head
from transport.refusal import REFUSED, Refusal

CONNECTION = "dams.connection"
"""Key of the connection among the extensions of an ASGI scope."""

ON_DRAIN = "on_drain"
"""Key, in the state of the lifespan, of what is called when the process is told to end."""

ON_REFUSAL = "on_refusal"
"""Key, in the same state, of what is called with each refusal that no application hears of."""

HIGH_WATER_BYTES = 64 * 1024
"""Unsent bytes of a socket from which on its client counts as not reading."""

SEND_BUFFER_BYTES = 64 * 1024
"""That the kernel holds besides."""

MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5."""

CLOSE_S = 3.0
"""How long a client has to read on and to answer a close. uvicorn would wait for ever for one that does not read."""

STALLED_S = 40.0
"""A client that takes nothing for so long is asleep, frozen or gone."""

MAX_WAITING = 2_000
"""HTTP connections of a process that wait for their clients: for the whole of a request, or to read on. Browsers keep
six."""

DRAIN_S = 3.0
"""Over which many streams are ended, so that their clients do not come again all at once."""

PER_STREAM_S = 0.002
"""Fewer streams take less time."""


def drain_delay(streams: int) -> float:
    """Seconds, at random, that one of so many streams goes on when the process is told to end."""
    return random.uniform(0, min(DRAIN_S, streams * PER_STREAM_S))  # noqa: S311  # no secret


def bound_send_buffer(transport: BaseTransport) -> None:
    """By default the kernel takes megabytes for a client that does not read, or reads so slowly that nothing seems to
    go on."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


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
        self.conn = Handshake(self.app_state[ON_REFUSAL], max_size=self.config.ws_max_size, logger=self.logger)
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

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
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


class HttpConnection(HttpToolsProtocol):
    _waiting: ClassVar[dict["HttpConnection", None]] = {}
    """Those of the process that wait for their clients, the longest first."""
    _running: RequestResponseCycle | None = None
    _deadline: TimerHandle | None = None
    """Of a head."""
    _in_head = False
    _is_short = False
    """Whether a head that ends in the chunk that is being read has no long lines."""
    _refusal: Refusal | None = None
    """Why nothing more is read."""
    _progress: TimerHandle | None = None
    """Of a client that has not taken what was written."""
    _received = 0
    """Bytes since the current request began, its first chunk left out, which may hold the end of another one."""
    _body_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn has it
        bound_send_buffer(transport)
        self._wait()
        self._deadline = self.loop.call_later(request_head.HEAD_S, self._cut_slow_head)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._received += len(data)
        self._is_short = len(data) <= request_head.MAX_LINE_BYTES and not self._in_head
        super().data_received(data)
        if self._refusal is not None or self not in self.connections:  # which a WebSocket is no longer
            return
        refusal = request_head.refusal_of(self.url, self.headers) if self._in_head else None
        # What is neither body nor in the fields that are complete: half a field, or trailers. A byte in a chunk of its
        # own takes six.
        if refusal is None and self._received - 8 * self._body_bytes > request_head.MAX_HEAD_BYTES:
            refusal = request_head.TOO_LONG
        if refusal is not None:
            self._refuse(refusal)
        elif self._deadline is None and self.timeout_keep_alive_task is None and not self._is_answering:
            self._deadline = self.loop.call_later(request_head.HEAD_S, self._cut_slow_head)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {CONNECTION: self}
        self._in_head = True
        self._received = self._body_bytes = 0

    def on_headers_complete(self) -> None:
        if not self._is_short or len(self.headers) > request_head.MAX_FIELDS:
            self._refusal = request_head.refusal_of(self.url, self.headers)
        is_handshake = self.parser.should_upgrade() and self._should_upgrade()
        if is_handshake and (self.parser.get_method() != b"GET" or request_head.announces_body(self.headers)):
            self._refusal = request_head.NO_HANDSHAKE
        if self._refusal is not None:
            raise self._refusal  # so that the parser stops
        self._in_head = False
        self._forget_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._waiting.pop(self, None)

    def _wait(self) -> None:
        """Where too many wait, the one that waits longest is closed; its client opens another one when it asks."""
        self._waiting[self] = None
        if len(self._waiting) > MAX_WAITING:
            longest = next(iter(self._waiting))
            del self._waiting[longest]
            longest.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Called where the parser has stopped."""
        self._refuse(self._refusal or request_head.NO_HTTP)

    def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self.app_state[ON_REFUSAL](refusal)
        self._forget_deadline()
        if self._is_answering and not self._is_refusable:  # another answer would be taken for this one, or a part of it
            self.transport.close()
        else:
            self._tell_gone()
            self.transport.write(request_head.as_sent(refusal))
            self.transport.write_eof()
        # Cut at once with something unread, the kernel would take the answer back; never cut, some would not take it.
        self._deadline = self.loop.call_later(CLOSE_S, self.transport.abort)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_refusable(self) -> bool:
        """The request whose body is being read: nothing of an answer has been sent."""
        return self.cycle is self._running and self.cycle.more_body and not self.cycle.response_started

    def _cut_slow_head(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(request_head.TOO_SLOW)
        else:
            self._watch_rest()
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._see_progress(None)
        self._wait()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_progress()
        if self._is_answering:
            self._waiting.pop(self, None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_rest()
        elif not self._is_answering:
            self._wait()

    def timeout_keep_alive_handler(self) -> None:
        self._watch_rest()
        super().timeout_keep_alive_handler()

    def eof_received(self) -> None:
        self._watch_rest()

    def _watch_rest(self) -> None:
        """Of a connection that closes itself when all is sent: `pause_writing` is called, be it ever so little."""
        self.transport.set_write_buffer_limits(high=0)

    def handle_websocket_upgrade(self) -> None:
        self._forget_progress()
        self._waiting.pop(self, None)
        super().handle_websocket_upgrade()

    def _forget_progress(self) -> None:
        if self._progress is not None:
            self._progress.cancel()

    def _see_progress(self, unsent_before: int | None) -> None:
        """Whoever takes nothing of an answer does not have it kept for ever, be it ever so slow otherwise."""
        unsent = self.transport.get_write_buffer_size()
        if unsent_before is not None and unsent >= unsent_before:
            self.transport.abort()
        else:
            self._progress = self.loop.call_later(STALLED_S, self._see_progress, unsent)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._waiting.pop(self, None)
        self._unset_keepalive_if_required()  # which uvicorn does only where nobody was cut off
        self._forget_deadline()
        self._forget_progress()
        self._tell_gone()

    def _tell_gone(self) -> None:
        """To the application. uvicorn tells only the latest of pipelined requests, which may not have begun."""
        if self._running is not None and not self._running.response_complete:
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
    # A process that is being loaded does not answer yet. By default one that takes 5 seconds is killed, and the next.
    "timeout_worker_healthcheck": 30,
    # What is still there by then is cut.
    "timeout_graceful_shutdown": int(DRAIN_S) + 5,
}
"""How uvicorn is to be configured, besides the settings."""
