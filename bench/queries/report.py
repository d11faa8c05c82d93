"""Markdown of what was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from bench.queries.measure import Measurement
from bench.report import NOTHING, ratio, table

Results = Mapping[tuple[str, str], Sequence[Measurement]]
"""By workload and server, one of each round."""

OURS = "dams"


def middle(rounds: Sequence[Measurement] | None, value: Callable[[Measurement], float]) -> float | None:
    return median(map(value, rounds)) if rounds else None


def tables(results: Results) -> Iterator[str]:
    if not results:
        return
    workloads, servers = (list(dict.fromkeys(key[part] for key in results)) for part in (0, 1))
    yield "CPU of the server a request, in µs:"
    yield ""
    yield from _grid(results, workloads, servers, lambda each: each.cpu, "{:,.0f}")
    yield ""
    yield f"The same as ratios to `{OURS}`:"
    yield ""
    yield from table(
        " | ".join(["workload", *servers]),
        (
            [workload, *(ratio(_cpu(results, workload, server), _cpu(results, workload, OURS)) for server in servers)]
            for workload in workloads
        ),
    )
    for title, value, form in COLUMNS:
        yield ""
        yield title
        yield ""
        yield from _grid(results, workloads, servers, value, form)


def _cpu(results: Results, workload: str, server: str) -> float | None:
    return middle(results.get((workload, server)), lambda each: each.cpu)


def _grid(
    results: Results,
    workloads: Sequence[str],
    servers: Sequence[str],
    value: Callable[[Measurement], float],
    form: str,
) -> Iterator[str]:
    def cell(workload: str, server: str) -> str:
        found = middle(results.get((workload, server)), value)
        return NOTHING if found is None else form.format(found)

    rows = ([workload, *(cell(workload, server) for server in servers)] for workload in workloads)
    yield from table(" | ".join(["workload", *servers]), rows)


COLUMNS: list[tuple[str, Callable[[Measurement], float], str]] = [
    ("CPU of PostgreSQL a request, in µs:", lambda each: each.database_cpu, "{:,.0f}"),
    ("Median time of an answer, in ms:", lambda each: each.p50, "{:.2f}"),
    ("99th percentile, in ms:", lambda each: each.p99, "{:.2f}"),
    ("Answers a second:", lambda each: each.per_second, "{:,.0f}"),
]


def bar_medians(results: Results) -> dict[str, object]:
    """For plot.py."""
    workloads: dict[str, dict[str, float]] = {}
    for (workload, server), rounds in results.items():
        workloads.setdefault(workload, {})[server] = middle(rounds, lambda each: each.cpu) or 0.0
    servers = list(dict.fromkeys(server for _, server in results))
    title = "91,213 dams, one core for each server" if servers else ""
    return {"title": title, "servers": servers, "workloads": workloads}
