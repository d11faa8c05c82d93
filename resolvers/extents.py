"""The part of the map that a result covers."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, func, select

from models import Dam
from models.database import Database
from models.spatial import SPATIAL, Box
from resolvers.filters import Filter, asked, clauses

SECTOR = 5.0
"""Degrees of longitude. Gaps between dams that are narrower are not looked for."""


async def load_extent(database: Database, where: Filter) -> Box | None:
    """The narrowest box around the dams that meet the filter; None where there are none.

    The Earth is round: the widest gap between dams stays outside, so 180° may be inside.
    """

    def select_sectors() -> Select[Any]:
        spatial = SPATIAL[database.dialect]
        edges: list[Any] = [edge(side) for edge in (func.min, func.max) for side in (Dam.longitude, Dam.latitude)]
        return select(*edges).where(*clauses(where, spatial)).group_by(spatial.whole((Dam.longitude + 180) / SECTOR))

    shape, values = asked(where)
    sectors = await database.fetch(("extent", shape), select_sectors, values)
    return around([(west, south, east, north) for west, south, east, north in sectors]) if sectors else None


def around(boxes: Sequence[Box]) -> Box:
    """The narrowest box that holds them all. None of them crosses 180°, and they share no longitudes."""
    ordered = sorted(boxes)
    souths, norths = [box[1] for box in boxes], [box[3] for box in boxes]
    # Each gap as its width and the boxes on its two sides; the last one goes over 180°.
    gaps = [(right[0] - left[2], left, right) for left, right in pairwise(ordered)]
    gaps.append((ordered[0][0] - ordered[-1][2] + 360, ordered[-1], ordered[0]))
    _, left, right = max(gaps, key=lambda gap: gap[0])
    return right[0], min(souths), left[2], max(norths)
