"""The client: client.c, which holds all subscribers, and the pipe to it."""

import json
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.fanout.events import SUBSCRIBE
from bench.fanout.places import CLIENT

LIVE_TIMEOUT_S = 300.0
DELIVERY_TIMEOUT_S = 600.0


class MeasurementFailed(Exception):
    """Says what the server or the client did, in one sentence."""


@dataclass(frozen=True)
class Delivery:
    """Times are in nanoseconds. See client.c for the words."""

    published_ns: int
    first_ns: int
    last_ns: int
    messages: int
    bytes: int
    complete: int
    extra: int
    closed: int
    longest_ping_ns: int


class Subscribers:
    def __init__(self, process: subprocess.Popen[str], count: int) -> None:
        self._process = process
        self._answers = selectors.DefaultSelector()
        self._answers.register(process.stdout, selectors.EVENT_READ)
        self.count = count

    def deliver(self, events: int, publish: Callable[[], None], *, probing: bool = False) -> Delivery:
        """Returns when each subscriber has the events, or nothing has come for 15 seconds."""
        self._ask("probe" if probing else "expect", str(events))
        self._answer(DELIVERY_TIMEOUT_S)
        published_ns = time.monotonic_ns()
        publish()
        return Delivery(published_ns, **json.loads(self._answer(DELIVERY_TIMEOUT_S)))

    def sample(self) -> Any:
        """The latest message of one of them."""
        self._ask("sample")
        return json.loads(self._answer(DELIVERY_TIMEOUT_S))

    def _ask(self, *words: str) -> None:
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()

    def _answer(self, timeout_s: float) -> str:
        if not self._answers.select(timeout_s):
            raise MeasurementFailed(f"the client got no further within {timeout_s:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise MeasurementFailed("the client gave up: " + " ".join(self._process.stderr.read().split()))
        return line


@contextmanager
def subscribed(port: int, count: int) -> Iterator[Subscribers]:
    """Raises MeasurementFailed where not all can subscribe."""
    command, pipe = [CLIENT, str(port), str(count), SUBSCRIBE], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    with process:  # closes its standard input, and so ends it
        subscribers = Subscribers(process, count)
        subscribers._answer(LIVE_TIMEOUT_S)
        yield subscribers
