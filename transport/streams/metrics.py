"""What delivery does, counted for Prometheus. docs/metrics.md tells each."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, of no use to anybody

LAG_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

LATEST = 100
"""Events of which the front end is told the lag."""


class Metrics:
    """Of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.executions = self._counter("dams_executions", "Events executed, once for each group or replay.")
        self.messages = self._counter("dams_messages", "Results handed to live subscriptions.")
        self.ended = self._counter("dams_subscriptions_ended", "Subscriptions ended, by reason.", "reason")
        self.errors = self._counter("dams_errors", "Errors told to clients, by code.", "code")
        self.lag = Histogram(
            "dams_delivery_lag_seconds",
            "From the time of an event to its first send.",
            buckets=LAG_BUCKETS_S,
            registry=self.registry,
        )
        self.sockets = self._gauge("dams_sockets_open", "WebSockets that are open.")
        self.subscriptions = self._gauge("dams_subscriptions_open", "Subscriptions that are open.")
        self.groups = self._gauge("dams_subscription_groups", "Groups of like subscriptions, each executed once.")
        self.waiting = self._gauge("dams_results_waiting", "Results that wait for clients to read on.")
        self.position = self._gauge("dams_log_position", "Number of the last event seen.")
        self.bus = self._gauge("dams_bus_connected", "1 where Redis answers or is not used, 0 where polling covers.")
        self._lags: deque[float] = deque(maxlen=LATEST)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def told(self, errors: Iterable[Mapping[str, Any]]) -> None:
        """Errors in their JSON form."""
        for error in errors:
            self.errors.labels(error["extensions"]["code"].lower()).inc()

    def sent_first(self, event_at: datetime) -> None:
        """Clocks of several machines may differ; a negative lag counts as none."""
        lag = max(0.0, (datetime.now(UTC) - event_at).total_seconds())
        self.lag.observe(lag)
        self._lags.append(lag)

    def median_lag_s(self) -> float | None:
        """Of the latest events; None where there were none."""
        return median(self._lags) if self._lags else None
