"""Results of a subscription on their way to many sockets: each is serialised once, and only the id differs.

A frame is built here and not by the WebSocket library, because what differs between two subscribers is a few bytes
in the middle: https://www.rfc-editor.org/rfc/rfc6455#section-5.2, a text frame without mask, in one piece.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Result(NamedTuple):
    sequence: int
    """Of the event, by which a subscription resumes."""
    payload: bytes
    """JSON, as GraphQL answers: `data`, and `errors` where there are any."""


class Batch:
    """Results in sequence order, to be written at once."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = results
        self.first, self.last = results[0].sequence, results[-1].sequence
        self._pieces: dict[int, list[bytes]] = {}

    def after(self, sequence: int) -> Sequence[Result]:
        if sequence < self.first:
            return self.results
        return [result for result in self.results if result.sequence > sequence]

    def frames(self, operation_id: bytes) -> bytes:
        """A `next` message of graphql-transport-ws for each result. The id is JSON."""
        pieces = self._pieces.get(len(operation_id))
        if pieces is None:
            pieces = self._pieces[len(operation_id)] = frame_pieces(self.results, len(operation_id))
        return operation_id.join(pieces)


def frame_pieces(results: Sequence[Result], id_length: int) -> list[bytes]:
    """What stands between the ids: joined by an id of this length in bytes it is one frame for each result."""
    pieces, tail = [], b""
    for result in results:
        head, rest = b'{"id":', b',"type":"next","payload":' + result.payload + b"}"
        pieces.append(tail + frame_header(len(head) + id_length + len(rest)) + head)
        tail = rest
    return [*pieces, tail]


def frame(message: bytes) -> bytes:
    return frame_header(len(message)) + message


def frame_header(length: int) -> bytes:
    """Of a text frame from a server, with a payload of so many bytes."""
    if length < 126:
        return bytes((0x81, length))
    if length < 2**16:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")
