"""An HTTP connection: bounded in what is sent before a request is whole, and in how long its client may take."""

import socket
from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable
from typing import Any, ClassVar, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from transport import request_head
from transport.connections import CLOSE_S, CONNECTION, DRAIN_S, LOGGER, ON_DRAIN, ON_REFUSAL
from transport.connections.unread import UNREAD
from transport.refusal import Refusal

SEND_BUFFER_BYTES = 64 * 1024
"""That the kernel holds besides."""

STALLED_S = 40.0
"""A client that takes nothing for so long is asleep, frozen or gone."""

MAX_WAITING = 2_000
"""HTTP connections of a process that wait for their clients: for the whole of a request, or to read on. Browsers keep
six."""


def bound_send_buffer(transport: BaseTransport) -> None:
    """By default the kernel takes megabytes for a client that does not read, or reads so slowly that nothing seems to
    go on."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


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
    when_gone: Callable[[], None] | None = None
    """Called when the client will not hear the answer to the request that is being answered."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = LOGGER

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
        UNREAD.release(self.transport)
        if self._progress is not None:
            self._progress.cancel()

    def _see_progress(self, unsent_before: int | None) -> None:
        """Whoever takes nothing of an answer does not have it kept for ever, be it ever so slow otherwise."""
        unsent = UNREAD.hold(self.transport)
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
            if self.when_gone is not None:
                self.when_gone()

    def shutdown(self) -> None:
        self.app_state[ON_DRAIN]()
        super().shutdown()
        self.loop.call_later(DRAIN_S + CLOSE_S, self._cut_if_unread)

    def _cut_if_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
