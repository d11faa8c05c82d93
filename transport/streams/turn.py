"""Sockets that are written to in one turn of the loop, without a look at each.

Nearly all clients read on nearly always. To ask each of thousands of connections whether its client still does costs
several times what its message costs, because none of that is in the processor's cache. So it is the connection that
tells when it is no longer to be written to, and until then all there is of its subscriber is a line in a turn.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from transport.streams.batch import Batch

if TYPE_CHECKING:
    from transport.streams.subscriber import Subscriber

SOCKETS_A_TURN = 250
"""Writes before others have their turn: some 3 ms."""


class Line(NamedTuple):
    write: Callable[[bytes], None]
    """That of the transport itself."""
    operation_id: bytes


class Turn:
    """Subscribers that have had the same. `apart` takes those whose connection is no longer to be written to."""

    def __init__(self, received: int, apart: "set[Subscriber]") -> None:
        self.received = received
        """Number of the last event that was sent to all of them."""
        self._apart = apart
        self._lines: dict[Subscriber, Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def takes(self, subscriber: "Subscriber") -> bool:
        return self.received == subscriber.received and len(self._lines) < SOCKETS_A_TURN

    def add(self, subscriber: "Subscriber", line: Line) -> None:
        self._lines[subscriber] = line
        subscriber.turn = self

    def remove(self, subscriber: "Subscriber") -> None:
        del self._lines[subscriber]
        subscriber.turn = None
        subscriber.position = subscriber.received = self.received
        self._apart.add(subscriber)

    def send(self, batch: Batch) -> None:
        """A connection that has had enough may say so in the middle: what it is still sent, its transport keeps."""
        self.received = batch.last
        frames = batch.frames
        for write, operation_id in list(self._lines.values()):
            write(frames(operation_id))
