"""Delivery over a log that is a list, and subscribers that write down what they get.

For tests of what happens between subscriptions: no database, no socket, no clock, so that everything happens in the
same order each time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Row

from auth.viewer import Viewer
from gateway import limits_of
from models import EventKind
from models.errors import CursorAhead, CursorExpired
from models.identity import Permission
from pubsub import hub as hub_module
from pubsub.buckets import Buckets
from pubsub.hub import Hub
from pubsub.log import EXPIRED, PAGE, LoggedEvent
from resolvers.cursors import event_cursor
from resolvers.rate_limits import RateLimits
from schema import schema
from schema.context import Context
from settings import Settings
from tests.conftest import until
from tests.shared import dam_values
from transport.streams.batch import Batch, Result
from transport.streams.delivery import Delivery
from transport.streams.operations import Operation, subscription_of
from transport.streams.subscriber import End, Subscriber, Write

IDS = "subscription ($after: String) { damAdded(after: $after) { damId } }"
ANYBODY = Viewer(None, None, frozenset({Permission.VIEW_DAMS}))


class Columns:
    """As much of a row as a stream reads."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Log:
    """In place of the database: the same promises as pubsub.log gives."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.removed: dict[int, int] = {}
        """By dam, the number of the event that removed it."""
        self.oldest = 1
        self.last = 0

    def add(self, **values: Any) -> int:
        """The number of the event, which is the id of the dam."""
        dam: Any = Columns(**dam_values(id=self.last + 1, **values))
        return self._log(EventKind.DAM_ADDED, self.last + 1, dam)

    def remove(self, dam_id: int) -> int:
        self.removed[dam_id] = self._log(EventKind.DAM_REMOVED, dam_id, None)
        return self.last

    def _log(self, kind: EventKind, dam_id: int, dam: Row[Any] | None) -> int:
        self.last += 1
        self.events.append(LoggedEvent(self.last, kind, dam_id, datetime.now(UTC), dam))
        return self.last

    def prune(self, oldest: int) -> None:
        del self.events[: oldest - self.oldest]
        self.oldest = oldest

    async def read(self, after: int) -> list[LoggedEvent]:
        page = [self._as_now(event) for event in self.events[max(0, after + 1 - self.oldest) :][:PAGE]]
        await asyncio.sleep(0)
        if page and page[0].sequence > after + 1:
            raise CursorExpired(EXPIRED)
        return page

    def _as_now(self, event: LoggedEvent) -> LoggedEvent:
        gone = event.dam_id in self.removed
        return LoggedEvent(event.sequence, event.kind, event.dam_id, event.at, None) if gone else event

    @property
    def following(self) -> "Log":
        return self

    async def require(self, after: int) -> None:
        last, oldest = self.last, self.oldest
        await asyncio.sleep(0)
        if after > last:
            raise CursorAhead("This cursor is later than the last change of this inventory. Read it anew.")
        if after + 1 < oldest:
            raise CursorExpired(EXPIRED)

    async def position(self) -> int:
        return self.last


class Listener(Subscriber):
    """Writes down what it gets while it `reads`."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.results: list[Result] = []
        self.writes = 0
        self.reads = asyncio.Event()
        self.reads.set()

    @property
    def sequences(self) -> list[int]:
        return [result.sequence for result in self.results]

    @property
    def payloads(self) -> list[Any]:
        return [orjson.loads(result.payload) for result in self.results]

    def _write(self, results: Sequence[Result]) -> None:
        self.results += results
        self.writes += 1

    def _write_of(self, batch: Batch) -> Write | None:
        results = batch.after(self.received)
        return (lambda _: self._write(results), b"") if self.reads.is_set() else None

    async def drained(self) -> None:
        while self._waiting:
            await self.reads.wait()
            if results := self._take():
                self._write(results)
                self.position = results[-1].sequence


class Following:
    """A subscription under way."""

    def __init__(self, listener: Listener, task: asyncio.Task[End]) -> None:
        self.listener = listener
        self.task = task

    async def end(self) -> End:
        async with asyncio.timeout(30):
            return await self.task

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def context(database: Any, hub: Hub, health: Any, **more: Any) -> Context:
    """Of a socket on which anybody may read."""
    return Context(
        database=database,
        hub=hub,
        public_read=True,
        max_page_size=100,
        authorization=None,
        request_id="0" * 32,
        health=health,
        address="",
        is_one_request=False,
        rate_limits=RateLimits(Buckets(), per_address=0, per_user=0, per_token=0),
        provider=None,
        session_life=timedelta(hours=1),
        limits=limits_of(Settings()),
        **more,
    )


class Station:
    """One process without its network."""

    def __init__(self, log: Log, hub: Hub) -> None:
        self.log = log
        self.hub = hub
        nobody: Any = None
        self.delivery = Delivery(schema, nobody, hub, public_read=True, max_sockets={}, max_subscriptions={})
        self.context = context(nobody, hub, self.delivery.health)
        self.followed: list[Following] = []

    def follow(
        self,
        query: str = IDS,
        viewer: Viewer = ANYBODY,
        name: str | None = None,
        listener: Any = None,
        **variables: Any,
    ) -> Following:
        """As a client that subscribes now. A number as `after` is that of the event."""
        if isinstance(after := variables.get("after"), int):
            variables["after"] = event_cursor(after)
        subscription = subscription_of(query, name)
        assert subscription is not None
        listener = listener or Listener(self.hub.position)
        operation = Operation(query, variables, name)
        work = self.delivery.follow(listener, operation, subscription, self.context, viewer)
        self.followed.append(Following(listener, asyncio.create_task(work)))
        return self.followed[-1]

    def add(self, count: int = 1, **values: Any) -> None:
        """The hub hears of them together."""
        for _ in range(count):
            self.log.add(**values)
        self.hub.announce(self.log.last)

    async def seen(self) -> None:
        """Returns when the hub has come to the end of the log and all tasks that wait for it have run."""
        await until(lambda: self.hub.position == self.log.last)
        await settle()

    async def delivered(self, following: Following) -> None:
        """Returns when the last dam of the log is there."""
        await until(lambda: following.listener.sequences[-1:] == [self.log.last])

    @property
    def executions(self) -> int:
        return int(self.delivery.metrics.executions._value.get())


async def settle() -> None:
    """Lets every task run until it waits for something that does not come by itself."""
    for _ in range(300):
        await asyncio.sleep(0)


async def steps_until(condition: Callable[[], object]) -> None:
    """As exact as can be: it looks at every step of the loop."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("It never happened.")


@asynccontextmanager
async def station(patch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    patch.setattr(hub_module, "read_log", Log.read)
    patch.setattr(hub_module, "require_in_log", Log.require)
    patch.setattr(hub_module, "last_sequence", Log.position)
    log: Any = Log()
    async with Hub(log, None).running() as hub:
        station = Station(log, hub)
        try:
            yield station
        finally:
            for following in station.followed:
                await following.leave()
