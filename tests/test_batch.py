"""Frames: the WebSocket library of our clients reads them as what was meant."""

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from transport.streams.batch import Batch, Result, frame
from transport.streams.subscriber import SocketSubscriber


def messages(data: bytes) -> list[bytes]:
    """What a client takes from the wire: whole text messages, and nothing else."""
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(data)
    frames = client.events_received()
    assert client.parser_exc is None
    texts = [each for each in frames if isinstance(each, Frame) and each.opcode is Opcode.TEXT and each.fin]
    assert texts == frames
    return [bytes(each.data) for each in texts]


def result(sequence: int, size: int = 2) -> Result:
    """With a payload of so many bytes."""
    return Result(sequence, b'"' + b"x" * (size - 2) + b'"')


def next_message(operation_id: str, payload: bytes) -> dict[str, object]:
    return {"id": operation_id, "type": "next", "payload": orjson.loads(payload)}


@pytest.mark.parametrize("length", [1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000])
def test_a_message_of_any_length_is_one_frame(length: int) -> None:
    message = b"x" * length
    assert messages(frame(message)) == [message]


@pytest.mark.parametrize("length", [62, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000])
def test_a_result_of_any_length_is_one_frame(length: int) -> None:
    around = len(b'{"id":"1","type":"next","payload":}')
    data = Batch([result(1, length - around)]).frames(b'"1"')
    [message] = messages(data)
    assert len(message) == length
    assert orjson.loads(message)["id"] == "1"


IDS = ["1", "", 'a "quoted" one', "back\\slash", "Staudamm ü 水库 🏞", "\x00\n\u2028", "long" * 20_000]


@pytest.mark.parametrize("operation_id", IDS)
def test_an_id_comes_back_as_it_was_sent(operation_id: str) -> None:
    results = [result(1), result(2, 100), result(3, 70_000)]
    data = Batch(results).frames(orjson.dumps(operation_id))
    assert [orjson.loads(message) for message in messages(data)] == [
        next_message(operation_id, each.payload) for each in results
    ]


def test_ids_of_one_length_share_what_stands_between_them_and_others_do_not() -> None:
    batch = Batch([result(1), result(2)])
    for operation_id in ("1", "2", "10", "1", "ü", "10"):
        sent = [orjson.loads(message) for message in messages(batch.frames(orjson.dumps(operation_id)))]
        assert sent == [next_message(operation_id, each.payload) for each in batch.results]


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    ids=st.lists(st.text(), min_size=1, max_size=5), payloads=st.lists(json.map(orjson.dumps), min_size=1, max_size=40)
)
def test_any_results_for_any_ids_are_read_as_they_were_meant(ids: list[str], payloads: list[bytes]) -> None:
    batch = Batch([Result(sequence, payload) for sequence, payload in enumerate(payloads)])
    for operation_id in ids:
        sent = [orjson.loads(message) for message in messages(batch.frames(orjson.dumps(operation_id)))]
        assert sent == [next_message(operation_id, payload) for payload in payloads]


class Wire:
    """As much of a connection as a subscriber uses."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.sent = b""

    def write(self, frames: bytes) -> None:
        self.sent += frames

    def payloads(self) -> list[object]:
        sent, self.sent = self.sent, b""
        return [orjson.loads(message)["payload"] for message in messages(sent)]


async def test_a_socket_gets_what_it_has_not_had_now_or_when_it_is_read_on() -> None:
    wire: Any = Wire()
    subscriber = SocketSubscriber(4, wire, "1")
    results = [Result(sequence, str(sequence).encode()) for sequence in range(1, 10)]
    wire.writable.set()
    subscriber.deliver(Batch(results[:4]))
    assert wire.payloads() == []
    subscriber.deliver(Batch(results[2:6]))
    assert wire.payloads() == [5, 6]
    wire.writable.clear()
    subscriber.deliver(Batch(results[4:7]))
    subscriber.deliver(Batch(results[7:]))
    assert wire.payloads() == []
    assert (subscriber.position, subscriber.received, subscriber.waiting) == (6, 9, 3)
    wire.writable.set()
    await subscriber.drained()
    assert wire.payloads() == [7, 8, 9]
    assert (subscriber.position, subscriber.waiting) == (9, 0)


def test_a_batch_gives_what_comes_after_a_number() -> None:
    batch = Batch([result(sequence) for sequence in (3, 5, 9)])
    assert batch.last == 9
    given_after = {after: [each.sequence for each in batch.after(after)] for after in (0, 2, 3, 4, 8, 9, 10)}
    assert given_after == {0: [3, 5, 9], 2: [3, 5, 9], 3: [5, 9], 4: [5, 9], 8: [9], 9: [], 10: []}
