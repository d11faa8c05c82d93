"""Spatial conditions on dams, once for each engine. Boxes are west, south, east, north; west > east crosses 180°.

Conditions are made for parameters, whose values are those of `box_values`, `circle_values` and `area_values`.
"""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    Text,
    TypeDecorator,
    and_,
    cast,
    func,
    or_,
    select,
    type_coerce,
)

from models.dam import Dam
from models.geodesy import Area, circle_bounds
from models.statement import Parameters

Box = tuple[float, float, float, float]

CROSSES = "crosses"
"""A name among the values of a box that crosses 180°; no condition asks for the value."""


def box_values(box: Box) -> dict[str, Any]:
    west, south, east, north = box
    sides = {"west": west, "south": south, "east": east, "north": north}
    return sides if west <= east else sides | {CROSSES: True}


def circle_values(longitude: float, latitude: float, metres: float) -> dict[str, Any]:
    bounds = box_values(circle_bounds(longitude, latitude, metres))
    return {"longitude": longitude, "latitude": latitude, "metres": metres} | bounds


def area_values(area: Area) -> dict[str, Any]:
    return {"area": area} | box_values(area.shape.bounds)


class Spatial(Protocol):
    def box(self, box: Parameters) -> ColumnElement[bool]: ...

    def area(self, area: Parameters) -> ColumnElement[bool]:
        """Inside a polygon or on its edge."""

    def metres(self, point: Parameters) -> ColumnElement[float]:
        """Geodesic distance."""

    def within(self, circle: Parameters) -> ColumnElement[bool]: ...

    @property
    def reach(self) -> Callable[[Parameters, ColumnElement[int]], ColumnElement[float]] | None:
        """For a point and a limit, metres within which the nearest dams are, as many as there are up to the limit.

        None where no index knows an order by distance.
        """

    def whole(self, number: ColumnElement[float]) -> ColumnElement[int]:
        """What is left of a number that is not negative when its fraction is cut off."""


def coordinates_in(box: Parameters) -> ColumnElement[bool]:
    if CROSSES in box:
        longitude = or_(Dam.longitude >= box["west"], Dam.longitude <= box["east"])
    else:
        longitude = Dam.longitude.between(box["west"], box["east"])
    return and_(Dam.latitude.between(box["south"], box["north"]), longitude)


class AreaNumber(TypeDecorator[Area]):
    """Whoever asks holds the area, SQLite its number."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Area | None, dialect: Dialect) -> int | None:
        return None if value is None else value.number


class AreaText(TypeDecorator[Area]):
    """Well-known text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Area | None, dialect: Dialect) -> str | None:
        return None if value is None else value.shape.wkt


class SqliteSpatial:
    """Columns and a B-tree narrow down, Python decides: 92,000 dams, 1.3 ms for a box, 1.9 ms for 50 km."""

    def box(self, box: Parameters) -> ColumnElement[bool]:
        return coordinates_in(box)

    # The box comes first: SQLite evaluates from the left, and the function is the expensive part.
    def area(self, area: Parameters) -> ColumnElement[bool]:
        number = type_coerce(area["area"], AreaNumber)
        return and_(self.box(area), func.in_area(Dam.longitude, Dam.latitude, number, type_=Boolean()))

    def metres(self, point: Parameters) -> ColumnElement[float]:
        return func.geo_metres(Dam.longitude, Dam.latitude, point["longitude"], point["latitude"], type_=Float())

    def within(self, circle: Parameters) -> ColumnElement[bool]:
        return and_(self.box(circle), func.round(self.metres(circle), 3) <= circle["metres"])

    reach = None

    def whole(self, number: ColumnElement[float]) -> ColumnElement[int]:
        return cast(number, Integer)


class PostgisSpatial:
    """GiST indexes on the geometry and on its geography."""

    def box(self, box: Parameters) -> ColumnElement[bool]:
        west, south, east, north = box["west"], box["south"], box["east"], box["north"]
        halves: list[tuple[Any, Any]] = [(west, 180.0), (-180.0, east)] if CROSSES in box else [(west, east)]
        envelopes = [select(func.ST_MakeEnvelope(w, south, e, north, 4326)).scalar_subquery() for w, e in halves]
        # && compares boxes rounded to float32, and no point "intersects" a box without width and height:
        # the index narrows down, the columns decide.
        return and_(or_(*(Dam.point.bool_op("&&")(envelope) for envelope in envelopes)), coordinates_in(box))

    def area(self, area: Parameters) -> ColumnElement[bool]:
        # A sub-select, as asyncpg's generic plan would parse the shape once a row from the sixth call on
        # (30 ms become 1,000 ms).
        shape = select(func.ST_GeomFromText(type_coerce(area["area"], AreaText), 4326)).scalar_subquery()
        return func.ST_Intersects(Dam.point, shape, type_=Boolean())

    def metres(self, point: Parameters) -> ColumnElement[float]:
        return func.ST_Distance(func.geography(Dam.point), self._geography(point), type_=Float())

    def within(self, circle: Parameters) -> ColumnElement[bool]:
        geographies = func.geography(Dam.point), self._geography(circle)
        return func.ST_DWithin(*geographies, circle["metres"], type_=Boolean())

    def reach(self, point: Parameters, limit: ColumnElement[int]) -> ColumnElement[float]:
        # The index has the order of distances on a sphere: of those that are nearest there, the farthest on the
        # ellipsoid bounds them all. A millimetre more, as they are told in whole ones.
        on_sphere = func.geography(Dam.point).op("<->")(self._geography(point))
        metres = select(self.metres(point).label("metres")).order_by(on_sphere).limit(limit).subquery()
        return select(func.max(metres.c.metres) + 0.001).scalar_subquery()

    def whole(self, number: ColumnElement[float]) -> ColumnElement[int]:
        return func.trunc(number, type_=Integer())  # a cast would round

    def _geography(self, point: Parameters) -> ColumnElement[object]:
        return func.geography(func.ST_SetSRID(func.ST_MakePoint(point["longitude"], point["latitude"]), 4326))


SPATIAL: dict[str, Spatial] = {"sqlite": SqliteSpatial(), "postgresql": PostgisSpatial()}
"""By the dialect's name."""
