"""How long it takes to decide who of many with filters of their own is to have an event."""

from datetime import UTC, datetime
from statistics import median
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any

from models import EventKind
from models.vocabulary import Hazard
from pubsub.log import LoggedEvent
from resolvers.filters import DamAdded, checked
from schema.filters import BoxInput, CircleInput, FloatRange

FILTERS = 1_000
TRIES = 21

DAM: Any = SimpleNamespace(
    search_key="sample dam 1\nprovo river",
    state="UT",
    hazard=Hazard.HIGH,
    height_ft=235.0,
    latitude=40.40361,
    longitude=-111.52917,
)
"""As much of one as these filters ask for."""


def wheres(number: int) -> dict[str, Any]:
    """A different one for each number: views of a map, places, texts and measures, as front ends ask."""
    west, south = -125 + number * 0.05, 25 + number * 0.02
    box = BoxInput(west=west, south=south, east=west + 15, north=south + 10)
    return (
        {"box": box},
        {"box": box, "hazards": [Hazard.HIGH, Hazard.SIGNIFICANT]},
        {"within": CircleInput(latitude=south, longitude=west, metres=400_000 + number)},
        {"text": f"sample dam {number}"},
        {"states": ["UT", "ID"], "height_ft": FloatRange(min=float(number))},
    )[number % 5]


def deciding() -> str:
    """A line of the report."""
    event = LoggedEvent(1, EventKind.DAM_ADDED, 1, datetime.now(UTC), DAM)
    wanted = [DamAdded(checked(wheres(number))) for number in range(FILTERS)]
    times, found = [], 0
    for _ in range(TRIES):
        start = perf_counter_ns()
        found = sum(want(event) for want in wanted)
        times.append(perf_counter_ns() - start)
    return f"To decide which of {FILTERS:,} filters want a dam ({found} do): {median(times) / 1e6:.2f} ms."
