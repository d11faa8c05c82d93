"""Reading dams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Integer, Row, Select, bindparam, func, select

from models import Dam
from models.dam import DAM_COLUMNS
from models.database import Database
from models.spatial import SPATIAL, Spatial, circle_values
from models.statement import Record, named, parameters
from resolvers.filters import MAX_RADIUS_M, Filter, asked, clauses
from resolvers.pagination import Page, Range, Window

Columns = tuple[str, ...]
"""Names of columns of the table dams."""

ALL_COLUMNS: Columns = tuple(column.key for column in DAM_COLUMNS)

BY_IDS = select(*DAM_COLUMNS).where(Dam.id.in_(bindparam("ids", expanding=True)))

FIRST_RADIUS_M = 20_000.0
"""Holds some dozens of dams in most of the United States."""


@dataclass(frozen=True, slots=True)
class Nearby:
    row: Record
    """The columns asked for."""
    metres: float


def select_dams(where: Filter, spatial: Spatial, columns: Columns = ALL_COLUMNS) -> Select[Any]:
    return select(*(Dam.__table__.c[name] for name in columns)).where(*clauses(where, spatial))


async def load_page(database: Database, where: Filter, window: Window, columns: Columns) -> Page:
    """One statement, and a second one where the known values of the order are not enough."""
    filter_shape, filter_values = asked(where)

    def select_range(range_: Range) -> Select[Any]:
        return range_.select(select_dams(where, SPATIAL[database.dialect], columns))

    rows: list[Record] = []
    for range_ in window.ranges():
        shape = ("page", columns, filter_shape, range_.shape)
        rows += await database.fetch(shape, partial(select_range, range_), {**filter_values, **range_.values()})
        if len(rows) > window.size:
            break
    return window.page(rows)


async def load_dams(database: Database, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """By id; an id without a dam is left out."""
    async with database.read() as connection:
        return {row.id: row for row in await connection.execute(BY_IDS, {"ids": ids})}


async def load_dam(database: Database, dam_id: int, columns: Columns) -> Record | None:
    """None where there is none."""
    rows = await database.fetch(
        ("dam", columns),
        lambda: select(*(Dam.__table__.c[name] for name in columns)).where(Dam.id == bindparam("id")),
        {"id": dam_id},
    )
    return rows[0] if rows else None


async def load_nearest(
    database: Database,
    where: Filter,
    *,
    longitude: float,
    latitude: float,
    limit: int,
    columns: Columns = ALL_COLUMNS,
) -> list[Nearby]:
    """The dams nearest to a point by geodesic distance in whole millimetres, nearest first, then by id.

    Where nothing filters and an index knows the order, one statement; else a circle grows until it holds enough, as
    the index could go through nearly all dams before it has enough that fit.
    """
    if not where and SPATIAL[database.dialect].reach:
        point = {"longitude": longitude, "latitude": latitude}
        return await _load_near(database, (), point, limit=limit, columns=columns)
    radius = FIRST_RADIUS_M
    while True:
        found = await load_within(
            database,
            where,
            longitude=longitude,
            latitude=latitude,
            metres=radius,
            limit=limit,
            columns=columns,
        )
        if len(found) == limit or radius >= MAX_RADIUS_M:
            return found
        radius = min(radius * 4, MAX_RADIUS_M)


async def load_within(
    database: Database,
    where: Filter,
    *,
    longitude: float,
    latitude: float,
    metres: float,
    limit: int,
    columns: Columns = ALL_COLUMNS,
) -> list[Nearby]:
    """The dams in a circle, in the order of `load_nearest`."""
    circle = circle_values(longitude, latitude, metres)
    return await _load_near(database, where, circle, limit=limit, columns=columns)


async def _load_near(
    database: Database, where: Filter, circle: Mapping[str, Any], *, limit: int, columns: Columns
) -> list[Nearby]:
    """A circle without `metres`, which is a point, is as wide as the nearest need it."""
    filter_shape, filter_values = asked(where)

    def select_near() -> Select[Any]:
        spatial, told = SPATIAL[database.dialect], parameters("circle", circle)
        first = bindparam("limit", type_=Integer())
        distance = spatial.metres(told).label("metres")
        if "metres" not in told and spatial.reach:
            told = {**told, "metres": spatial.reach(told, first)}
        return (
            select_dams(where, spatial, columns)
            .add_columns(distance)
            .where(spatial.within(told))
            .order_by(func.round(distance * 1000), Dam.id)  # the engines' last digits differ
            .limit(first)
        )

    shape = ("near", columns, filter_shape, tuple(circle))
    values = {**filter_values, **named("circle", circle), "limit": limit}
    rows = await database.fetch(shape, select_near, values)
    return [Nearby(row[:-1], round(row[-1], 3)) for row in rows]
