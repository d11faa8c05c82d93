"""One subscription: how far it has come, and what waits until its client reads on.

A client that reads gets each result at once. For one that does not, results wait: what came in one piece when
nothing waited, and behind it at most `MAX_WAITING` of them and `MAX_WAITING_BYTES`. Then the subscription ends with
`SLOW_CONSUMER` and the cursor from which to resume. What comes live does not wait for it meanwhile.
"""

import asyncio
import json
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import InventoryError, SlowConsumer
from resolvers.cursors import event_cursor
from schema.errors import MASKED, masked_extensions
from transport.connections.websocket import Connection
from transport.streams.batch import Batch, Result
from transport.streams.turn import Line, Turn

logger = logging.getLogger(__name__)

MAX_WAITING = 256
MAX_WAITING_BYTES = 1024 * 1024
"""Of payloads, which the subscribers of a group share."""


@dataclass(frozen=True, slots=True)
class End:
    """Of a subscription, as its client is told."""

    reason: str
    """For the metrics: `completed`, `left`, or the code of the error in small letters."""
    errors: Sequence[Any] = ()
    """In their JSON form."""
    last: Mapping[str, Any] | None = None
    """A payload that belongs to no event: the source of the events failed."""

    @property
    def payload(self) -> Mapping[str, Any] | None:
        """As a last result tells it, where only that can."""
        return self.last or ({"errors": self.errors} if self.errors else None)


COMPLETED = End("completed")


def refusal(error: InventoryError) -> End:
    return End(error.code.lower(), [{"message": str(error), "extensions": error.extensions}])


def failure() -> End:
    """Of an exception that nobody expected: it is logged, and the client is told no more than the request id."""
    request_id = uuid.uuid4().hex
    logger.exception("unexpected error in a subscription, request %s", request_id)
    return End("internal_server_error", [{"message": MASKED, "extensions": masked_extensions(request_id)}])


Write = tuple[Callable[[bytes], None], bytes]
"""A connection's own write, and the frames for it."""


class Subscriber(ABC):
    def __init__(self, position: int) -> None:
        self.position = position
        """Number of the last event that was sent."""
        self.received = position
        """Number of the last event whose result is here."""
        self.end: End | None = None
        self.turn: Turn | None = None
        """While it is in one, that knows how far it has come."""
        self._waiting: list[Result] = []
        self._behind = self._behind_bytes = 0
        """Results that came while others were waiting."""
        self._stirred: asyncio.Future[None] | None = None

    async def begin(self, position: int) -> None:
        """Call before anything is delivered."""
        self.position = self.received = position

    @property
    def waiting(self) -> int:
        """Results that the client has not taken yet."""
        return len(self._waiting)

    def deliver(self, batch: Batch) -> None:
        deliver_to_all([self], batch)

    def prepare(self, batch: Batch) -> Write | None:
        """What is to be written now. None where that is nothing: the results came before, or have to wait."""
        if batch.last <= self.received or self.end is not None:
            return None
        write = None if self._waiting else self._write_of(batch)
        if write is None:
            self._hold(batch.after(self.received))
        else:
            self.position = batch.last
        self.received = batch.last
        return write

    def line(self) -> Line | None:
        """How it is written to from now on, until it steps out. None where each result needs a look at it."""
        return None

    def step_out(self) -> None:
        """Of its turn, where it is in one."""
        if self.turn is not None:
            self.turn.remove(self)

    def finish(self, end: End) -> None:
        """The first one counts. What waits is sent before."""
        self.step_out()
        self.end = self.end or end
        self._stir()

    async def ended(self) -> End:
        """Sends what waits, until the end."""
        await self.drained()
        while self.end is None:
            await self._stir_awaited()
            await self.drained()
        return self.end

    async def finished(self) -> None:
        """Returns at the end, and sends nothing."""
        while self.end is None:
            await self._stir_awaited()

    async def _stir_awaited(self) -> None:
        self._stirred = asyncio.get_running_loop().create_future()
        await self._stirred

    def _stir(self) -> None:
        if self._stirred is not None and not self._stirred.done():
            self._stirred.set_result(None)

    def _hold(self, results: Sequence[Result]) -> None:
        if self._waiting:
            self._behind += len(results)
            self._behind_bytes += sum(len(result.payload) for result in results)
        self._waiting += results
        if self._behind > MAX_WAITING or self._behind_bytes > MAX_WAITING_BYTES:
            self._take()
            self.finish(refusal(SlowConsumer(event_cursor(self.position))))
        self._stir()

    def _take(self) -> list[Result]:
        results, self._waiting = self._waiting, []
        self._behind = self._behind_bytes = 0
        return results

    @abstractmethod
    def _write_of(self, batch: Batch) -> Write | None:
        """None where the client has to read on first."""

    @abstractmethod
    async def drained(self) -> None:
        """Returns when nothing waits."""


class SocketSubscriber(Subscriber):
    """Writes frames to the connection itself, past the queues and checks that a message otherwise goes through."""

    def __init__(self, position: int, connection: Connection, operation_id: str) -> None:
        super().__init__(position)
        self._connection = connection
        self._operation_id = json.dumps(operation_id).encode()  # not orjson, whose bytes hold on to a buffer of 4 KB

    def _write_of(self, batch: Batch) -> Write | None:
        if not self._connection.writable.is_set():
            return None
        if batch.first <= self.received:
            batch = Batch(batch.after(self.received))
        return self._connection.write, batch.frames(self._operation_id)

    def line(self) -> Line | None:
        if self._waiting or self.end is not None or not self._connection.takes_more:
            return None
        self._connection.when_enough.add(self.step_out)
        return Line(self._connection.transport.write, self._operation_id)

    def step_out(self) -> None:
        self._connection.when_enough.discard(self.step_out)
        super().step_out()

    async def drained(self) -> None:
        while self._waiting:
            await self._connection.writable.wait()
            if results := self._take():
                batch = Batch(results)
                self._connection.write(batch.frames(self._operation_id))
                self.position = batch.last


class ResponseSubscriber(Subscriber):
    """Writes to an HTTP response, which takes the next results when it has sent the last ones."""

    def __init__(
        self,
        position: int,
        write_begun: Callable[[int], Awaitable[None]],
        write_results: Callable[[Sequence[Result]], Awaitable[None]],
    ) -> None:
        super().__init__(position)
        self._write_begun = write_begun
        self._write_results = write_results

    async def begin(self, position: int) -> None:
        await super().begin(position)
        await self._write_begun(position)

    def _write_of(self, batch: Batch) -> Write | None:
        return None

    async def drained(self) -> None:
        while self._waiting:
            results = self._take()
            self.position = results[-1].sequence
            await self._write_results(results)


def deliver_to_all(subscribers: Iterable[Subscriber], batch: Batch) -> None:
    """Returns at once, whatever the clients do.

    First all is prepared, then the sockets are written to one right after the other: a client that still reads what
    another of its sockets has got need not be woken, which costs the kernel about as much as the message.
    """
    writes = [prepared for each in subscribers if (prepared := each.prepare(batch))]
    for write, frames in writes:
        write(frames)
