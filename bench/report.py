"""Markdown, and what the numbers of any benchmark depend on."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

NOTHING = "-"

BUSY = 0.1
"""Share of the time that a server waited for its core, above which a report warns."""


def table(head: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {head} |"
    yield "|" + " --- |" * (head.count("|") + 1)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def ratio(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or base is None else f"{value / base:.2f}"


def conditions(rounds: int, waited: Iterable[float]) -> Iterator[str]:
    """`waited`: shares of the time in which a server wanted its core and others had it."""
    models = [line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    yield f"{', '.join(models[:1])}, Linux {platform.release()}, Python {platform.python_version()}. Rounds: {rounds}."
    longest = max(waited, default=0.0)
    if longest > BUSY:
        yield f"The machine was busy: a server waited for its core up to {longest:.0%} of the time."
