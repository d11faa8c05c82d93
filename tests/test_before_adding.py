"""What an add form asks before it adds: names in use, and dams that may be the same one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from models import Dam
from models.database import Database
from resolvers.duplicates import similarity
from resolvers.names import select_names
from settings import Settings
from tests.conftest import ENGINES, Place, Server, served
from tests.shared import dam_values, fill, opened, shared_place

RIVERS = ["Provo River", "provo river", "Próvo  Creek", "PROVO", "Weber River", None, "100% River", "TR-Provo River"]
NAMES = "query ($start: String!, $first: Int! = 10) { riverNames(startingWith: $start, first: $first) }"
DUPLICATES = """query ($latitude: Float!, $longitude: Float!, $name: String) {
  possibleDuplicates(latitude: $latitude, longitude: $longitude, name: $name) {
    dam { damId } distanceM nameSimilarity } }"""

NORTH_M = 111_000.0
"""A degree of latitude there, roughly."""


def dams() -> list[dict[str, Any]]:
    """Rivers at one place; then dams to the north of 40°, -111°: `at` 0, 0.1, 2 and 20 km."""
    rivers = [dam_values(id=number, river=river) for number, river in enumerate(RIVERS, 1)]
    near = [("Deer Creek Dam", 0.0), ("Dike", 100.0), ("Deer Creek", 2_000.0), ("Deer Creek", 20_000.0), (None, 50.0)]
    return rivers + [
        dam_values(id=number, name=name, longitude=-111.0, latitude=40 + metres / NORTH_M)
        for number, (name, metres) in enumerate(near, 101)
    ]


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.fixture(scope="module", params=ENGINES)
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with shared_place(request.param, request, tmp_path_factory) as place:
        async with opened(place.url) as database:
            await fill(database, dams())
        yield place


@pytest.fixture
async def reader(place: Place) -> AsyncIterator[Server]:
    async with served(Settings(database_url=place.url)) as server:
        yield server


async def test_names_in_use_are_told_once_as_they_were_first_written(reader: Server) -> None:
    async def names(start: str, **more: int) -> Any:
        return (await reader.query(NAMES, None, start=start, **more))["riverNames"]

    assert await names("próVO") == ["PROVO", "Próvo  Creek", "Provo River"]
    assert await names("", first=2) == ["100% River", "PROVO"]
    assert await names("%") == await names("x") == []


async def test_names_are_read_by_an_index(database: Database) -> None:
    """From key to key: without an index, each would be a look at all dams."""
    async with database.read() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))  # a table this small is read as a whole
        statement = select_names(Dam.owner, Dam.owner_key, "a").compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = "\n".join(map(str, await connection.execute(text(f"{EXPLAIN[database.dialect]} {statement}"))))
    assert "ix_dams_owner_key_id" in plan
    assert "Seq Scan" not in plan
    assert "SCAN dams" not in plan


async def test_dams_at_the_place_and_those_around_of_a_like_name_may_be_the_same(reader: Server) -> None:
    async def found(**variables: Any) -> list[tuple[int, bool]]:
        answer = await reader.query(DUPLICATES, None, **variables)
        return [(each["dam"]["damId"], each["nameSimilarity"] > 0.9) for each in answer["possibleDuplicates"]]

    here = {"latitude": 40.0, "longitude": -111.0}
    assert await found(**here) == [(101, False), (105, False), (102, False)]
    assert await found(**here, name="DEER CREEK reservoir") == [(101, True), (105, False), (102, False), (103, True)]
    assert await found(latitude=41.0, longitude=-111.0, name="Deer Creek") == []


async def test_a_place_that_is_none_is_refused_by_its_name(reader: Server) -> None:
    answer = await reader.post(DUPLICATES, None, latitude=91.0, longitude=0.0)
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["message"]) == (
        "BAD_USER_INPUT",
        "location: Latitude 91 is outside -90 to 90. Latitude and longitude look swapped.",
    )


@pytest.mark.parametrize(
    ("wanted", "names", "least", "most"),
    [
        pytest.param("jordanelle", ["Jordanelle Dam"], 1.0, 1.0, id="generic words do not count"),
        pytest.param("lake", ["Lake"], 1.0, 1.0, id="unless there are no others"),
        pytest.param("jordanele", ["Jordanelle"], 0.9, 0.99, id="a slip"),
        pytest.param("jordanelle", ["Deer Creek", "Jordanelle"], 1.0, 1.0, id="a former name"),
        pytest.param("jordanelle", ["Deer Creek"], 0.0, 0.5, id="another name"),
        pytest.param("", ["Deer Creek", None], 0.0, 0.0, id="no name yet"),
    ],
)
def test_similarity_of_names(wanted: str, names: list[str | None], least: float, most: float) -> None:
    assert least <= similarity(wanted, names) <= most
