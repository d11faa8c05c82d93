"""Shared replays: what several subscriptions that are the same have missed is executed once.

After an import or a long restart thousands come back from nearly the same place at nearly the same time. A tape is one
execution that goes through the log for all of them, no further than the first of them reads, and holds its latest
results for those behind it. Who falls back further than it holds goes on with a tape of its own, and with whoever
fell back as far. Who comes to a place that another tape has passed goes on with that one.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Sequence
from operator import attrgetter

from auth.viewer import Viewer
from pubsub.hub import Hub, Place
from schema.context import Context, Stream
from transport.streams.batch import Batch, Result
from transport.streams.executor import Executor
from transport.streams.operations import Key, Operation
from transport.streams.subscriber import End, Subscriber

STRIDE = 32
"""Results that are made, and written, before it is seen who reads on: some 5 ms."""

STRIDE_BYTES = 16 * 1024
"""Of payloads: what is more waits for the next stride, but for one result."""

HELD_BYTES = 4 * 1024 * 1024
"""By the tapes of a process together; by each at least two strides."""

READERS_A_TURN = 32
"""Who write a stride before others have their turn: some 2 ms."""

RESULT_BYTES = 150
"""What a result takes besides its payload."""


class Replays:
    """Of one process."""

    def __init__(self, executor: Executor, hub: Hub) -> None:
        self._executor = executor
        self._hub = hub
        self._tapes: dict[Key, list[Tape]] = {}
        self._count = 0
        self._turn = asyncio.Semaphore(READERS_A_TURN)

    async def replay(
        self, subscriber: Subscriber, operation: Operation, key: Key, context: Context, everyone: Viewer
    ) -> End | None:
        """Up to the present end of the log, or to where it fell back too far; as fast as the client reads."""
        tapes = self._tapes.setdefault(key, [])
        serving = [each for each in tapes if each.serves(subscriber.received)]
        if serving:
            tape = max(serving, key=attrgetter("position"))
        else:
            stream = Stream(everyone, Place(subscriber.received, follow=False))
            results = self._executor.results(operation, context, stream)
            tape = Tape(results, stream.place, tapes, self._hub, self._turn, self._share)
            tapes.append(tape)
            self._count += 1
        tape.readers += 1
        try:
            return await tape.play(subscriber)
        finally:
            tape.readers -= 1
            if not tape.readers:
                self._count -= 1
                tapes.remove(tape)
                if not tapes:
                    del self._tapes[key]
                await tape.stop()

    def _share(self) -> int:
        """Bytes that a tape may hold."""
        return max(HELD_BYTES // self._count, 2 * STRIDE_BYTES)


class Tape:
    def __init__(
        self,
        results: AsyncGenerator[Result | End],
        place: Place,
        others: Sequence["Tape"],
        hub: Hub,
        turn: asyncio.Semaphore,
        share: Callable[[], int],
    ) -> None:
        self.readers = 0
        self._results = results
        self._place = place
        self._others = others
        self._hub = hub
        self._turn = turn
        self._share = share
        self._last_removal = hub.last_removal
        self._held: list[Result] = []
        self._held_bytes = 0
        self._floor = place.position
        """Who has had everything up to here can be served."""
        self._is_over = False
        self._end: End | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """Everything up to this number has been executed."""
        return self._place.position

    def serves(self, position: int) -> bool:
        """Whether who has had everything up to there can go on with it."""
        self._forget_removed()
        has_more = position < self.position or not self._is_over
        return self._floor <= position <= self.position and has_more

    async def play(self, subscriber: Subscriber) -> End | None:
        """Until its end, or until the subscriber has fallen back too far, or another tape is further on."""
        while subscriber.end is None:
            self._forget_removed()
            if subscriber.received < self._floor:
                return None
            if missed := self._after(subscriber.received):
                async with self._turn:
                    subscriber.deliver(Batch(missed))
                    await asyncio.sleep(0)
                await subscriber.drained()
            elif self._is_over:
                subscriber.received = max(subscriber.received, self.position)
                return self._end
            elif any(each.position > self.position and each.serves(subscriber.received) for each in self._others):
                return None
            else:
                await asyncio.shield(self._under_way())  # where this one leaves, others wait for it
        return subscriber.end

    async def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await self._results.aclose()

    def _after(self, position: int) -> Sequence[Result]:
        """Of what is held, the next stride."""
        first = bisect_right(self._held, position, key=attrgetter("sequence"))
        size, count = 0, 0
        for result in self._held[first : first + STRIDE]:
            if size > STRIDE_BYTES:
                break
            size, count = size + len(result.payload), count + 1
        return self._held[first : first + count]

    def _under_way(self) -> asyncio.Task[None]:
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._go_on())
        return self._work

    async def _go_on(self) -> None:
        """Another stride."""
        self._keep(self._share())
        size, count = 0, 0
        async for result in self._results:
            if isinstance(result, End):
                self._end = result
                break
            self._held.append(result)
            self._held_bytes += len(result.payload) + RESULT_BYTES
            size, count = size + len(result.payload), count + 1
            if count == STRIDE or size > STRIDE_BYTES or not self._place.more:
                return
        self._is_over = True

    def _keep(self, held_bytes: int) -> None:
        """Of the latest results so many bytes."""
        count = 0
        while self._held_bytes > held_bytes:
            self._floor = self._held[count].sequence
            self._held_bytes -= len(self._held[count].payload) + RESULT_BYTES
            count += 1
        del self._held[:count]

    def _forget_removed(self) -> None:
        """What is held may show dams that are gone by now."""
        if self._hub.last_removal != self._last_removal:
            self._last_removal = self._hub.last_removal
            self._keep(0)
