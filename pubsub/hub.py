"""One hub a process: it follows the log and hands each event on to local readers.

The hub reads the log whenever it is woken: by an add of this process, by the bus, or by the clock. It keeps the
latest events for all its readers together; a reader holds nothing but its place. One that is further behind than
the kept events reads the log itself. So there is no queue that could overflow and no moment of registration at
which an event could slip through: a reader asks for what comes after its place, and waits when nothing does.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice
from operator import attrgetter

from models import EventKind
from models.database import Database
from models.errors import CursorAhead, DatabaseUnavailable
from pubsub.bus import RedisBus
from pubsub.log import PAGE, LoggedEvent, last_sequence, read_log

logger = logging.getLogger(__name__)

KEPT_EVENTS = 2_000
"""Latest events in memory, about 1 KB each."""

POLL_S = 1.0
"""The longest that an event can wait for its wake-up, be Redis dead, frozen or cut off. One indexed read a process."""


class Hub:
    def __init__(self, database: Database, bus: RedisBus | None) -> None:
        self._database = database
        self._bus = bus
        self._kept: deque[LoggedEvent] = deque(maxlen=KEPT_EVENTS)
        self._position = 0
        self._announced = 0
        self._woken = asyncio.Event()
        self._to_announce = asyncio.Event()
        self._moved = asyncio.Event()

    @property
    def position(self) -> int:
        """Sequence number of the last event seen."""
        return self._position

    @property
    def has_bus(self) -> bool:
        return self._bus is not None

    @property
    def bus_connected(self) -> bool:
        """False while processes can only poll for each other's events."""
        return self._bus is None or bool(self._bus.connected)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Hub"]:
        """Follows the log from its present end on."""
        self._position = await last_sequence(self._database)
        tasks = [asyncio.create_task(self._follow())]
        if self._bus is not None:
            tasks += [asyncio.create_task(self._listen(self._bus)), asyncio.create_task(self._announce(self._bus))]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def announce(self, sequence: int) -> None:
        """Call after a commit. Returns at once: nobody who adds waits for Redis."""
        self._announced = max(self._announced, sequence)
        self._woken.set()
        self._to_announce.set()

    async def events(self, after: int | None = None) -> AsyncGenerator[LoggedEvent]:
        """Every event later than `after` (default: from now on), once and in sequence order, for ever.

        Raises CursorAhead where the log has not come so far.
        """
        position = self._position if after is None else after
        if position > self._position and position > await last_sequence(self._database):
            raise CursorAhead("This cursor is later than the last change of this inventory. Read it anew.")
        while True:
            moved = self._moved
            events = self._kept_after(position)
            if events is None:
                events = await self._log_after(position)
            for event in events:
                position = event.sequence
                yield event
                # A generator that never suspends starves the loop when its reader is gone.
                await asyncio.sleep(0)
            if not events:
                await moved.wait()

    def _kept_after(self, position: int) -> list[LoggedEvent] | None:
        """None where the kept events begin too late, or the reader is ahead of the hub by a read of its own."""
        if position >= self._position:
            return []
        if not self._kept or self._kept[0].sequence > position + 1:
            return None
        first = bisect_right(self._kept, position, key=attrgetter("sequence"))
        return list(islice(self._kept, first, first + PAGE))

    async def _log_after(self, position: int) -> list[LoggedEvent]:
        """Waits while the database is away: a stream that has begun does not end for that."""
        while True:
            try:
                return await read_log(self._database, position)
            except DatabaseUnavailable:
                await asyncio.sleep(POLL_S)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._catch_up()
            except DatabaseUnavailable as error:
                logger.warning("cannot read the log, trying again: %r", error.__cause__)
            except Exception:
                logger.exception("cannot read the log, trying again")

    async def _catch_up(self) -> None:
        while events := await read_log(self._database, self._position):
            self._keep(events)
            self._position = events[-1].sequence
            self._moved.set()
            self._moved = asyncio.Event()
            if len(events) < PAGE:
                return

    def _keep(self, events: list[LoggedEvent]) -> None:
        removed = {event.dam_id for event in events if event.kind is EventKind.DAM_REMOVED}
        if removed:  # the log no longer shows these dams either
            kept = (replace(event, dam=None) if event.dam_id in removed else event for event in self._kept)
            self._kept = deque(kept, self._kept.maxlen)
        self._kept.extend(events)

    async def _listen(self, bus: RedisBus) -> None:
        async for _ in bus.signals():
            self._woken.set()

    async def _announce(self, bus: RedisBus) -> None:
        """Adds that come while a message is under way share the next one."""
        while True:
            await self._to_announce.wait()
            self._to_announce.clear()
            await bus.publish(self._announced)
