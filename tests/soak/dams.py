"""What is added in a soak, and the filters by which subscribers ask for some of it.

Each filter is told twice: as a client sends it, and as it is meant. The second is written without the product's code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

RIVERS = ("Weber River", "Provo River", "Bear River")
OWNERS = ("Reclamation", "Army Corp", "Other")
PLACES = ((40.4, -111.5), (45.2, -69.3), (20.8, -156.3))
"""Latitude and longitude in Utah, Maine and Hawaii: whatever is drawn around one of them is far from the others."""

SPREAD_DEGREES = 0.25


@dataclass(frozen=True)
class Dam:
    name: str
    owner: str
    river: str
    latitude: float
    longitude: float

    @property
    def input(self) -> dict[str, Any]:
        location = {"latitude": self.latitude, "longitude": self.longitude}
        return {"name": self.name, "owner": self.owner, "river": self.river, "dateBuilt": "1941", "location": location}


def random_dam(random: Random, name: str) -> Dam:
    latitude, longitude = (
        degrees + random.uniform(-SPREAD_DEGREES, SPREAD_DEGREES) for degrees in random.choice(PLACES)
    )
    return Dam(name, random.choice(OWNERS), random.choice(RIVERS), round(latitude, 5), round(longitude, 5))


WANTED_BY_ALL = Dam("Last Dam", OWNERS[0], RIVERS[0], *PLACES[0])
"""Meets every filter."""


@dataclass(frozen=True)
class Filter:
    where: dict[str, Any]
    meant: Callable[[Dam], bool]
    weight: int = 1


def _in_utah(dam: Dam) -> bool:
    return 39 < dam.latitude < 42 and -113 < dam.longitude < -110


UTAH = [[[-113, 39], [-110, 39], [-110, 42], [-113, 42], [-113, 39]]]

FILTERS = (
    Filter({}, lambda dam: True, weight=4),
    Filter({"river": "weber river"}, lambda dam: dam.river == "Weber River"),
    Filter({"owner": "Reclamation"}, lambda dam: dam.owner == "Reclamation"),
    Filter({"text": "WEBER"}, lambda dam: dam.river == "Weber River"),
    Filter({"box": {"west": -113, "south": 39, "east": -110, "north": 42}}, _in_utah),
    Filter({"within": {"latitude": 40.4, "longitude": -111.5, "metres": 200_000}}, _in_utah),
    Filter(
        {"polygon": {"type": "Polygon", "coordinates": UTAH}, "owner": "Reclamation"},
        lambda dam: _in_utah(dam) and dam.owner == "Reclamation",
    ),
)
