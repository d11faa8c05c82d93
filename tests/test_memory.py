"""A subscription may run for months: events leave nothing behind."""

import gc
import tracemalloc

import pytest

from pubsub import hub as hub_module
from tests.in_memory import Station, settle, station, steps_until

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
