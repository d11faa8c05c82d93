"""Shared replays: what several subscriptions that are the same have missed is executed once.

After an import or a long restart thousands come back from nearly the same place at nearly the same time, and each
reads at a speed of its own. So the log is replayed span by span, and what has been made of the latest spans is kept
for those who come to them next. The spans of different subscribers end at the same numbers, wherever they begin.
"""

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from typing import NamedTuple
from weakref import WeakValueDictionary

from auth.viewer import Viewer
from pubsub.hub import Hub, Place
from pubsub.log import PAGE
from schema.context import Context, Stream
from transport.streams.batch import Batch, Result
from transport.streams.executor import Executor
from transport.streams.operations import Key, Operation
from transport.streams.subscriber import End, Subscriber

STEP = 50
"""Results that are written before it is seen whether the client still reads: some 15 KB."""

KEPT_BYTES = 8 * 1024 * 1024
"""Of results, in one process: some forty spans."""

RESULT_BYTES = 150
"""What a result takes besides its payload."""


class Span(NamedTuple):
    """Part of the log as one sort of subscription sees it."""

    key: Key
    after: int
    until: int
    """Number of its last event."""


class Replayed(NamedTuple):
    results: list[Result]
    end: End | None
    """Of each subscription that comes here."""

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(len(result.payload) + RESULT_BYTES for result in self.results)


class Replays:
    """Of one process."""

    def __init__(self, executor: Executor, hub: Hub) -> None:
        self._executor = executor
        self._hub = hub
        self._at_work: WeakValueDictionary[Span, asyncio.Lock] = WeakValueDictionary()
        self._kept: OrderedDict[Span, Replayed] = OrderedDict()
        self._kept_bytes = 0
        self._last_removal = hub.last_removal

    async def advance(
        self, subscriber: Subscriber, operation: Operation, key: Key, context: Context, everyone: Viewer
    ) -> End | None:
        """Brings a subscriber that is behind the hub to the end of the next span, as fast as its client reads."""
        after = subscriber.received
        span = Span(key, after, min((after // PAGE + 1) * PAGE, self._hub.position))
        # Whoever comes while another one executes the span waits, and is the next to try where that one is cancelled.
        lock = self._at_work.setdefault(span, asyncio.Lock())
        async with lock:
            replayed = self._recalled(span)
            if replayed is None:
                last_removal = self._hub.last_removal
                replayed = await self._execute(span, operation, context, everyone)
                if replayed.end is None and last_removal == self._hub.last_removal:
                    self._keep(span, replayed)
        for start in range(0, len(replayed.results), STEP):
            subscriber.deliver(Batch(replayed.results[start : start + STEP]))
            await subscriber.drained()
            if subscriber.end is not None:
                return subscriber.end
        subscriber.received = span.until
        await asyncio.sleep(0)  # others have their turn, also where all was kept and the client reads all
        return replayed.end

    async def _execute(self, span: Span, operation: Operation, context: Context, everyone: Viewer) -> Replayed:
        stream = Stream(everyone, Place(span.after, span.until))
        results: list[Result] = []
        async with aclosing(self._executor.results(operation, context, stream)) as executed:
            async for result in executed:
                if isinstance(result, End):
                    return Replayed(results, result)
                results.append(result)
        return Replayed(results, None)

    def _recalled(self, span: Span) -> Replayed | None:
        if self._hub.last_removal != self._last_removal:  # what is kept may show what is gone by now
            self._last_removal = self._hub.last_removal
            self._kept.clear()
            self._kept_bytes = 0
        replayed = self._kept.get(span)
        if replayed is not None:
            self._kept.move_to_end(span)
        return replayed

    def _keep(self, span: Span, replayed: Replayed) -> None:
        self._kept[span] = replayed
        self._kept_bytes += replayed.size
        while self._kept_bytes > KEPT_BYTES:
            _, forgotten = self._kept.popitem(last=False)
            self._kept_bytes -= forgotten.size
