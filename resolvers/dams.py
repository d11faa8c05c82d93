"""Reading dams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from models import Dam
from models.dam import DAM_COLUMNS
from models.database import Database
from models.spatial import SPATIAL, Spatial
from resolvers.filters import MAX_RADIUS_M, Filter, clauses
from resolvers.inventory import read_inventory
from resolvers.pagination import Page, Window

BY_IDS = select(*DAM_COLUMNS).where(Dam.id.in_(bindparam("ids", expanding=True)))

FIRST_RADIUS_M = 20_000.0
"""Holds some dozens of dams in most of the United States."""


@dataclass(frozen=True, slots=True)
class Nearby:
    row: Row[Any]
    metres: float


def select_dams(where: Filter, spatial: Spatial) -> Select[Any]:
    return select(*DAM_COLUMNS).where(*clauses(where, spatial))


async def load_page(database: Database, where: Filter, window: Window) -> Page:
    rows: list[Row[Any]] = []
    async with database.read() as connection:
        for statement in window.statements(select_dams(where, SPATIAL[database.dialect])):
            rows += await connection.execute(statement)
            if len(rows) > window.size:
                break
    return window.page(rows)


async def count_dams(database: Database, where: Filter) -> int:
    if not where:
        return (await read_inventory(database)).dam_count
    async with database.read() as connection:
        statement = select(func.count()).select_from(Dam).where(*clauses(where, SPATIAL[database.dialect]))
        return await connection.scalar(statement) or 0


async def load_dams(database: Database, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """By id; an id without a dam is left out."""
    async with database.read() as connection:
        return {row.id: row for row in await connection.execute(BY_IDS, {"ids": ids})}


async def load_nearest(
    database: Database, where: Filter, *, longitude: float, latitude: float, limit: int
) -> list[Nearby]:
    """The dams nearest to a point by geodesic distance in whole millimetres, nearest first, then by id.

    Neither engine can order an index by geodesic distance, so a circle grows until it holds enough.
    """
    radius = FIRST_RADIUS_M
    while True:
        found = await load_within(database, where, longitude=longitude, latitude=latitude, metres=radius, limit=limit)
        if len(found) == limit or radius >= MAX_RADIUS_M:
            return found
        radius = min(radius * 4, MAX_RADIUS_M)


async def load_within(
    database: Database, where: Filter, *, longitude: float, latitude: float, metres: float, limit: int
) -> list[Nearby]:
    """The dams in a circle, in the order of `load_nearest`."""
    spatial = SPATIAL[database.dialect]
    distance = spatial.metres(longitude, latitude).label("metres")
    statement = (
        select_dams(where, spatial)
        .add_columns(distance)
        .where(spatial.within(longitude, latitude, metres))
        .order_by(func.round(distance * 1000), Dam.id)  # the engines' last digits differ
        .limit(limit)
    )
    async with database.read() as connection:
        return [Nearby(row, round(row.metres, 3)) for row in await connection.execute(statement)]
