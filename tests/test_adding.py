"""addDam over HTTP: what is accepted, what is refused and how it is said."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from auth.tokens import create_token, revoke_token
from auth.users import add_user
from models.database import Database
from models.identity import Permission
from resolvers.dates import EARLIEST_CLOCK
from settings import Settings
from tests.conftest import ADMIN_TOKEN, ENGINES, Place, Server, served
from tests.shared import ADD, DEER_CREEK, add, new_token, opened, shared_place, state

TODAY = datetime.now(EARLIEST_CLOCK).date()
NEXT_YEAR = str(TODAY.year + 1)
CONTROL = "contains control characters or half of a character pair."


@pytest.fixture(scope="module", params=ENGINES)
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One for all tests of this module: they look at what they change."""
    async with shared_place(request.param, request, tmp_path_factory) as place:
        yield place


@pytest.fixture(scope="module")
async def database(place: Place) -> AsyncIterator[Database]:
    async with opened(place.url) as database:
        await add_user(database, "admin", ["admin"])
        await create_token(database, user="admin", name="test", token=ADMIN_TOKEN)
        yield database


@pytest.fixture(scope="module")
async def server(place: Place, database: Database) -> AsyncIterator[Server]:
    async with served(Settings(database_url=place.url)) as server:
        yield server


async def test_an_added_dam_is_returned_and_found(server: Server) -> None:
    added = await add(server)
    dam = added["dam"]
    assert (added["errors"], added["warnings"]) == ([], [])
    assert dam == DEER_CREEK | {key: dam[key] for key in ("id", "damId", "cursor")}
    assert added["edge"]["node"] == {"id": dam["id"]}
    found = await server.query("query ($id: ID!) { node(id: $id) { ... on Dam { damId } } }", id=dam["id"])
    assert found == {"node": {"damId": dam["damId"]}}


ACCEPTED = [
    ("blanks at the ends", {"name": "  Deer Creek\t\n"}, {"name": "Deer Creek"}),
    ("the longest text", {"name": "é" * 200}, {"name": "é" * 200}),
    ("an emoji", {"name": "🏞️ Dam 👨‍👩‍👧"}, {"name": "🏞️ Dam 👨‍👩‍👧"}),
    ("right-to-left", {"name": "سد \u200fقرعون"}, {"name": "سد \u200fقرعون"}),
    (
        "marks of SQL and patterns",
        {"owner": "'; DROP TABLE dams; -- %_\\"},
        {"owner": "'; DROP TABLE dams; -- %_\\"},
    ),
    ("a known owner", {"owner": "Army Corp"}, {"owner": "Army Corp"}),
    ("a month", {"dateBuilt": "1993-04"}, {"dateBuilt": "1993-04"}),
    ("a day", {"dateBuilt": "1993-04-12"}, {"dateBuilt": "1993-04-12"}),
    ("an English date", {"dateBuilt": "April 12, 1993"}, {"dateBuilt": "1993-04-12"}),
    ("a shortened month", {"dateBuilt": "Sept. 5, 1993"}, {"dateBuilt": "1993-09-05"}),
    ("a leap day", {"dateBuilt": "2000-02-29"}, {"dateBuilt": "2000-02-29"}),
    ("the first year", {"dateBuilt": "0001"}, {"dateBuilt": "0001"}),
    ("this year", {"dateBuilt": str(datetime.now(UTC).year)}, {"dateBuilt": str(datetime.now(UTC).year)}),
    ("today, where it begins first", {"dateBuilt": TODAY.isoformat()}, {"dateBuilt": TODAY.isoformat()}),
    (
        "a corner of the world",
        {"location": {"latitude": -90, "longitude": 180}},
        {"location": {"latitude": -90.0, "longitude": 180.0}},
    ),
    (
        "a GeoJSON Point",
        {"location": None, "geometry": {"type": "Point", "coordinates": [-111.5, 40.4]}},
        {"location": {"latitude": 40.4, "longitude": -111.5}},
    ),
    (
        "a GeoJSON Point with a height",
        {"location": None, "geometry": {"type": "Point", "coordinates": [-111, 40, 1655.5]}},
        {"location": {"latitude": 40.0, "longitude": -111.0}},
    ),
    (
        "the collection of the portal app's form",
        {
            "location": None,
            "geometry": {
                "type": "GeometryCollection",
                "geometries": [{"type": "Point", "coordinates": [-111.5, 40.4], "properties": {"id": 1}}],
            },
        },
        {"location": {"latitude": 40.4, "longitude": -111.5}},
    ),
]


@pytest.mark.parametrize(("changes", "shown"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
async def test_what_is_accepted_is_shown_as_it_is_kept(
    server: Server, changes: dict[str, Any], shown: dict[str, Any]
) -> None:
    added = await add(server, **changes)
    assert (added["errors"], added["warnings"]) == ([], [])
    assert {key: added["dam"][key] for key in shown} == shown


def point(*coordinates: Any) -> dict[str, Any]:
    return {"location": None, "geometry": {"type": "Point", "coordinates": list(coordinates)}}


def geometry(value: Any) -> dict[str, Any]:
    return {"location": None, "geometry": value}


def location(latitude: float, longitude: float) -> dict[str, Any]:
    return {"location": {"latitude": latitude, "longitude": longitude}}


def date_error(text: str, reason: str) -> tuple[str, str, str]:
    return ("INVALID_DATE", "dateBuilt", f'Date Built "{text}" {reason}.')


NOT_A_DATE = "is not a date; write 1941, 1993-04 or 1993-04-12"
NO_SUCH_DAY = "is not a date of the calendar"
NOT_COORDINATES = ("INVALID_LOCATION", "geometry", "The coordinates of a Point are [longitude, latitude].")
NOT_ONE_POINT = ("INVALID_LOCATION", "geometry", "A GeometryCollection must hold just one Point.")
NESTED: list[Any] = []
for _ in range(500):
    NESTED = [NESTED]

REFUSED = [
    ("no name", {"name": None}, [("REQUIRED", "name", "Name is required.")]),
    ("a blank name", {"name": " \t\u00a0\u3000"}, [("REQUIRED", "name", "Name is required.")]),
    ("an invisible name", {"name": "\u200b\u200d \ufeff"}, [("REQUIRED", "name", "Name is required.")]),
    ("no owner", {"owner": None}, [("REQUIRED", "owner", "Owner is required.")]),
    ("no river", {"river": ""}, [("REQUIRED", "river", "River is required.")]),
    ("no date", {"dateBuilt": None}, [("REQUIRED", "dateBuilt", "Date Built is required.")]),
    ("no place", {"location": None}, [("REQUIRED", "location", "Location is required.")]),
    (
        "nothing at all",
        dict.fromkeys(DEER_CREEK),
        [
            ("REQUIRED", "name", "Name is required."),
            ("REQUIRED", "owner", "Owner is required."),
            ("REQUIRED", "river", "River is required."),
            ("REQUIRED", "dateBuilt", "Date Built is required."),
            ("REQUIRED", "location", "Location is required."),
        ],
    ),
    (
        "long texts",
        {"name": "n" * 201, "owner": "o" * 10_000, "river": "é" * 201, "dateBuilt": "1" * 201},
        [
            ("TOO_LONG", "name", "Name has 201 characters; 200 are allowed."),
            ("TOO_LONG", "owner", "Owner has 10,000 characters; 200 are allowed."),
            ("TOO_LONG", "river", "River has 201 characters; 200 are allowed."),
            ("TOO_LONG", "dateBuilt", "Date Built has 201 characters; 200 are allowed."),
        ],
    ),
    ("a NUL", {"name": "Deer\x00Creek"}, [("INVALID_TEXT", "name", f"Name {CONTROL}")]),
    ("a line break", {"owner": "Deer\nCreek"}, [("INVALID_TEXT", "owner", f"Owner {CONTROL}")]),
    ("a line separator", {"river": "Deer\u2028Creek"}, [("INVALID_TEXT", "river", f"River {CONTROL}")]),
    ("an escape", {"river": "\x1b[31mred"}, [("INVALID_TEXT", "river", f"River {CONTROL}")]),
    (
        "a blank idempotency key",
        {"idempotencyKey": " "},
        [("INVALID_TEXT", "idempotencyKey", "idempotencyKey is blank. Give one that is new for each dam, or none.")],
    ),
    (
        "a long idempotency key",
        {"idempotencyKey": "k" * 201},
        [("TOO_LONG", "idempotencyKey", "idempotencyKey has 201 characters; 200 are allowed.")],
    ),
    ("a day that February lacks", {"dateBuilt": "1993-02-30"}, [date_error("1993-02-30", NO_SUCH_DAY)]),
    ("a leap day of another year", {"dateBuilt": "1900-02-29"}, [date_error("1900-02-29", NO_SUCH_DAY)]),
    ("a thirteenth month", {"dateBuilt": "1993-13"}, [date_error("1993-13", NO_SUCH_DAY)]),
    ("an English day that is not", {"dateBuilt": "April 31, 1993"}, [date_error("April 31, 1993", NO_SUCH_DAY)]),
    ("the year 0", {"dateBuilt": "0000"}, [date_error("0000", NO_SUCH_DAY)]),
    ("next year", {"dateBuilt": NEXT_YEAR}, [date_error(NEXT_YEAR, "is in the future")]),
    ("a day to come", {"dateBuilt": f"May 1, {NEXT_YEAR}"}, [date_error(f"May 1, {NEXT_YEAR}", "is in the future")]),
    ("no month", {"dateBuilt": "Foo 12, 1993"}, [date_error("Foo 12, 1993", NOT_A_DATE)]),
    ("a word", {"dateBuilt": "soon"}, [date_error("soon", NOT_A_DATE)]),
    ("other digits", {"dateBuilt": "١٩٤١"}, [date_error("١٩٤١", NOT_A_DATE)]),
    ("a five-digit year", {"dateBuilt": "19410"}, [date_error("19410", NOT_A_DATE)]),
    ("an instant", {"dateBuilt": "1993-04-12T00:00:00Z"}, [date_error("1993-04-12T00:00:00Z", NOT_A_DATE)]),
    (
        "day or month first",
        {"dateBuilt": "02/04/2013"},
        [date_error("02/04/2013", "could be one of two days; write 1941, 1993-04 or 1993-04-12")],
    ),
    (
        "latitude 91",
        location(91, 170),
        [("OUT_OF_RANGE", "location", "Latitude 91 is outside -90 to 90.")],
    ),
    (
        "longitude 181",
        location(40, 181),
        [("OUT_OF_RANGE", "location", "Longitude 181 is outside -180 to 180.")],
    ),
    (
        "a swapped pair",
        location(-111.5266, 40.4066),
        [
            (
                "OUT_OF_RANGE",
                "location",
                "Latitude -111.527 is outside -90 to 90. Latitude and longitude look swapped.",
            )
        ],
    ),
    (
        "a place twice",
        {"geometry": {"type": "Point", "coordinates": [0, 0]}},
        [("INVALID_LOCATION", "geometry", "Give location or geometry, not both.")],
    ),
    (
        "a swapped Point",
        point(40.4, -111.5),
        [
            (
                "OUT_OF_RANGE",
                "geometry",
                "Latitude -111.5 is outside -90 to 90. Latitude and longitude look swapped.",
            )
        ],
    ),
    (
        "a number beyond 64 bits",
        point(2**64, 0),
        [("OUT_OF_RANGE", "geometry", "Longitude 1.84467e+19 is outside -180 to 180.")],
    ),
    ("one coordinate", point(1), [NOT_COORDINATES]),
    ("four coordinates", point(1, 2, 3, 4), [NOT_COORDINATES]),
    ("coordinates as texts", point("1", "2"), [NOT_COORDINATES]),
    ("coordinates that are true", point(True, False), [NOT_COORDINATES]),
    ("coordinates that are null", point(None, None), [NOT_COORDINATES]),
    ("deep coordinates", point(NESTED, NESTED), [NOT_COORDINATES]),
    ("no coordinates", geometry({"type": "Point"}), [NOT_COORDINATES]),
    (
        "a line",
        geometry({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}),
        [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON Point, not LineString.")],
    ),
    (
        "a Feature",
        geometry({"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}}),
        [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON Point, not Feature.")],
    ),
    (
        "no type",
        geometry({}),
        [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON Point, not None.")],
    ),
    (
        "a long type",
        geometry({"type": "x" * 1000}),
        [("INVALID_LOCATION", "geometry", f"The geometry must be a GeoJSON Point, not {'x' * 40}.")],
    ),
    ("an empty collection", geometry({"type": "GeometryCollection", "geometries": []}), [NOT_ONE_POINT]),
    ("a collection of nothing", geometry({"type": "GeometryCollection"}), [NOT_ONE_POINT]),
    ("a collection of numbers", geometry({"type": "GeometryCollection", "geometries": [1]}), [NOT_ONE_POINT]),
    (
        "a collection of two",
        geometry({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [0, 0]}] * 2}),
        [NOT_ONE_POINT],
    ),
    (
        "a collection in a collection",
        geometry({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]}),
        [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON Point, not GeometryCollection.")],
    ),
    ("a text", geometry("POINT(0 0)"), [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON object.")]),
    ("a list", geometry([0, 0]), [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON object.")]),
    ("false", geometry(False), [("INVALID_LOCATION", "geometry", "The geometry must be a GeoJSON object.")]),
]


@pytest.mark.parametrize(("changes", "errors"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_what_is_refused_names_the_field_and_writes_nothing(
    server: Server, database: Database, changes: dict[str, Any], errors: list[tuple[str, str, str]]
) -> None:
    before = await state(database)
    refused = await add(server, **changes)
    expected = [{"code": code, "field": field, "message": message} for code, field, message in errors]
    assert refused == {"dam": None, "edge": None, "errors": expected, "warnings": []}
    assert await state(database) == before


@pytest.mark.parametrize("changes", [location(0, 0), location(-0.0, 0.0), point(0, 0)])
async def test_zero_zero_is_accepted_with_a_warning(server: Server, changes: dict[str, Any]) -> None:
    added = await add(server, **changes)
    assert added["dam"]["location"] == {"latitude": 0, "longitude": 0}
    assert added["warnings"] == ["Latitude 0, longitude 0 is in the Atlantic Ocean. Is the location known?"]


WRONG_TYPES = [
    ({"name": 5}, "Variable '$input' has invalid value at .name: String cannot represent a non string value: 5"),
    ({"location": 5}, "Expected value of type 'LocationInput' to be an object, found: 5."),
    ({"location": {"latitude": 1}}, "to include required field 'longitude'"),
    ({"location": {"latitude": "40", "longitude": 1}}, "Float cannot represent non numeric value: '40'"),
    ({"colour": "red"}, "not to include unknown field 'colour'"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG_TYPES)
async def test_an_input_of_the_wrong_type_is_told_by_graphql(
    server: Server, database: Database, changes: dict[str, Any], message: str
) -> None:
    before = await state(database)
    (error,) = (await server.post(ADD, input=DEER_CREEK | changes))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert message in error["message"]
    assert await state(database) == before


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400])
@pytest.mark.parametrize("field", ["location", "geometry"])
async def test_numbers_that_json_lacks_are_refused_as_json(server: Server, number: str, field: str) -> None:
    value: Any = {"latitude": 0.125, "longitude": 0}
    if field == "geometry":
        value = {"type": "Point", "coordinates": [0, 0.125]}
    body = {"query": ADD, "variables": {"input": {**DEER_CREEK, "location": None, field: value}}}
    content = orjson.dumps(body).replace(b"0.125", number.encode())
    answer = await server.http.post(
        "/graphql",
        content=content,
        headers={"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "application/json"},
    )
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (400, "application/json")
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_REQUEST"]


LITERALS = [
    ("location: {latitude: 1e400, longitude: 0}", "Latitude must be a number of degrees, not inf."),
    ("location: {latitude: 0, longitude: -1e400}", "Longitude must be a number of degrees, not -inf."),
    ('geometry: {type: "Point", coordinates: [1e400, 0]}', "Longitude must be a number of degrees, not inf."),
    (f'geometry: {{type: "Point", coordinates: [{"9" * 400}, 0]}}', "Longitude must be a number of degrees, not inf."),
]


@pytest.mark.parametrize(("place_literal", "message"), LITERALS)
async def test_infinite_literals_are_out_of_range(server: Server, place_literal: str, message: str) -> None:
    document = f"""mutation {{ addDam(input: {{
      name: "A", owner: "B", river: "C", dateBuilt: "1941", {place_literal} }}) {{ errors {{ code message }} }} }}"""
    assert (await server.query(document))["addDam"]["errors"] == [{"code": "OUT_OF_RANGE", "message": message}]


@pytest.mark.parametrize(
    ("literal", "code"),
    [
        ("[" * 100 + "]" * 100, None),
        ("[" * 5_000 + "]" * 5_000, "DOCUMENT_TOO_DEEP"),
        ('{type: "Point", coordinates: [' + "9" * 5_000 + ", 0]}", None),
        ('"\\ud800"', "GRAPHQL_PARSE_FAILED"),
    ],
    ids=["deep", "very deep", "thousands of digits", "half of a pair"],
)
async def test_strange_geojson_literals_are_refused(server: Server, literal: str, code: str | None) -> None:
    answer = await server.post(f"mutation {{ addDam(input: {{geometry: {literal}}}) {{ dam {{ id }} }} }}")
    if code is None:
        assert answer["data"] == {"addDam": {"dam": None}}
    else:
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]


async def test_half_of_a_character_pair_is_not_json(server: Server) -> None:
    content = orjson.dumps({"query": ADD, "variables": {"input": DEER_CREEK}}).replace(b"Deer", b"\\ud800")
    answer = await server.http.post("/graphql", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_who_may_not_add_is_told_at_the_top_level(server: Server, database: Database) -> None:
    now = datetime.now(UTC)
    expired = now - timedelta(minutes=1)
    revoked = await new_token(database, "revoked", "contributor")
    await revoke_token(database, user="revoked", name="test")
    tokens = {
        None: "Sign in with an API token that has the permission add_dams.",
        "dams_unknown": "This API token is unknown or was revoked. Ask for a new one.",
        revoked: "This API token is unknown or was revoked. Ask for a new one.",
        await new_token(database, "expired", "contributor", expires_at=expired): (
            f"This API token expired on {expired:%Y-%m-%d %H:%M} UTC. Ask for a new one."
        ),
        await new_token(database, "reader", "reader"): "reader has no permission add_dams.",
        await new_token(database, "scoped", "contributor", scopes=[Permission.VIEW_DAMS]): (
            "scoped has no permission add_dams."
        ),
    }
    before = await state(database)
    for token, message in tokens.items():
        code, status = ("FORBIDDEN", 403) if "has no permission" in message else ("UNAUTHENTICATED", 401)
        headers = {"accept": "application/graphql-response+json"}
        answer = await server.http.post(
            "/graphql",
            json={"query": ADD, "variables": {"input": DEER_CREEK}},
            headers=headers | ({"authorization": f"Bearer {token}"} if token else {}),
        )
        assert answer.status_code == status
        (error,) = answer.json()["errors"]
        assert (error["message"], error["path"], error["extensions"]) == (message, ["addDam"], {"code": code})
        assert (await server.post(ADD, token, input=DEER_CREEK))["data"] is None
    assert await state(database) == before


async def test_the_input_of_who_may_not_add_is_not_looked_at(server: Server) -> None:
    (error,) = (await server.post(ADD, None, input={}))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_for_adding_alone_adds_and_reads_what_anybody_may(server: Server, database: Database) -> None:
    token = await new_token(database, "adder", "contributor", scopes=[Permission.ADD_DAMS])
    added = await add(server, token)
    found = await server.query(
        "query ($id: ID) { dam(id: $id) { damId } viewer { permissions } }", token, id=added["dam"]["id"]
    )
    assert found == {"dam": {"damId": added["dam"]["damId"]}, "viewer": {"permissions": ["add_dams", "view_dams"]}}


async def test_a_key_used_for_another_dam_gives_that_one_with_a_warning(server: Server) -> None:
    first = DEER_CREEK | {"idempotencyKey": "k"}
    await server.query(ADD, input=first)
    again = (await server.query(ADD, input=first))["addDam"]
    assert (again["dam"]["name"], again["warnings"]) == ("Deer Creek", [])
    other = (await server.query(ADD, input=first | {"name": "Jordanelle"}))["addDam"]
    assert (other["dam"]["name"], other["errors"]) == ("Deer Creek", [])
    assert other["warnings"] == [
        "This idempotencyKey was used before, for another dam: that one is returned, nothing was added."
    ]
