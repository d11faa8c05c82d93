"""Markdown of what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median, quantiles

from bench.fanout.measure import Measurement
from bench.report import NOTHING, ratio, table

Results = Mapping[tuple[int, str], Sequence[Measurement]]
"""By number of subscribers and name of the server, one of each round."""

NET = "dams, less the adds"


@dataclass(frozen=True)
class Summary:
    """Medians over the rounds; times to a delivery are of all events of all rounds."""

    server: str
    cpu: float
    first_p50: float
    last_p50: float
    last_p99: float
    ping: float
    memory: float
    alone: float
    lag: float | None
    burst: float | None
    delivered: float | None


def summarise(results: Results) -> dict[int, list[Summary]]:
    """By number of subscribers. Our server has a second line, without what its adds cost by themselves."""
    summaries: dict[int, list[Summary]] = {}
    for (subscribers, server), rounds in results.items():
        summary = _summary(server, rounds)
        summaries.setdefault(subscribers, []).append(summary)
        if server == "dams":
            add_ms = median(each.publish_ms for each in rounds)
            net = replace(
                summary,
                server=NET,
                cpu=summary.cpu - summary.alone / subscribers,
                first_p50=summary.first_p50 - add_ms,
                last_p50=summary.last_p50 - add_ms,
                last_p99=summary.last_p99 - add_ms,
            )
            summaries[subscribers].append(net)
    return summaries


def _summary(server: str, rounds: Sequence[Measurement]) -> Summary:
    last_ms = sorted(chain.from_iterable(each.last_ms for each in rounds))
    bursts = [each.burst_cpu_per_message for each in rounds if each.burst_cpu_per_message is not None]
    lags = [each.lag_ms for each in rounds if each.lag_ms is not None]
    delivered = [each.burst_delivered for each in rounds if each.burst_delivered is not None]
    return Summary(
        server,
        cpu=median(each.cpu_per_message for each in rounds),
        first_p50=median(chain.from_iterable(each.first_ms for each in rounds)),
        last_p50=median(last_ms),
        last_p99=quantiles(last_ms, n=100, method="inclusive")[98],
        ping=median(each.ping_ms for each in rounds),
        memory=median(each.memory_per_subscriber for each in rounds),
        alone=median(each.cpu_per_event_alone for each in rounds),
        lag=median(lags) if lags else None,
        burst=median(bursts) if bursts else None,
        delivered=median(delivered) if delivered else None,
    )


def tables(results: Results) -> Iterator[str]:
    summaries = summarise(results)
    yield from table(
        "subscribers | server | CPU µs a message | to floor | first delivery ms | last, p50 / p99 "
        "| longest ping ms | KB a subscriber | CPU µs an event alone | burst: CPU µs a message | to floor",
        (_row(subscribers, each, lines) for subscribers, lines in summaries.items() for each in lines),
    )
    yield ""
    yield from _ratios(summaries)
    yield ""
    for subscribers, lines in summaries.items():
        for each in lines:
            if each.lag is not None and each.server != NET:
                yield f"From an event's time to its first send, {subscribers:,} subscribers, median: {each.lag:.1f} ms."


def _row(subscribers: int, line: Summary, lines: Sequence[Summary]) -> list[str]:
    floor = next((each for each in lines if each.server == "floor"), None)
    lost = f" ({1 - line.delivered:.0%} lost)" if line.delivered is not None and line.delivered < 1 else ""
    return [
        f"{subscribers:,}",
        line.server,
        f"{line.cpu:.1f}",
        ratio(line.cpu, floor and floor.cpu),
        f"{line.first_p50:.1f}",
        f"{line.last_p50:.1f} / {line.last_p99:.1f}",
        f"{line.ping:.1f}",
        f"{line.memory:.1f}",
        f"{line.alone:.0f}",
        NOTHING if line.burst is None else f"{line.burst:.2f}{lost}",
        ratio(line.burst, floor and floor.burst),
    ]


def _ratios(summaries: Mapping[int, Sequence[Summary]]) -> Iterator[str]:
    """How many times the CPU of our server each peer takes for a message."""
    peers = list(dict.fromkeys(each.server for lines in summaries.values() for each in lines))
    peers = [peer for peer in peers if peer not in {"floor", "dams", NET}]
    rows = []
    for subscribers, lines in summaries.items():
        cpu = {each.server: each.cpu for each in lines}
        rows += [
            [f"{subscribers:,}", ours, *(ratio(cpu.get(peer), cpu[ours]) for peer in peers)]
            for ours in ("dams", NET)
            if ours in cpu
        ]
    if peers and rows:
        yield from table(" | ".join(["subscribers", "CPU a message against", *peers]), rows)
