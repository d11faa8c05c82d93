"""Dams cell by cell: what a map shows of many dams.

Counted by the database: grouping the 91,213 dams of the national inventory takes it some tens of milliseconds, so no
process has to keep an index of its own and to follow the log with it, and every filter works.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Select, bindparam, func, select

from models import Dam
from models.database import Database
from models.errors import BadUserInput
from models.spatial import SPATIAL, Box, Spatial
from resolvers.filters import Filter, asked, clauses

MAX_ZOOM = 22
"""A cell is 2 metres wide."""

MAX_CELLS = 1_600
"""In a box: a screen of 2560 x 1440 points has some 1,000 of 64 points. With two dams in each they cost nearly as much
as one operation may by default."""

CELLS_A_TILE = 4
"""Side by side in a map tile, whose 256 points show 360 degrees at zoom 0."""

HEIGHT_TO_WIDTH = 0.75
"""In degrees: square on a Mercator map at 41° of latitude, the middle of the United States."""

SHOWN_BY_ITSELF = 2
"""Dams in a cell that come themselves: the smallest and the greatest id name both."""

DECIMALS = 6
"""Of a mean, in degrees: a decimetre."""


@dataclass(frozen=True, slots=True)
class Cluster:
    count: int
    longitude: float
    latitude: float
    """The mean of its dams."""
    extent: Box
    ids: tuple[int, ...]
    """Of its dams where these are few, else empty."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one size all over the Earth: a dam is in the same cell whatever part of the map is asked for."""

    zoom: int

    @property
    def width(self) -> float:
        """Degrees of longitude."""
        return float(360 / (CELLS_A_TILE * 2**self.zoom))

    @property
    def height(self) -> float:
        """Degrees of latitude."""
        return self.width * HEIGHT_TO_WIDTH

    def cells_in(self, box: Box) -> int:
        """How many the box touches, at most."""
        west, south, east, north = box
        columns = (east - west if west <= east else east - west + 360) // self.width + 2
        rows = (north - south) // self.height + 2
        return int(columns * rows)


def cells_asked_for(zoom: Any, box: Any) -> int:
    """At most, by arguments that nobody has checked; what will be refused counts as the most."""
    try:
        if not 0 <= zoom <= MAX_ZOOM:
            return MAX_CELLS
        cells = Grid(int(zoom)).cells_in((box["west"], box["south"], box["east"], box["north"]))
    except (ArithmeticError, KeyError, TypeError, ValueError):
        return MAX_CELLS
    return max(0, min(MAX_CELLS, cells))


def grid_for(zoom: int, box: Box) -> Grid:
    """Raises BadUserInput."""
    if not 0 <= zoom <= MAX_ZOOM:
        raise BadUserInput(f"zoom must be from 0 to {MAX_ZOOM}, not {zoom}.")
    grid = Grid(zoom)
    if (cells := grid.cells_in(box)) > MAX_CELLS:
        raise BadUserInput(
            f"At zoom {zoom} this box has some {cells:,} cells; at most {MAX_CELLS:,} are allowed."
            " Ask for a smaller box or a lower zoom."
        )
    return grid


async def load_clusters(database: Database, where: Filter, grid: Grid, *, up_to: int) -> list[Cluster]:
    """The dams that meet the filter and have an id of at most `up_to`: the largest clusters first."""
    shape, values = asked(where)
    rows = await database.fetch(
        ("clusters", shape),
        lambda: select_clusters(where, SPATIAL[database.dialect]),
        {**values, "width": grid.width, "height": grid.height, "up_to": up_to},
    )
    return [
        Cluster(
            count=dams,
            longitude=round(longitude, DECIMALS),
            latitude=round(latitude, DECIMALS),
            extent=(west, south, east, north),
            ids=tuple(sorted({oldest_id, newest_id})) if dams <= SHOWN_BY_ITSELF else (),
        )
        for dams, longitude, latitude, west, south, east, north, oldest_id, newest_id in rows
    ]


def select_clusters(where: Filter, spatial: Spatial) -> Select[Any]:
    width, height = bindparam("width", type_=Float()), bindparam("height", type_=Float())
    cell = [spatial.whole((Dam.longitude + 180) / width), spatial.whole((Dam.latitude + 90) / height)]
    count, oldest = func.count(), func.min(Dam.id)
    return (
        select(
            count,
            func.avg(Dam.longitude),
            func.avg(Dam.latitude),
            func.min(Dam.longitude),
            func.min(Dam.latitude),
            func.max(Dam.longitude),
            func.max(Dam.latitude),
            oldest,
            func.max(Dam.id),
        )
        .where(*clauses(where, spatial), Dam.id <= bindparam("up_to"))
        .group_by(*cell)
        .order_by(count.desc(), oldest)
    )
