"""Dams cell by cell and the extent of a result, on both engines, compared with a count in Python."""

import math
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.viewer import Viewer
from models.database import Database
from models.vocabulary import Hazard
from resolvers.clusters import MAX_CELLS, MAX_ZOOM, Grid, cells_asked_for, grid_for, load_clusters
from resolvers.extents import SECTOR, around, load_extent
from schema.filters import BoxInput, DamFilter, conditions
from tests.conftest import ENGINES, Serve, Server
from tests.shared import add, dam_values, fill, opened, shared_place
from tests.test_spatial import PLACES, latitudes, longitudes

CLUSTERS = """query ($box: BoxInput!, $zoom: Int!, $where: DamFilter) {
  damClusters(box: $box, zoom: $zoom, where: $where) {
    lastDamId nodes { count location { latitude longitude } extent { west south east north } dams { damId } } } }"""
EXTENT = "query ($where: DamFilter) { dams(where: $where) { extent { west south east north } } }"
WORLD = {"west": -180, "south": -90, "east": 180, "north": 90}

HAZARDS = list(Hazard)
DAMS = [
    dam_values(id=dam_id, longitude=longitude, latitude=latitude, hazard=HAZARDS[dam_id % len(HAZARDS)])
    for dam_id, (longitude, latitude) in enumerate(PLACES[::2], start=1)
]


@pytest.fixture(scope="module")
async def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Database]]:
    """The same dams on both engines."""
    sqlite, postgresql = (shared_place(engine, request, tmp_path_factory) for engine in ENGINES)
    async with sqlite as one, postgresql as other, opened(one.url) as first, opened(other.url) as second:
        for database in (first, second):
            await fill(database, DAMS)
        yield [first, second]


# The same examples in each run; the databases are only read, so the examples may share them.
examples = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
boxes = st.tuples(longitudes, latitudes, longitudes, latitudes).map(
    lambda edges: BoxInput(west=edges[0], south=min(edges[1], edges[3]), east=edges[2], north=max(edges[1], edges[3]))
)
hazards = st.none() | st.lists(st.sampled_from(HAZARDS), max_size=2, unique=True)


def is_inside(dam: dict[str, Any], box: BoxInput) -> bool:
    if not box.south <= dam["latitude"] <= box.north:
        return False
    if box.west <= box.east:
        return bool(box.west <= dam["longitude"] <= box.east)
    return bool(dam["longitude"] >= box.west or dam["longitude"] <= box.east)


def chosen(chosen_hazards: list[Hazard] | None) -> list[dict[str, Any]]:
    return [dam for dam in DAMS if chosen_hazards is None or dam["hazard"] in chosen_hazards]


def edges_of(dams: list[dict[str, Any]]) -> tuple[float, float, float, float]:
    west, east = (edge(dam["longitude"] for dam in dams) for edge in (min, max))
    south, north = (edge(dam["latitude"] for dam in dams) for edge in (min, max))
    return west, south, east, north


@examples
@given(boxes, st.integers(0, 8), hazards, st.integers(0, len(DAMS)))
async def test_clusters_hold_what_a_count_in_python_holds(
    databases: list[Database], box: BoxInput, zoom: int, some_hazards: list[Hazard] | None, up_to: int
) -> None:
    grid = Grid(zoom)
    cells = defaultdict(list)
    for dam in chosen(some_hazards):
        if is_inside(dam, box) and dam["id"] <= up_to:
            column, row = (dam["longitude"] + 180) / grid.width, (dam["latitude"] + 90) / grid.height
            cells[math.floor(column), math.floor(row)].append(dam)
    expected = sorted(cells.values(), key=lambda dams: (-len(dams), dams[0]["id"]))
    where = conditions(DamFilter(box=box, hazards=some_hazards))
    for database in databases:
        found = await load_clusters(database, where, grid, up_to=up_to)
        assert [cluster.count for cluster in found] == [len(dams) for dams in expected]
        for cluster, dams in zip(found, expected, strict=True):
            assert cluster.extent == edges_of(dams)
            assert cluster.ids == (tuple(dam["id"] for dam in dams) if len(dams) <= 2 else ())
            for mean, name in ((cluster.longitude, "longitude"), (cluster.latitude, "latitude")):
                assert abs(mean - math.fsum(dam[name] for dam in dams) / len(dams)) < 1e-6


@examples
@given(boxes, hazards)
async def test_the_extent_is_the_narrowest_box_around_the_result(
    databases: list[Database], box: BoxInput, some_hazards: list[Hazard] | None
) -> None:
    dams = [dam for dam in chosen(some_hazards) if is_inside(dam, box)]
    where = conditions(DamFilter(box=box, hazards=some_hazards))
    extents = [await load_extent(database, where) for database in databases]
    assert extents[0] == extents[1]
    if not dams:
        assert extents[0] is None
        return
    assert extents[0] is not None
    west, south, east, north = extents[0]
    _, least, _, greatest = edges_of(dams)
    assert (south, north) == (least, greatest)
    extent = BoxInput(west=west, south=south, east=east, north=north)
    assert all(is_inside(dam, extent) for dam in dams)
    along = sorted({dam["longitude"] for dam in dams})
    gaps = [(right - left) % 360 for left, right in zip(along, [*along[1:], along[0]], strict=True)]
    widest = max(gaps) if len(along) > 1 else 360
    if widest > 2 * SECTOR:  # a narrower gap may be inside a sector
        assert (east - west) % 360 == pytest.approx((360 - widest) % 360)


@pytest.mark.parametrize(
    ("boxes", "extent"),
    [
        pytest.param([(170, -1, 175, 1), (-175, 0, -170, 2)], (170, -1, -170, 2), id="across 180°"),
        pytest.param([(-100, 30, -90, 40), (10, 0, 20, 1)], (-100, 0, 20, 40), id="across 0°"),
        pytest.param(
            [(-5, 0, 6, 1), (175, 0, 175, 1), (-175, 0, -175, 1)], (-5, 0, -175, 1), id="widest gap in the west"
        ),
        pytest.param([(1, 2, 1, 2)], (1, 2, 1, 2), id="one point"),
    ],
)
def test_the_widest_gap_stays_outside(boxes: list[Any], extent: Any) -> None:
    assert around(boxes) == extent


async def test_clusters_and_extent_over_http(server: Server) -> None:
    both_sides = [
        (await add(server, name=name, location={"latitude": 51.0, "longitude": longitude}))["dam"]
        for name, longitude in (("Attu", 173.0), ("Adak", -176.6), ("Amchitka", 179.3))
    ]
    ids = [dam["damId"] for dam in both_sides]
    edges = {"west": 173, "south": 51, "east": -176.6, "north": 51}
    found = (await server.query(CLUSTERS, box=edges, zoom=4, where={"river": "provo river"}))["damClusters"]
    assert found["lastDamId"] == ids[-1]
    assert [[dam["damId"] for dam in cell["dams"]] for cell in found["nodes"]] == [[ids[0]], [ids[1]], [ids[2]]]
    (cell, *_) = (await server.query(CLUSTERS, box=WORLD, zoom=0))["damClusters"]["nodes"]
    assert (cell["count"], cell["location"]) == (2, {"latitude": 51.0, "longitude": 176.15})
    assert cell["extent"] == {"west": 173, "south": 51, "east": 179.3, "north": 51}
    assert (await server.query(EXTENT))["dams"]["extent"] == edges
    assert (await server.query(EXTENT, where={"owner": "nobody"}))["dams"]["extent"] is None


@pytest.mark.parametrize(
    ("zoom", "message"),
    [
        (-1, "zoom must be from 0 to 22, not -1."),
        (MAX_ZOOM + 1, "zoom must be from 0 to 22, not 23."),
        (10, "At zoom 10 this box has some 11,195,736 cells; at most 1,600 are allowed. Ask for a smaller box"),
    ],
)
async def test_a_view_that_cannot_be_is_refused(server: Server, zoom: int, message: str) -> None:
    (error,) = (await server.post(CLUSTERS, box=WORLD, zoom=zoom))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith(message)


async def test_a_box_of_clusters_is_checked_as_in_filters(server: Server) -> None:
    (error,) = (await server.post(CLUSTERS, box=WORLD | {"south": 95}, zoom=1))["errors"]
    assert error["message"].startswith("box: ")


@given(boxes, st.integers(0, MAX_ZOOM))
def test_cells_are_never_more_than_said(box: BoxInput, zoom: int) -> None:
    grid = Grid(zoom)
    columns = {math.floor((edge + 180) / grid.width) for edge in (box.west, box.east)}
    rows = {math.floor((edge + 90) / grid.height) for edge in (box.south, box.north)}
    if box.west <= box.east:
        assert (max(columns) - min(columns) + 1) * (max(rows) - min(rows) + 1) <= grid.cells_in(box.edges)
    asked = cells_asked_for(zoom, vars(box))
    if grid.cells_in(box.edges) <= MAX_CELLS:
        assert grid_for(zoom, box.edges) == grid
        assert asked == grid.cells_in(box.edges)
    else:
        assert asked == MAX_CELLS


async def test_clusters_are_closed_with_the_rest_of_reading(serve: Serve, admin: Viewer) -> None:
    async with serve(public_read=False) as server:
        (error,) = (await server.post(CLUSTERS, token=None, box=WORLD, zoom=0))["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
