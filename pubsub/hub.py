"""One hub a process: it follows the log and hands each event on to local readers.

The hub reads the log whenever it is woken: by an add of this process, by the bus, or by the clock. It keeps the
latest events for all its readers together; a reader holds nothing but its place. One that is further behind than
the kept events reads the log itself. So there is no queue that could overflow and no moment of registration at
which an event could slip through: a reader asks for what comes after its place, and waits when nothing does.

Readers that wait say what they want. It is decided once for all that want the same, and nobody else is woken.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import attrgetter
from typing import Protocol

from models import EventKind
from models.background import background
from models.database import Database
from models.errors import CursorExpired, DatabaseUnavailable, OperationTimeout
from pubsub.bus import RedisBus
from pubsub.log import PAGE, LoggedEvent, last_sequence, read_log, require_in_log

logger = logging.getLogger(__name__)

KEPT_EVENTS = 2_000
"""Latest events in memory, about 1 KB each."""

POLL_S = 1.0
"""The longest that an event can wait for its wake-up, be Redis dead, frozen or cut off. One indexed read a process."""

EVENTS_A_TURN = 32
"""Events that a reader takes before others have their turn: some 10 ms where each is executed."""


READERS_A_TURN = 32
"""Readers that are woken before others have their turn: some 10 ms where each executes the event."""

REPLAYS_AT_A_TIME = 4
"""Reads of the log for readers that are far behind; the others wait, and the requests of others do not."""


class Wanted(Protocol, Hashable):
    """Whether a reader wants an event. Equal ones are asked once."""

    def __call__(self, event: LoggedEvent) -> bool: ...


@dataclass(slots=True)
class Place:
    """Where a reader stands in the log."""

    position: int
    """Everything up to this number was handed on, or was not wanted."""
    follow: bool = True
    """Whether to wait for more at the end of the log."""
    event: LoggedEvent | None = None
    """The last one handed on."""
    more: bool = False
    """Whether the next one is there already."""


Move = asyncio.Future[tuple[int, list[LoggedEvent]]]
"""What a waiting reader gets: the hub's position, and what it wants of the events up to there."""


class Hub:
    def __init__(self, database: Database, bus: RedisBus | None) -> None:
        self._database = database
        self._bus = bus
        self._kept: deque[LoggedEvent] = deque(maxlen=KEPT_EVENTS)
        self._position = 0
        self._announced = 0
        self._replays = asyncio.Semaphore(REPLAYS_AT_A_TIME)
        self._woken = asyncio.Event()
        self._to_announce = asyncio.Event()
        self._waiting: dict[Wanted, set[Move]] = {}
        self.last_removal = 0
        """Number of the last event seen that removed a dam; kept events no longer show such a dam."""

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
        self._position = await last_sequence(self._database.following)
        work = [self._follow()]
        if self._bus is not None:
            work += [self._listen(self._bus), self._announce(self._bus)]
        async with background(*work):
            yield self

    def announce(self, sequence: int) -> None:
        """Call after a commit. Returns at once: nobody who adds waits for Redis."""
        self._announced = max(self._announced, sequence)
        self._woken.set()
        self._to_announce.set()

    async def require(self, position: int) -> None:
        """Raises CursorAhead where the log has not come so far, CursorExpired where it does not reach so far back."""
        if position > self._position or self._kept_after(position) is None:
            await require_in_log(self._database, position)

    async def events(self, place: Place, wanted: Wanted) -> AsyncGenerator[LoggedEvent]:
        """Every wanted event after the place, once and in sequence order; it moves the place along.

        Raises CursorAhead and CursorExpired.
        """
        await self.require(place.position)
        while True:
            if place.position < self._position:
                events = self._kept_after(place.position)
                if events is None:
                    events = await self._log_after(place.position)
                if not events:  # the log was emptied by other means than ours
                    await require_in_log(self._database, place.position)
                position = events[-1].sequence if events else self._position
                events = [event for event in events if wanted(event)]
            elif place.follow:
                moved_to, events = await self._next(wanted)
                position = max(moved_to, place.position)
                events = [event for event in events if event.sequence > place.position]
            else:
                return
            for count, event in enumerate(events, 1):
                place.position, place.event, place.more = event.sequence, event, count < len(events)
                yield event
                if count % EVENTS_A_TURN == 0:
                    await asyncio.sleep(0)
            place.position = position
            # A generator that never suspends starves the loop when its reader is gone.
            await asyncio.sleep(0)

    async def _next(self, wanted: Wanted) -> tuple[int, list[LoggedEvent]]:
        """The wanted events of the next move that has any, and the position after it. Call at the hub's position."""
        move: Move = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(wanted, set())
        waiting.add(move)
        try:
            return await move
        finally:
            waiting.discard(move)
            if not waiting and self._waiting.get(wanted) is waiting:
                del self._waiting[wanted]

    async def _wake_readers(self, events: list[LoggedEvent]) -> None:
        """Some at a time: each does its work in the turn in which it is woken."""
        woken = 0
        for wanted, waiting in list(self._waiting.items()):
            if not (found := [event for event in events if wanted(event)]):
                continue
            if self._waiting.get(wanted) is waiting:
                del self._waiting[wanted]
            for move in list(waiting):
                if not move.done():
                    move.set_result((self._position, found))
                    woken += 1
                    if woken % READERS_A_TURN == 0:
                        await asyncio.sleep(0)

    def _kept_after(self, position: int) -> list[LoggedEvent] | None:
        """None where the kept events begin too late."""
        if position >= self._position:
            return []
        if not self._kept or self._kept[0].sequence > position + 1:
            return None
        first = bisect_right(self._kept, position, key=attrgetter("sequence"))
        return list(islice(self._kept, first, first + PAGE))

    async def _log_after(self, position: int) -> list[LoggedEvent]:
        """Waits while the database is away or too slow: a stream that has begun does not end for that."""
        while True:
            try:
                async with self._replays:
                    return await read_log(self._database, position)
            except (DatabaseUnavailable, OperationTimeout):
                await asyncio.sleep(POLL_S)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            self._woken.clear()
            try:
                try:
                    await self._catch_up()
                except CursorExpired:
                    await self._skip()
            except DatabaseUnavailable as error:
                logger.warning("cannot read the log, trying again: %r", error.__cause__)
            except Exception:
                logger.exception("cannot read the log, trying again")

    async def _catch_up(self) -> None:
        while events := await read_log(self._database.following, self._position):
            self._keep(events)
            self._position = events[-1].sequence
            await self._wake_readers(events)
            if len(events) < PAGE:
                return

    async def _skip(self) -> None:
        """The log was pruned past this hub while it could not read. Its readers ask the log, and hear so too."""
        position = await last_sequence(self._database.following)
        self._kept.clear()
        waiting, self._waiting = self._waiting, {}
        for move in chain.from_iterable(waiting.values()):
            if not move.done():
                move.set_result((self._position, []))
        self._position = self.last_removal = position  # nobody knows what was removed before it

    def _keep(self, events: list[LoggedEvent]) -> None:
        removed = {event.dam_id for event in events if event.kind is EventKind.DAM_REMOVED}
        if removed:  # the log no longer shows these dams either
            kept = (replace(event, dam=None) if event.dam_id in removed else event for event in self._kept)
            self._kept = deque(kept, self._kept.maxlen)
            self.last_removal = max(event.sequence for event in events if event.kind is EventKind.DAM_REMOVED)
        self._kept.extend(events)

    async def _listen(self, bus: RedisBus) -> None:
        async for sequence in bus.signals():
            if sequence is None or sequence > self._position:
                self._woken.set()

    async def _announce(self, bus: RedisBus) -> None:
        """Adds that come while a message is under way share the next one."""
        while True:
            await self._to_announce.wait()
            self._to_announce.clear()
            await bus.publish(self._announced)
