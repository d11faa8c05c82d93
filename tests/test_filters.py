"""Each condition of a filter: what the databases say is what Python says, and what cannot be asked is refused."""

import dataclasses
import math
import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, Select, select

from models.dam import DAM_COLUMNS
from models.database import Database
from models.errors import BadUserInput
from models.spatial import SPATIAL
from models.vocabulary import Hazard, OwnerType, Purpose
from resolvers.counts import count_dams
from resolvers.dams import select_dams
from resolvers.dates import iso
from resolvers.filters import CONDITIONS, MAX_FILTER_TEXT, Filter, asked, meets
from resolvers.text import fold
from schema.filters import BoxInput, CircleInput, DamFilter, FloatRange, conditions
from schema.scalars import GeoJSON, PartialDate
from tests.conftest import ENGINES, Server
from tests.shared import dam_values, fill, opened, shared_place

COUNT = 250
TEXTS = [
    *("Deer Creek", "DEER  CREEK", "deer creek", "100% Dam", "100 Dam", "under_score", "underXscore", "back\\slash"),
    *("/slash/", "Ångström", "ANGSTRÖM", "straße", "STRASSE", "İstanbul", "Istanbul", "№ 5", "no 5", "水库", "🏞️ dam"),
    *("سد قرعون", "\U0001d400\U0001d401", "AB", "ﬁn", "é", "e\u0301", "%", "_", "\\", "\\%", "'", '"'),
]
DAYS = [date(1900, 1, 1) + timedelta(days=97 * number) for number in range(120)]
SPANS = [
    *((day, day) for day in DAYS),
    *((date(year, 1, 1), date(year, 12, 31)) for year in range(1900, 1932)),
    *((date(year, 4, 1), date(year, 4, 30)) for year in range(1900, 1932)),
]
NUMBERS = [0.1, 0.30000000000000004, 1.0, 28.4, 28.400000000000002, 1e-300, 770.5, 1e300, 5e-324]


def random_dams() -> list[dict[str, Any]]:
    """Many alike and many unknown."""
    some = random.Random(3)
    dams = []
    for dam_id in range(1, COUNT + 1):
        first_day, last_day = some.choice([(None, None), *SPANS])
        dams.append(
            dam_values(
                id=dam_id,
                name=some.choice([None, *TEXTS]),
                other_names=tuple(some.sample(TEXTS, some.choice([0, 0, 1, 3]))),
                owner=some.choice([None, *TEXTS]),
                river=some.choice([None, *TEXTS]),
                county=some.choice([None, *TEXTS]),
                state=some.choice([None, "UT", "ID", "PR"]),
                external_id=f"UT{dam_id:05}" if dam_id % 3 else None,
                hazard=some.choice([None, *Hazard]),
                owner_types=tuple(some.sample(list(OwnerType), some.choice([0, 1, 2]))),
                purposes=tuple(some.sample(list(Purpose), some.choice([0, 1, 2, 12]))),
                height_ft=some.choice([None, *NUMBERS]),
                storage_acre_ft=some.choice([None, *NUMBERS]),
                built_first_day=first_day,
                built_last_day=last_day,
                longitude=some.choice([some.uniform(-180, 180), some.randrange(-20, 21) / 4, -180.0, 180.0]),
                latitude=some.choice([some.uniform(-90, 90), some.randrange(-20, 21) / 4, -90.0, 90.0]),
            )
        )
    return dams


DAMS = random_dams()


class Stock:
    """No dataclass: Hypothesis would print all its rows with each example that fails."""

    def __init__(self, database: Database, rows: list[Row[Any]]) -> None:
        self.database = database
        self.rows = rows

    async def ids(self, where: Filter) -> list[int]:
        def select_ids() -> Select[Any]:
            return select_dams(where, SPATIAL[self.database.dialect], ("id",))

        shape, values = asked(where)
        return sorted(dam_id for (dam_id,) in await self.database.fetch(("ids", shape), select_ids, values))


@pytest.fixture(scope="module", params=ENGINES)
async def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stock]:
    async with shared_place(request.param, request, tmp_path_factory) as place, opened(place.url) as database:
        await fill(database, DAMS)
        async with database.read() as connection:
            rows = list(await connection.execute(select(*DAM_COLUMNS).order_by(DAM_COLUMNS[0])))
        yield Stock(database, rows)


def some_of(values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), max_size=4)


def case_changed(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from([text, text.upper(), text.lower(), f"  {text} "])


texts = st.sampled_from(TEXTS).flatmap(case_changed) | st.text(max_size=3)
parts = texts | st.tuples(st.sampled_from(TEXTS), st.integers(0, 5), st.integers(1, 6)).map(
    lambda cut: cut[0][cut[1] : cut[1] + cut[2]]
)
bounds = st.none() | st.sampled_from(NUMBERS) | st.floats(allow_nan=False)
ranges = st.builds(FloatRange, min=bounds, max=bounds)
dates = st.sampled_from(SPANS).map(lambda span: PartialDate(iso(*span)))
longitudes = st.floats(-180, 180) | st.integers(-20, 20).map(lambda quarter: quarter / 4)
latitudes = st.floats(-90, 90) | st.integers(-20, 20).map(lambda quarter: quarter / 4)
corners = st.tuples(longitudes, latitudes)


def ring(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Round their middle, so that few rings cross themselves."""
    middle = [sum(point[axis] for point in points) / len(points) for axis in (0, 1)]
    turned = sorted(points, key=lambda point: math.atan2(point[1] - middle[1], point[0] - middle[0]))
    return [*turned, turned[0]]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": parts,
    "owner": texts,
    "river": texts,
    "counties": st.lists(texts, max_size=4),
    "states": some_of(["UT", "ut", "ID", "PR", "XX", "%"]),
    "external_ids": some_of(["UT00001", "ut00002", "UT00003", "UT00250", "_"]),
    "hazards": some_of(Hazard),
    "owner_types": some_of(OwnerType),
    "purposes": some_of(Purpose),
    "height_ft": ranges,
    "storage_acre_ft": ranges,
    "built_before": dates,
    "built_after": dates,
    "box": st.builds(BoxInput, west=longitudes, south=latitudes, east=longitudes, north=latitudes),
    "within": st.builds(CircleInput, longitude=longitudes, latitude=latitudes, metres=st.floats(0.001, 2e7)),
    "polygon": st.lists(corners, min_size=3, max_size=8).map(
        lambda points: GeoJSON({"type": "Polygon", "coordinates": [ring(points)]})
    ),
}


def usable(**where: Any) -> Filter:
    """The checked conditions, of values that can be asked for."""
    try:
        return conditions(DamFilter(**where))
    except BadUserInput:
        assume(False)
        raise


# The same examples in each run; the database is only read, so the examples may share it.
examples = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_every_field_has_a_condition_and_every_condition_a_field() -> None:
    fields = {field.name for field in dataclasses.fields(DamFilter)}
    assert fields == CONDITIONS.keys() == VALUES.keys()


@pytest.mark.parametrize("name", CONDITIONS)
@examples
@given(data=st.data())
async def test_a_condition_means_the_same_to_the_database_and_to_python(
    stock: Stock, name: str, data: st.DataObject
) -> None:
    where = usable(**{name: data.draw(VALUES[name])})
    assert await stock.ids(where) == [row.id for row in stock.rows if meets(row, where)]


@examples
@given(where=st.fixed_dictionaries({}, optional=VALUES))
async def test_a_dam_meets_a_filter_where_it_meets_each_condition(stock: Stock, where: dict[str, Any]) -> None:
    together = usable(**where)
    expected = [row.id for row in stock.rows if meets(row, together)]
    assert await stock.ids(together) == expected
    assert await count_dams(stock.database, together) == len(expected)


FOUND = [
    ("part of a name", {"text": "ER cre"}, lambda dam: "deer creek" in dam["search_key"]),
    ("a percent sign is itself", {"text": "100%"}, lambda dam: "100%" in dam["search_key"]),
    ("an underscore is itself", {"text": "r_s"}, lambda dam: "r_s" in dam["search_key"]),
    ("accents do not matter", {"owner": "angstrom"}, lambda dam: dam["owner"] in {"Ångström", "ANGSTRÖM"}),
    ("sharp s is ss", {"river": "Strasse"}, lambda dam: dam["river"] in {"straße", "STRASSE"}),
    ("capitals hidden in a sign", {"counties": ["NO 5"]}, lambda dam: dam["county"] in {"№ 5", "no 5"}),
    ("codes in small letters", {"states": ["ut", "pr"]}, lambda dam: dam["state"] in {"UT", "PR"}),
    ("no choice", {"states": []}, lambda dam: False),
    ("no purpose", {"purposes": []}, lambda dam: False),
    ("no bounds", {"height_ft": FloatRange()}, lambda dam: dam["height_ft"] is not None),
    ("both ends", {"height_ft": FloatRange(min=28.4, max=28.4)}, lambda dam: dam["height_ft"] == 28.4),
    (
        "before a year",
        {"built_before": PartialDate("1910")},
        lambda dam: dam["built_last_day"] is not None and dam["built_last_day"] < date(1910, 1, 1),
    ),
    (
        "after a month",
        {"built_after": PartialDate("1910-04")},
        lambda dam: dam["built_first_day"] is not None and dam["built_first_day"] > date(1910, 4, 30),
    ),
    (
        "across 180°",
        {"box": BoxInput(west=170, south=-90, east=-170, north=90)},
        lambda dam: abs(dam["longitude"]) >= 170,
    ),
]


@pytest.mark.parametrize(("where", "expected"), [case[1:] for case in FOUND], ids=[case[0] for case in FOUND])
async def test_what_is_found(stock: Stock, where: dict[str, Any], expected: Any) -> None:
    assert await stock.ids(conditions(DamFilter(**where))) == [dam["id"] for dam in DAMS if expected(dam)]


@given(st.text())
@settings(deadline=None, derandomize=True)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert not any("A" <= character <= "Z" for character in fold(text))


def polygon(*rings: Any) -> dict[str, Any]:
    return {"polygon": {"type": "Polygon", "coordinates": list(rings)}}


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
CIRCLE = [[math.cos(step * math.tau / 10_000), math.sin(step * math.tau / 10_000)] for step in range(10_000)]
NO_RINGS = "polygon must have rings of at least 4 positions [longitude, latitude], the last one as the first."
NO_AREA = "polygon must be a GeoJSON Polygon or MultiPolygon."
RADIUS = "within: metres must be above 0 and at most 20,100,000, not"

REFUSED = [
    ("a long text", {"text": "x" * 201}, f"text must have at most {MAX_FILTER_TEXT} characters and no NUL among them."),
    ("a NUL", {"owner": "a\0"}, f"owner must have at most {MAX_FILTER_TEXT} characters and no NUL among them."),
    (
        "a long id",
        {"externalIds": ["x" * 201]},
        f"externalIds must have at most {MAX_FILTER_TEXT} characters and no NUL among them.",
    ),
    ("101 states", {"states": ["UT"] * 101}, "states must have at most 100 values, not 101."),
    ("101 hazards", {"hazards": ["HIGH"] * 101}, "hazards must have at most 100 values, not 101."),
    (
        "a range upside down",
        {"heightFt": {"min": 2, "max": 1.5}},
        "heightFt must have a min that is not above its max; 2 is above 1.5.",
    ),
    ("a day that is not", {"builtBefore": "1993-02-30"}, 'builtBefore: "1993-02-30" is not a date of the calendar.'),
    (
        "an English date",
        {"builtAfter": "April 12, 1993"},
        'builtAfter: "April 12, 1993" is not a date; write 1941, 1993-04 or 1993-04-12.',
    ),
    (
        "a box upside down",
        {"box": {"west": 0, "south": 1, "east": 1, "north": -1}},
        "box: south 1 is north of -1.",
    ),
    (
        "a box off the world",
        {"box": {"west": 0, "south": 0, "east": 181, "north": 1}},
        "box: Longitude 181 is outside -180 to 180.",
    ),
    (
        "a box that is swapped",
        {"box": {"west": 40, "south": -112, "east": 41, "north": -111}},
        "box: Latitude -112 is outside -90 to 90. Latitude and longitude look swapped.",
    ),
    ("no radius", {"within": {"latitude": 0, "longitude": 0, "metres": 0}}, f"{RADIUS} 0."),
    ("a negative radius", {"within": {"latitude": 0, "longitude": 0, "metres": -5}}, f"{RADIUS} -5."),
    ("too long a radius", {"within": {"latitude": 0, "longitude": 0, "metres": 2e9}}, f"{RADIUS} 2e+09."),
    (
        "a centre off the world",
        {"within": {"latitude": -90.5, "longitude": 170, "metres": 5}},
        "within: Latitude -90.5 is outside -90 to 90.",
    ),
    ("well-known text", {"polygon": "POLYGON((0 0))"}, NO_AREA),
    ("a list", {"polygon": SQUARE}, NO_AREA),
    ("a point", {"polygon": {"type": "Point", "coordinates": [0, 0]}}, NO_AREA),
    ("a type that is a list", {"polygon": {"type": ["Polygon"], "coordinates": [SQUARE]}}, NO_AREA),
    ("a feature", {"polygon": {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}}, NO_AREA),
    ("two points", polygon([[0, 0], [1, 1]]), NO_RINGS),
    ("an open ring", polygon([[0, 0], [1, 0], [1, 1], [0, 1]]), NO_RINGS),
    ("no rings", {"polygon": {"type": "Polygon"}}, NO_RINGS),
    ("texts for numbers", polygon([["0", 0], [1, 0], [1, 1], ["0", 0]]), NO_RINGS),
    ("null for a number", polygon([[None, 0], [1, 0], [1, 1], [None, 0]]), NO_RINGS),
    ("one coordinate each", polygon([[0], [1], [2], [0]]), NO_RINGS),
    (
        "a number beyond 64 bits",
        polygon([[2**64, 0], [1, 0], [1, 1], [2**64, 0]]),
        "polygon: Longitude 1.84467e+19 is outside -180 to 180.",
    ),
    ("deep nesting", polygon(deep(200)), NO_RINGS),
    ("deeper nesting", polygon(deep(900)), NO_RINGS),
    ("nothing", polygon(), "polygon is not a valid area: it is empty."),
    (
        "parts of nothing",
        {"polygon": {"type": "MultiPolygon", "coordinates": [[]]}},
        "polygon is not a valid area: it is empty.",
    ),
    (
        "a bow tie",
        polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]),
        "polygon is not a valid area: Self-intersection[0.5 0.5].",
    ),
    (
        "a hole outside",
        polygon(SQUARE, [[5, 5], [6, 5], [6, 6], [5, 5]]),
        "polygon is not a valid area: Hole lies outside shell[5 5].",
    ),
    (
        "a vertex too many",
        polygon([*CIRCLE[:5_000], CIRCLE[0]]),
        "polygon has 5,001 vertices; at most 5,000 are allowed. Simplify it.",
    ),
    (
        "off the world",
        polygon([[170, 0], [190, 0], [190, 1], [170, 0]]),
        "polygon: Longitude 190 is outside -180 to 180.",
    ),
]
WHERE = "query ($where: DamFilter) { dams(where: $where) { totalCount } }"


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> str:
    """One will do for what is refused before a database is asked."""
    return str(request.param)


async def test_what_cannot_be_asked_is_refused_with_a_reason(server: Server) -> None:
    for case, where, message in REFUSED:
        (error,) = (await server.post(WHERE, where=where))["errors"]
        assert (error["extensions"], error["message"]) == ({"code": "BAD_USER_INPUT"}, message), case


async def test_what_graphql_cannot_take_for_a_filter_is_refused(server: Server) -> None:
    for where in (
        "UT",
        {"states": [None]},
        {"states": [5]},
        {"hazards": ["DREADFUL"]},
        {"colour": "red"},
        {"box": {"west": 0, "south": 0, "east": 1}},
        {"heightFt": {"min": "1"}},
        {"builtBefore": 1941},
        {"builtBefore": ["1941"]},
        {"builtBefore": {"year": 1941}},
    ):
        (error,) = (await server.post(WHERE, where=where))["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}, where


async def test_infinite_bounds_are_bounds(server: Server) -> None:
    document = "{ dams(where: {heightFt: {min: %s, max: %s}}) { totalCount } }"
    for low, high in (("1e400", "1e400"), ("-1e400", "-1e400"), ("-1e400", "1e400")):
        assert (await server.query(document % (low, high)))["dams"] == {"totalCount": 0}


async def test_null_is_no_condition(server: Server) -> None:
    nothing = dict.fromkeys(("text", "states", "box", "within", "polygon", "heightFt", "builtBefore"))
    assert (await server.query(WHERE, where=nothing))["dams"] == {"totalCount": 0}


async def test_polygons_may_have_heights_and_members_of_old_geojson(server: Server) -> None:
    square = [[*position, 1655.5] for position in SQUARE]
    where = {"polygon": {"type": "Polygon", "coordinates": [square], "bbox": [0, 0, 1, 1], "crs": {"type": "name"}}}
    assert (await server.query(WHERE, where=where))["dams"] == {"totalCount": 0}
