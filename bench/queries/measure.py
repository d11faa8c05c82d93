"""One server, one workload, one round."""

import re
from dataclasses import dataclass
from statistics import median, quantiles

from bench.process import cpu_ns, cpu_of_all_ns, waited_ns
from bench.queries import client
from bench.queries.client import MeasurementFailed
from bench.queries.servers import QueryServer
from bench.queries.workloads import Workload, request
from tests.services import Postgres

PAGES_OF = 1_000
"""Dams a page of the walk through all."""


@dataclass(frozen=True)
class Measurement:
    """CPU in microseconds a request; latencies in milliseconds."""

    cpu: float
    database_cpu: float
    """Of all processes of PostgreSQL."""
    p50: float
    p99: float
    per_second: float
    waited: float
    """Share of the time in which the server wanted its core and others had it."""


class Meter:
    """What server and database spend between two moments."""

    def __init__(self, server: QueryServer, postgres: Postgres) -> None:
        self._server, self._postgres = server, postgres

    def read(self) -> tuple[int, int, int]:
        return cpu_ns(self._server.pid), cpu_of_all_ns(self._postgres.processes()), waited_ns(self._server.pid)


def measure(server: QueryServer, postgres: Postgres, workload: Workload, seconds: float) -> Measurement:
    """CPU under so many connections; times too where it writes, else on one connection alone.

    Raises MeasurementFailed.
    """
    requests = workload.requests(server.schema)
    latencies = [] if workload.writes else client.drive(server.port, requests, 1, seconds / 2)
    meter = Meter(server, postgres)
    before = meter.read()
    answered = client.drive(server.port, requests, workload.connections, seconds)
    after = meter.read()
    return _measurement(before, after, answered, latencies or answered, seconds)


def measure_walk(server: QueryServer, postgres: Postgres) -> Measurement:
    """Through all dams, page by page. Raises MeasurementFailed."""
    meter = Meter(server, postgres)
    before = meter.read()
    answered = client.walk(
        server.port, lambda cursor: request(server.schema, "page", {"first": PAGES_OF, "after": cursor})
    )
    return _measurement(before, meter.read(), answered, answered, sum(answered) / 1e3)


def _measurement(
    before: tuple[int, int, int],
    after: tuple[int, int, int],
    answered: list[float],
    latencies: list[float],
    seconds: float,
) -> Measurement:
    cpu, database_cpu, waited = (later - earlier for earlier, later in zip(before, after, strict=True))
    return Measurement(
        cpu / len(answered) / 1e3,
        database_cpu / len(answered) / 1e3,
        median(latencies),
        quantiles(latencies, n=100, method="inclusive")[98] if len(latencies) > 1 else latencies[0],
        len(answered) / seconds,
        waited / (waited + cpu),
    )


NAMES = re.compile(rb'"(?:name|dateBuilt|heightFt|latitude)":\s*("(?:[^"\\]|\\.)*"|null|[-0-9.e]+)')


def require_same_answers(servers: dict[str, QueryServer], workload: Workload) -> None:
    """The same dams in the same order. Raises MeasurementFailed."""
    answers = {}
    for name, server in servers.items():
        body = client.ask(server.port, next(workload.requests(server.schema)))
        answers[name] = [float(each) if each[:1] in b"-0123456789" else each for each in NAMES.findall(body)]
    first, *others = answers
    for name in others:
        if answers[name] != answers[first] or not answers[name]:
            raise MeasurementFailed(f"{workload.name}: {name} gives other dams than {first}")
