"""SQLite and PostGIS answer alike: the same dams, the same questions, no difference."""

import gc
import math
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, select

from models import Dam
from models.database import Database
from models.errors import BadUserInput
from models.geodesy import metres_between
from models.spatial import SPATIAL
from resolvers.dams import ALL_COLUMNS, load_nearest
from resolvers.filters import MAX_RADIUS_M, Filter, asked, clauses
from schema.filters import BoxInput, CircleInput, DamFilter, conditions
from schema.scalars import GeoJSON
from tests.conftest import ENGINES
from tests.shared import dam_values, fill, opened, shared_place

COUNT = 3_000
Place = tuple[float, float]
"""Longitude and latitude."""


def some_places() -> list[Place]:
    """Worldwide; a third of them where it is hard: at the poles, at both sides of 180°, on a grid, in clusters."""
    some = random.Random(2)
    world = [(some.uniform(-180, 180), some.uniform(-90, 90)) for _ in range(COUNT // 2)]
    grid = [(some.randrange(-720, 721) / 4, some.randrange(-360, 361) / 4) for _ in range(COUNT // 4)]
    edge = [
        (some.choice([-1, 1]) * (180 - some.choice([0, 0, 1e-9, some.random()])), some.uniform(-90, 90))
        for _ in range(COUNT // 12)
    ]
    poles = [
        (some.uniform(-180, 180), some.choice([-1, 1]) * (90 - some.choice([0, 0, 1e-9, some.random()])))
        for _ in range(COUNT // 12)
    ]
    # Within some kilometres, down to some millimetres, of one dam; some of them at the very same place.
    clusters = []
    for _ in range(10):
        longitude, latitude = some.choice(world)
        for _ in range(COUNT // 120):
            spread = some.choice([0, 1e-8, 1e-5, 0.1])
            clusters.append((longitude + some.uniform(-spread, spread), latitude + some.uniform(-spread, spread)))
    places = world + grid + edge + poles + clusters
    return [(max(-180.0, min(180.0, longitude)), max(-90.0, min(90.0, latitude))) for longitude, latitude in places]


PLACES = some_places()


def select_ids(where: Filter, database: Database) -> Select[Any]:
    return select(Dam.id).where(*clauses(where, SPATIAL[database.dialect])).order_by(Dam.id)


@dataclass
class Both:
    sqlite: Database
    postgresql: Database

    async def ids(self, where: Filter) -> list[int]:
        """Those that meet the filter, on both engines."""
        found = [await self._ids(database, where) for database in (self.sqlite, self.postgresql)]
        assert found[0] == found[1]
        return found[0]

    @staticmethod
    async def _ids(database: Database, where: Filter) -> list[int]:
        shape, values = asked(where)
        rows = await database.fetch(("ids", shape), partial(select_ids, where, database), values)
        return [dam_id for (dam_id,) in rows]

    async def nearest(self, place: Place, limit: int, where: Filter = ()) -> list[tuple[int, float]]:
        """Id and metres, the same on both engines."""
        found = [
            [(near.row[ALL_COLUMNS.index("id")], near.metres) for near in nearest]
            for nearest in [
                await load_nearest(database, where, longitude=place[0], latitude=place[1], limit=limit)
                for database in (self.sqlite, self.postgresql)
            ]
        ]
        assert [dam_id for dam_id, _ in found[0]] == [dam_id for dam_id, _ in found[1]]
        for (_, ours), (_, theirs) in zip(*found, strict=True):
            assert abs(ours - theirs) <= 0.001 + 1e-9
        return found[0]


@pytest.fixture(scope="module")
async def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    sqlite, postgresql = (shared_place(engine, request, tmp_path_factory) for engine in ENGINES)
    async with (
        sqlite as one,
        postgresql as other,
        opened(one.url) as first,
        opened(other.url) as second,
    ):
        rows = [
            dam_values(id=number, longitude=longitude, latitude=latitude)
            for number, (longitude, latitude) in enumerate(PLACES, start=1)
        ]
        for database in (first, second):
            await fill(database, rows)
        yield Both(first, second)


# The same examples in each run; the databases are only read, so the examples may share them.
examples = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

longitudes = st.floats(-180, 180) | st.integers(-720, 720).map(lambda quarter: quarter / 4)
latitudes = st.floats(-90, 90) | st.integers(-360, 360).map(lambda quarter: quarter / 4)
places = st.tuples(longitudes, latitudes) | st.sampled_from(PLACES)
radii = st.floats(0.001, MAX_RADIUS_M) | st.sampled_from([0.001, 1.0, 1_000.0, 50_000.0, 1_000_000.0, MAX_RADIUS_M])


@examples
@given(places, places)
async def test_boxes(both: Both, corner: Place, other: Place) -> None:
    """Each pair of corners as a box, and as the one across 180° that goes round the other way."""
    south, north = sorted((corner[1], other[1]))
    inside = []
    for west, east in ((corner[0], other[0]), (other[0], corner[0])):
        where = conditions(DamFilter(box=BoxInput(west=west, south=south, east=east, north=north)))
        inside += await both.ids(where)
    between = {number for number, (_, latitude) in enumerate(PLACES, start=1) if south <= latitude <= north}
    assert set(inside) == between or corner[0] == other[0]


async def test_a_box_that_is_one_point_holds_the_dam_there(both: Both) -> None:
    longitude, latitude = PLACES[0]
    where = conditions(DamFilter(box=BoxInput(west=longitude, south=latitude, east=longitude, north=latitude)))
    assert await both.ids(where) == [1]


def ring(centre: Place, spokes: list[tuple[float, float]]) -> list[Place]:
    """A star around a centre; spokes are angles and lengths in degrees."""
    points = [
        (
            max(-180.0, min(180.0, centre[0] + length * math.cos(angle))),
            max(-90.0, min(90.0, centre[1] + length * math.sin(angle))),
        )
        for angle, length in sorted(spokes)
    ]
    return [*points, points[0]]


def area(geometry: dict[str, Any]) -> Filter:
    """Of those that are valid."""
    try:
        return conditions(DamFilter(polygon=GeoJSON(geometry)))
    except BadUserInput:
        assume(False)
        raise


spokes = st.lists(st.tuples(st.floats(0, 2 * math.pi), st.floats(0.01, 90)), min_size=3, max_size=12)


@examples
@given(places, spokes)
async def test_polygons(both: Both, centre: Place, spokes: list[tuple[float, float]]) -> None:
    await both.ids(area({"type": "Polygon", "coordinates": [ring(centre, spokes)]}))


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_the_values_of_a_filter_keep_its_areas(database: Database) -> None:
    await fill(database, [dam_values(id=1, longitude=0.8, latitude=0.8), dam_values(id=2, longitude=3.0, latitude=0.0)])
    triangle = [(0, 0), (4, 0), (0, 4), (0, 0)]
    hole = [(0.5, 0.5), (1.5, 0.5), (0.5, 1.5), (0.5, 0.5)]
    some = area({"type": "Polygon", "coordinates": [hole]})
    questions = [
        asked(area({"type": "Polygon", "coordinates": rings})) for rings in ([triangle], [triangle, hole], [hole])
    ]
    gc.collect()  # the filters: nobody else knows them
    found = [await database.fetch(shape, partial(select_ids, some, database), values) for shape, values in questions]
    assert [[dam_id for (dam_id,) in rows] for rows in found] == [[1, 2], [2], [1]]


quarters = st.integers(-40, 40).map(lambda quarter: quarter / 4)


@examples
@given(st.lists(st.tuples(quarters, quarters), min_size=3, max_size=3, unique=True))
async def test_triangles_with_dams_on_their_edges(both: Both, corners: list[Place]) -> None:
    await both.ids(area({"type": "Polygon", "coordinates": [[*corners, corners[0]]]}))


@examples
@given(places, st.floats(1, 60), st.floats(0.1, 0.9))
async def test_areas_with_holes_and_several_parts(both: Both, centre: Place, size: float, hole: float) -> None:
    def square(half: float) -> list[Place]:
        return ring(centre, [(math.pi * (2 * corner + 1) / 4, half * math.sqrt(2)) for corner in range(4)])

    parts = [[square(size), square(size * hole)], [square(size * hole / 2)]]
    together = await both.ids(area({"type": "MultiPolygon", "coordinates": parts}))
    apart = [await both.ids(area({"type": "Polygon", "coordinates": part})) for part in parts]
    assert sorted(apart[0] + apart[1]) == together


@examples
@given(places, radii)
async def test_circles(both: Both, centre: Place, metres: float) -> None:
    circle = CircleInput(longitude=centre[0], latitude=centre[1], metres=metres)
    await both.ids(conditions(DamFilter(within=circle)))


@examples
@given(places, st.integers(0, 100))
async def test_the_nearest(both: Both, place: Place, limit: int) -> None:
    found = await both.nearest(place, limit)
    by_hand = sorted(
        (round(metres_between(*place, longitude, latitude) * 1000), number)
        for number, (longitude, latitude) in enumerate(PLACES, start=1)
    )[:limit]
    assert [dam_id for dam_id, _ in found] == [number for _, number in by_hand]


@examples
@given(places, st.integers(1, 40))
async def test_a_distance_taken_as_a_radius_finds_the_dams_up_to_it(both: Both, place: Place, limit: int) -> None:
    nearest = await both.nearest(place, limit)
    metres = nearest[-1][1]
    assume(metres > 0)
    circle = CircleInput(longitude=place[0], latitude=place[1], metres=metres)
    inside = await both.ids(conditions(DamFilter(within=circle)))
    assert {dam_id for dam_id, _ in nearest} <= set(inside)


async def test_the_nearest_meet_the_filter_too(both: Both) -> None:
    where = conditions(DamFilter(box=BoxInput(west=170, south=-60, east=-170, north=60)))
    found = await both.nearest((0.0, 0.0), 20, where)
    assert len(found) == 20
    assert {dam_id for dam_id, _ in found} <= set(await both.ids(where))
    assert found[0][1] > 10_000_000


async def test_the_antipode_is_within_the_largest_radius(both: Both) -> None:
    for place in ((0.0, 0.0), (180.0, 0.0), (12.5, 90.0)):
        circle = CircleInput(longitude=place[0], latitude=place[1], metres=MAX_RADIUS_M)
        assert len(await both.ids(conditions(DamFilter(within=circle)))) == len(PLACES)
