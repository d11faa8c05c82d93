"""A subscription may run for months: events leave nothing behind, nor does what comes beside operations."""

import gc
import tracemalloc
from contextlib import AsyncExitStack

import pytest

from pubsub import hub as hub_module
from tests.conftest import Serve
from tests.in_memory import Station, settle, station, steps_until
from tests.streaming import Socket, opened

DOCUMENT = """subscription ($after: String) {
  damAdded(after: $after) { damId name purposes location { latitude longitude } geometry } }"""

KEPT = 100
"""By the hub, so that its memory is soon full."""

WARM_UP = 2_000
EVENTS = 6_000
MAX_BYTES_AN_EVENT = 10
"""graphql-core 3.3.2 keeps some 2,000 where schema/execution.py does not prevent it."""


async def run(office: Station, count: int) -> None:
    """So many events through the subscription; the log and the client forget them."""
    listener = office.followed[0].listener
    for _ in range(count // KEPT):
        office.add(KEPT, name="Deer Creek")
        await steps_until(lambda: listener.received == office.log.last)
        listener.results.clear()
        office.log.prune(office.log.last)


async def test_events_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", KEPT)
    async with station(monkeypatch) as office:
        office.follow(DOCUMENT)
        await settle()
        tracemalloc.start()
        try:
            await run(office, WARM_UP)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            await run(office, EVENTS)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert office.executions == WARM_UP + EVENTS
        assert (after - before) / EVENTS < MAX_BYTES_AN_EVENT


SOCKETS = 10
MUCH = {"much": [[]] * 60_000}
MAX_BYTES_A_SOCKET = 500_000
"""Of the latest message the text, which the parser of frames and Strawberry hold; read, much takes four megabytes."""


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_socket_keeps_nothing_of_what_it_was_told_besides(serve: Serve) -> None:
    async with serve() as server, AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(opened(server.websocket_url)) for _ in range(SOCKETS + 1)]
        tracemalloc.start()
        try:
            await tell_much(sockets.pop())
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            for socket in sockets:
                await tell_much(socket)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (after - before) / SOCKETS < MAX_BYTES_A_SOCKET


async def tell_much(socket: Socket) -> None:
    await socket.init(MUCH)
    await socket.send({"type": "ping", "payload": MUCH})
    assert await socket.receive() == {"type": "pong"}
