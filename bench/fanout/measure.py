"""One server, freshly started, with one number of subscribers."""

import time
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from operator import truediv
from statistics import median

from bench.fanout import events
from bench.fanout.servers import FanoutServer
from bench.fanout.subscribers import Delivery, MeasurementFailed, Subscribers, subscribed
from bench.process import cpu_ns, own_memory, settle, waited_ns

FIRST_SUBSCRIBERS = 10
"""They make the server load what it loads late, before its memory is looked at."""

WARM_UP_TRIES = 20
ALONE_EVENTS = 50
"""Without subscribers, for the cost of an event itself."""

PACED_MESSAGES = 50_000
FEWEST_PACED_EVENTS = 10
PROBED_EVENTS = 5
BURST_EVENTS = 200
MOST_BURST_MESSAGES = 200_000
"""More would take minutes with some peers, so bursts are measured with up to 1,000 subscribers."""

BURSTS = 5
LONG_BURST_NS = 1e9
"""Of CPU: one of them is enough."""


@dataclass(frozen=True)
class Measurement:
    """CPU is the server's, in microseconds."""

    cpu_per_message: float
    cpu_per_event_alone: float
    """Of an event that nobody listens to."""
    publish_ms: float
    """Until an event that nobody listens to is taken: for addDam its answer."""
    first_ms: list[float]
    """From before an event is published to its first delivery, of each event."""
    last_ms: list[float]
    """To its last delivery."""
    lag_ms: float | None
    """From the time of an event to its first send, as the server itself tells; ours does."""
    ping_ms: float
    """The longest that a ping waited for its pong while an event went out; the median of some events."""
    memory_per_subscriber: float
    """KB, before the first event."""
    burst_cpu_per_message: float | None
    burst_delivered: float | None
    """Share of the messages."""
    waited: float
    """Share of the time in which the server wanted its core and others had it."""


class Run:
    def __init__(self, server: FanoutServer) -> None:
        self._server = server
        self._dams = (events.dam(number) for number in count(1))

    def measure(self, subscriber_count: int) -> Measurement:
        """Raises MeasurementFailed."""
        pid = self._server.pid
        with subscribed(self._server.port, FIRST_SUBSCRIBERS) as subscribers:
            self._warm_up(subscribers)
        settle(pid)
        cpu_alone, publish_ms = self._alone()
        memory = own_memory(pid)
        with subscribed(self._server.port, subscriber_count) as subscribers:
            settle(pid)
            memory = own_memory(pid) - memory
            self._warm_up(subscribers)
            settle(pid)
            waited, cpu_before = waited_ns(pid), cpu_ns(pid)
            cpu_per_message, first_ms, last_ms = self._paced(subscribers)
            lag_ms = self._server.lag_ms()
            waited, cpu = waited_ns(pid) - waited, cpu_ns(pid) - cpu_before
            ping_ms = median(
                self._deliver(subscribers, probing=True).longest_ping_ns / 1e6 for _ in range(PROBED_EVENTS)
            )
            burst_cpu, burst_delivered = self._burst(subscribers)
        return Measurement(
            cpu_per_message,
            cpu_alone,
            publish_ms,
            first_ms,
            last_ms,
            lag_ms,
            ping_ms,
            memory / subscriber_count / 1024,
            burst_cpu,
            burst_delivered,
            waited / (waited + cpu),
        )

    def _warm_up(self, subscribers: Subscribers) -> None:
        """Until an event has come to each once: some servers subscribe a while after they took the message in."""
        for _ in range(WARM_UP_TRIES):
            dam = next(self._dams)
            delivery = subscribers.deliver(1, lambda dam=dam: self._server.publish([dam]))
            if delivery.complete == subscribers.count and not delivery.extra:
                got, expected = subscribers.sample()["payload"]["data"]["damAdded"], dam
                if {**got, "id": ""} != {**expected, "id": ""}:  # ids are the server's own
                    raise MeasurementFailed(f"it sent {got} and not {expected}")
                return
        raise MeasurementFailed(f"{delivery.complete} of {subscribers.count} subscribers got an event")

    def _alone(self) -> tuple[float, float]:
        """CPU of an event and the time to publish it."""
        before, times = cpu_ns(self._server.pid), []
        for dam in islice(self._dams, ALONE_EVENTS):
            start = time.monotonic()
            self._server.publish([dam])
            times.append(time.monotonic() - start)
        settle(self._server.pid)
        return (cpu_ns(self._server.pid) - before) / ALONE_EVENTS / 1e3, median(times) * 1e3

    def _paced(self, subscribers: Subscribers) -> tuple[float, list[float], list[float]]:
        """One event at a time, the next when all have it: CPU per message, times to the first and the last delivery."""
        number = max(FEWEST_PACED_EVENTS, PACED_MESSAGES // subscribers.count)
        before = cpu_ns(self._server.pid)
        deliveries = [self._deliver(subscribers) for _ in range(number)]
        settle(self._server.pid)
        cpu = cpu_ns(self._server.pid) - before
        first_ms = [(delivery.first_ns - delivery.published_ns) / 1e6 for delivery in deliveries]
        last_ms = [(delivery.last_ns - delivery.published_ns) / 1e6 for delivery in deliveries]
        return cpu / number / subscribers.count / 1e3, first_ms, last_ms

    def _deliver(self, subscribers: Subscribers, *, probing: bool = False) -> Delivery:
        dam = next(self._dams)
        delivery = subscribers.deliver(1, lambda: self._server.publish([dam]), probing=probing)
        if delivery.complete != subscribers.count or delivery.extra:
            raise MeasurementFailed(
                f"one event came to {delivery.complete} of {subscribers.count} subscribers, "
                f"{delivery.extra} came twice, {delivery.closed} were closed"
            )
        return delivery

    def _burst(self, subscribers: Subscribers) -> tuple[float | None, float | None]:
        """CPU per message that came, the median of some bursts, and the share that came."""
        expected = BURST_EVENTS * subscribers.count
        if expected > MOST_BURST_MESSAGES:
            return None, None
        cpu, messages = [], []
        while len(cpu) < BURSTS and max(cpu, default=0) < LONG_BURST_NS:
            dams = list(islice(self._dams, BURST_EVENTS))
            before = cpu_ns(self._server.pid)
            delivery = subscribers.deliver(BURST_EVENTS, partial(self._server.publish_at_once, dams))
            settle(self._server.pid)
            cpu.append(cpu_ns(self._server.pid) - before)
            messages.append(delivery.messages)
        return median(map(truediv, cpu, messages)) / 1e3, sum(messages) / len(messages) / expected
