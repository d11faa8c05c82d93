"""Shared execution: subscriptions that are the same get one execution for each event, and the same bytes.

A group is one subscription, executed by Strawberry as any other, on behalf of all its members. It begins where its
first member stands and then follows the log. It remembers its latest results, so those who come a little later, as
everybody does after a restart, are served from memory. Who stands further back first replays, up to now, and then
joins; the sequence numbers tell which results a member has had.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from typing import Any

from strawberry.schema import BaseSchema

from auth.viewer import Viewer
from pubsub.hub import Hub, Place
from schema.context import Context, Stream
from transport.streams.batch import Batch, Result
from transport.streams.executor import Executor
from transport.streams.metrics import Metrics
from transport.streams.operations import Key, Operation
from transport.streams.replays import Replays
from transport.streams.subscriber import COMPLETED, MAX_WAITING, End, Subscriber, deliver_to_all, failure
from transport.streams.turn import SOCKETS_A_TURN, Turn

REMEMBERED = 500
REMEMBERED_BYTES = 128 * 1024
"""Latest results of a group that are kept for those who join: after a restart, all of its members."""

RESULTS_A_WRITE = MAX_WAITING - 32
"""Results of a burst that go out together, in one system call for each socket. The rest may wait behind them."""

BYTES_A_WRITE = 128 * 1024
"""Of their payloads, from which on no more is added to them."""

BURST_PATIENCE_S = 1.0
"""How long a burst, such as an import, waits at each write for clients that are behind. What comes live never waits."""


class Groups:
    """Of one process, by what makes subscriptions the same."""

    def __init__(self, schema: BaseSchema, hub: Hub, metrics: Metrics) -> None:
        self._hub = hub
        self._metrics = metrics
        self._executor = Executor(schema, metrics)
        self._replays = Replays(self._executor, hub)
        self._groups: dict[Key, Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    async def follow(
        self, subscriber: Subscriber, operation: Operation, key: Key, context: Context, viewer: Viewer
    ) -> End:
        """Until the subscription ends, or is cancelled."""
        everyone = Viewer(None, None, viewer.permissions)
        while True:
            group = self._groups.get(key)
            if group is None and subscriber.received >= self._hub.position - REMEMBERED:
                group = self._begin(key, operation, context, everyone, subscriber.received)
            if group is not None and group.join(subscriber):
                break
            replaying = self._replays.replay(subscriber, operation, key, context, everyone)
            if end := await _until_finished(subscriber, replaying):
                return end
        try:
            return await subscriber.ended()
        finally:
            group.leave(subscriber)

    def _begin(self, key: Key, operation: Operation, context: Context, everyone: Viewer, position: int) -> "Group":
        stream = Stream(everyone, Place(min(position, self._hub.position)))

        def forget() -> None:
            if self._groups.get(key) is group:  # and not a successor, which has the key by now
                del self._groups[key]

        group = Group(
            self._executor.results(operation, context, stream), stream.place, self._hub, self._metrics, forget
        )
        self._groups[key] = group
        return group

    async def alone(
        self, subscriber: Subscriber, operation: Operation, context: Context, viewer: Viewer, *, placed: bool
    ) -> End:
        """Until the subscription ends, or is cancelled. Not `placed`: the operation may say where it begins."""
        stream = Stream(viewer, Place(subscriber.received), placed, subscriber.begin)
        return await _until_finished(subscriber, self._deliver(subscriber, operation, context, stream)) or COMPLETED

    async def _deliver(
        self, subscriber: Subscriber, operation: Operation, context: Context, stream: Stream
    ) -> End | None:
        """As fast as the client reads."""
        async with aclosing(self._executor.results(operation, context, stream)) as results:
            async for result in results:
                if isinstance(result, End):
                    return result
                subscriber.deliver(Batch([result]))
                await subscriber.drained()
                if subscriber.end is not None:
                    break
        return subscriber.end


async def _until_finished(subscriber: Subscriber, delivering: Coroutine[Any, Any, End | None]) -> End | None:
    """What it ends with, or what the subscriber is told meanwhile."""
    work = asyncio.create_task(delivering)
    finished = asyncio.create_task(subscriber.finished())
    try:
        await asyncio.wait((work, finished), return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else subscriber.end
    finally:
        work.cancel()
        finished.cancel()
        await asyncio.gather(work, finished, return_exceptions=True)


class Group:
    """One running subscription and all its members."""

    def __init__(
        self,
        results: AsyncGenerator[Result | End],
        place: Place,
        hub: Hub,
        metrics: Metrics,
        forget: Callable[[], None],
    ) -> None:
        self._place = place
        self._hub = hub
        self._metrics = metrics
        self._forget = forget
        self._members: set[Subscriber] = set()
        self._turns: list[Turn] = []
        self._apart: set[Subscriber] = set()
        """Members in no turn: over HTTP, behind, or further on than the others."""
        self._sent = place.position
        """Number of the last event that went out, or is about to."""
        self._remembered: list[Result] = []
        self._remembered_bytes = 0
        self._begun_at = hub.position
        """What was there before is replayed; the time until then is no lag."""
        self._floor = place.position
        """Who has had everything up to here can join."""
        self._task = asyncio.create_task(self._run(results))

    def join(self, subscriber: Subscriber) -> bool:
        """False where the subscriber stands too far back."""
        if self._hub.last_removal > self._floor:  # what is remembered from before may be gone by now
            self._floor = self._hub.last_removal
            kept = [result for result in self._remembered if result.sequence > self._floor]
            self._remembered, self._remembered_bytes = kept, sum(len(result.payload) for result in kept)
        if subscriber.received < self._floor:
            return False
        if missed := [result for result in self._remembered if result.sequence > subscriber.received]:
            subscriber.deliver(Batch(missed))
        self._members.add(subscriber)
        self._line_up(subscriber)
        return True

    def leave(self, subscriber: Subscriber) -> None:
        subscriber.step_out()
        self._apart.discard(subscriber)
        self._members.discard(subscriber)
        if not self._members:
            self._forget()
            self._task.cancel()

    async def _run(self, results: AsyncGenerator[Result | End]) -> None:
        end = COMPLETED
        try:
            async with aclosing(results):
                batch: list[Result] = []
                size = 0
                async for result in results:
                    if isinstance(result, End):
                        end = result
                        break
                    batch.append(result)
                    size += len(result.payload)
                    if not self._place.more or len(batch) >= RESULTS_A_WRITE or size >= BYTES_A_WRITE:
                        await self._send(batch)
                        batch, size = [], 0
                if batch:
                    await self._send(batch)
        except Exception:
            end = failure()
        finally:
            self._forget()
            for member in self._members:
                member.finish(end)

    def _line_up(self, subscriber: Subscriber) -> None:
        """In a turn where it has had what all have had and its client reads on, else apart."""
        line = subscriber.line() if subscriber.received == self._sent else None
        if line is None:
            self._apart.add(subscriber)
            return
        turn = next((turn for turn in self._turns if turn.takes(subscriber)), None)
        if turn is None:
            turn = Turn(subscriber.received, self._apart)
            self._turns.append(turn)
        turn.add(subscriber, line)
        self._apart.discard(subscriber)

    async def _send(self, results: list[Result]) -> None:
        batch = Batch(results)
        self._remember(results)
        self._sent = batch.last
        event = self._place.event
        for number, _ in enumerate(self._write(batch)):
            if number == 0 and event is not None and event.sequence > self._begun_at:
                self._metrics.sent_first(event.at)
            await asyncio.sleep(0)
        self._metrics.messages.inc(len(results) * len(self._members))
        if self._place.more:
            await self._wait_for_members()

    def _write(self, batch: Batch) -> Iterator[None]:
        """Yields where others are to have their turn."""
        self._turns = [turn for turn in self._turns if turn]
        for turn in list(self._turns):
            turn.send(batch)
            yield
        apart = list(self._apart)  # also who has stepped out of a turn meanwhile
        for start in range(0, len(apart), SOCKETS_A_TURN):
            # Those that have left meanwhile are passed over.
            some = [each for each in apart[start : start + SOCKETS_A_TURN] if each in self._apart]
            deliver_to_all(some, batch)
            for each in some:
                self._line_up(each)
            yield

    async def _wait_for_members(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BURST_PATIENCE_S
        while any(member.waiting for member in self._members) and loop.time() < deadline:  # noqa: ASYNC110  # not one event
            await asyncio.sleep(0.005)

    def _remember(self, results: list[Result]) -> None:
        self._remembered += results
        self._remembered_bytes += sum(len(result.payload) for result in results)
        surplus = 0
        while len(self._remembered) - surplus > REMEMBERED or self._remembered_bytes > REMEMBERED_BYTES:
            self._floor = self._remembered[surplus].sequence
            self._remembered_bytes -= len(self._remembered[surplus].payload)
            surplus += 1
        del self._remembered[:surplus]
