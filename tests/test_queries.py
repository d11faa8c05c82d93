"""Reading dams over HTTP: pages in every order, single dams, the inventory, the viewer."""

import base64
import itertools
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, event

from auth.tokens import create_token
from auth.users import add_user
from auth.viewer import Viewer
from models.database import Database
from models.driver import PostgresDriver, SqliteDriver
from models.identity import Permission
from models.statement import Statement
from resolvers.adding import NewDam, add_dam, remove_dam
from resolvers.cursors import dam_global_id, event_cursor
from resolvers.dates import parse_iso
from resolvers.inventory import set_cap
from resolvers.locations import Point
from resolvers.pagination import SORT_COLUMNS
from schema import lookahead
from schema.documents import known
from settings import Settings
from tests.conftest import ADMIN_TOKEN, ENGINES, Serve, Server, served
from tests.shared import dam_values, fill, opened, shared_place

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: DamOrder, $where: DamFilter) {
  dams(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, where: $where) {
    nodes { damId } edges { cursor node { damId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ORDERS = [(field, direction) for field in SORT_COLUMNS for direction in ("ASC", "DESC")]
COUNT = 120


def random_dams(count: int = COUNT) -> list[dict[str, Any]]:
    """Few different values, so that many are equal and many unknown; texts beyond ASCII and the BMP among them."""
    some = random.Random(1)
    names = [None, "Zoë", "zoe", "Ångström", "émile", "Deer Creek", "deer  creek", "水库", "🏞️", "ﬁn", "\U0001d400", "~"]
    days = [date(1941, 1, 1) + timedelta(days=some.randrange(20_000)) for _ in range(8)]
    return [
        dam_values(
            id=dam_id,
            name=some.choice(names),
            owner=some.choice(names),
            river=some.choice(names),
            built_first_day=(day := some.choice([None, *days])),
            built_last_day=day,
            height_ft=some.choice([None, 0.1, 0.30000000000000004, 28.4, 1e-300, 770.5]),
            storage_acre_ft=some.choice([None, 1 / 3, 2**53 + 2.0, 40.0, 41.0]),
            longitude=some.uniform(-180, 180),
            latitude=some.uniform(-90, 90),
        )
        for dam_id in sorted(some.sample(range(1, 10 * count), count))
    ]


@dataclass
class Stock:
    dams: list[dict[str, Any]]
    server: Server

    def ordered(self, field: str, direction: str) -> list[int]:
        """Ids as Python sorts them: by value and id, unknown values last."""
        column, downwards = SORT_COLUMNS[field].key, direction == "DESC"
        known = sorted(((dam[column], dam["id"]) for dam in self.dams if dam[column] is not None), reverse=downwards)
        unknown = sorted((dam["id"] for dam in self.dams if dam[column] is None), reverse=downwards)
        return [dam_id for _, dam_id in known] + unknown


@pytest.fixture(scope="module", params=ENGINES)
async def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stock]:
    """For tests that only read, each answer anew."""
    async with shared_place(request.param, request, tmp_path_factory) as place, opened(place.url) as database:
        await add_user(database, "admin", ["admin"])
        await create_token(database, user="admin", name="test", token=ADMIN_TOKEN)
        dams = random_dams()
        await fill(database, dams)
        async with served(Settings(database_url=place.url, kept_answers_mb=0)) as server:
            yield Stock(dams, server)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The SQL on dams that is sent, but for that of the hub, which reads the log when it pleases."""
    sent: list[str] = []

    def note(statement: str) -> None:
        statement = " ".join(statement.split())
        if "events" not in statement and ("FROM dams" in statement or "FROM inventory" in statement):
            sent.append(statement)

    def by_sqlalchemy(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    for driver in (PostgresDriver, SqliteDriver):
        fetch = driver.fetch

        async def noted(self: Any, text: str, parameters: Any, fetch: Any = fetch) -> Any:
            note(text)
            return await fetch(self, text, parameters)

        monkeypatch.setattr(driver, "fetch", noted)
    event.listen(Engine, "before_cursor_execute", by_sqlalchemy)
    yield sent
    event.remove(Engine, "before_cursor_execute", by_sqlalchemy)


async def page(server: Server, **arguments: Any) -> Any:
    return (await server.query(PAGE, None, **arguments))["dams"]


async def refusal(server: Server, document: str, **variables: Any) -> tuple[str, str]:
    """Code and message of the only error."""
    (error,) = (await server.post(document, None, **variables))["errors"]
    return error["extensions"]["code"], error["message"]


@pytest.mark.parametrize(("field", "direction"), ORDERS)
@pytest.mark.parametrize("size", [7, 100])
async def test_pages_forwards_hold_each_dam_once_and_in_order(
    stock: Stock, field: str, direction: str, size: int
) -> None:
    expected = stock.ordered(field, direction)
    seen: list[int] = []
    after = None
    while len(seen) < COUNT:
        got = await page(stock.server, first=size, after=after, orderBy={"field": field, "direction": direction})
        info = got["pageInfo"]
        assert info["hasPreviousPage"] is bool(seen)
        seen += [node["damId"] for node in got["nodes"]]
        assert info["hasNextPage"] is (len(seen) < COUNT)
        assert [edge["node"] for edge in got["edges"]] == got["nodes"]
        assert (info["startCursor"], info["endCursor"]) == (got["edges"][0]["cursor"], got["edges"][-1]["cursor"])
        after = info["endCursor"]
    assert seen == expected


@pytest.mark.parametrize(("field", "direction"), ORDERS)
@pytest.mark.parametrize("size", [7, 100])
async def test_pages_backwards_hold_each_dam_once_and_in_order(
    stock: Stock, field: str, direction: str, size: int
) -> None:
    seen: list[int] = []
    before = None
    while len(seen) < COUNT:
        got = await page(stock.server, last=size, before=before, orderBy={"field": field, "direction": direction})
        assert got["pageInfo"]["hasNextPage"] is bool(seen)
        seen = [node["damId"] for node in got["nodes"]] + seen
        assert got["pageInfo"]["hasPreviousPage"] is (len(seen) < COUNT)
        before = got["pageInfo"]["startCursor"]
    assert seen == stock.ordered(field, direction)


@pytest.mark.parametrize(("field", "direction"), ORDERS)
async def test_a_page_between_two_cursors_holds_what_is_between(stock: Stock, field: str, direction: str) -> None:
    order = {"field": field, "direction": direction}
    edges = (await page(stock.server, first=100, orderBy=order))["edges"]
    ids = [edge["node"]["damId"] for edge in edges]
    bounds = {"after": edges[10]["cursor"], "before": edges[90]["cursor"], "orderBy": order}
    for size, between in (({"first": 100}, ids[11:90]), ({"first": 5}, ids[11:16]), ({"last": 5}, ids[85:90])):
        got = await page(stock.server, **bounds, **size)
        assert [node["damId"] for node in got["nodes"]] == between
        assert (got["pageInfo"]["hasPreviousPage"], got["pageInfo"]["hasNextPage"]) == (True, True)


async def test_the_order_of_adding_and_twenty_dams_are_the_default(stock: Stock) -> None:
    got = await page(stock.server)
    assert [node["damId"] for node in got["nodes"]] == [dam["id"] for dam in stock.dams[:20]]


async def test_a_page_of_none_says_whether_there_are_dams(stock: Stock) -> None:
    got = await page(stock.server, first=0)
    info = {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert got == {"nodes": [], "edges": [], "pageInfo": info}


async def test_cursors_keep_their_place_while_dams_come_and_go(
    database: Database, server: Server, admin: Viewer
) -> None:
    left = list(range(2, 62, 2))
    await fill(database, [dam_values(id=number, name=f"Dam {number:02}") for number in left])
    for field in ("ADDED", "NAME", "HEIGHT"):
        order = {"field": field, "direction": "ASC"}
        cursor = (await page(server, first=5, orderBy=order))["pageInfo"]["endCursor"]
        for dam_id in left[4:6]:  # that of the cursor and the next
            await remove_dam(database, dam_id, admin)
        following = await page(server, first=3, after=cursor, orderBy=order)
        assert [node["damId"] for node in following["nodes"]] == left[6:9]
        preceding = await page(server, last=3, before=cursor, orderBy=order)
        assert [node["damId"] for node in preceding["nodes"]] == left[1:4]
        del left[4:6]

    by_name = {"field": "NAME", "direction": "ASC"}
    read = await page(server, first=2, orderBy=by_name)  # Dam 02 and Dam 04
    _, after = [(await add_dam(database, deer_creek(name), admin)).id for name in ("Dam 03", "Dam 05")]
    rest = await page(server, first=100, after=read["pageInfo"]["endCursor"], orderBy=by_name)
    assert [node["damId"] for node in rest["nodes"]] == [after, *left[2:]]


def deer_creek(name: str) -> NewDam:
    return NewDam(name, "Reclamation", "Provo River", parse_iso("1941"), Point(-111.5, 40.4))


@pytest.mark.parametrize(
    ("where", "selection", "expected"),
    [
        ({}, "nodes { name otherNames purposes location { latitude } geometry }", 1),
        ({}, "totalCount", 2),
        ({"text": "e"}, "edges { cursor node { id } } pageInfo { hasNextPage }", 1),
        ({"text": "e"}, "totalCount nodes { id }", 3),  # the counter row tells until when the count holds
    ],
)
async def test_a_page_takes_one_statement_and_its_count_another(
    stock: Stock, statements: list[str], where: Any, selection: str, expected: int
) -> None:
    await stock.server.query(
        f"query ($where: DamFilter) {{ dams(first: 50, where: $where) {{ {selection} }} }}", None, where=where
    )
    assert len(statements) == expected
    assert any("count(*)" in statement for statement in statements) is (bool(where) and "totalCount" in selection)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            "{ dams { nodes { name ...Place } } } fragment Place on Dam { location { latitude } }",
            "id latitude longitude name",
        ),
        ("{ dams(orderBy: {field: HEIGHT}) { edges { cursor } } }", "height_ft id"),
        ('{ dams(where: {text: "e"}) { nodes { dateBuilt } } }', "built_first_day built_last_day id"),
        ("{ dam(damId: 3) { structureId } }", "id structure_id"),
        ("{ dam(damId: 3) { ... on Node { id } } }", "id"),
        ("{ nearestDams(latitude: 1, longitude: 1) { dam { hazard @skip(if: true) owner } } }", "hazard id owner"),
    ],
)
async def test_no_columns_are_read_that_nobody_asks_for(
    stock: Stock, statements: list[str], document: str, expected: str
) -> None:
    await stock.server.query(document, None)
    selected = {part.split(" FROM ")[0].removeprefix("SELECT ") for part in statements}
    (columns,) = {re.sub(r",? ?(ST_Distance|geo_metres)\(.*", "", each) for each in selected}
    assert columns == ", ".join(f"dams.{column}" for column in expected.split())


async def test_a_document_with_many_conditions_keeps_no_more_and_more_columns(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MAX_ASKED", 2)
    names = ["a", "b", "c"]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"dams(first: 1) @include(if: ${name}) {{ nodes {{ name }} }}" for name in names)
    document = f"query ({declared}) {{ {fields} }}"
    for outcome in itertools.product([True, False], repeat=3):
        answer = await stock.server.query(document, None, **dict(zip(names, outcome, strict=True)))
        assert len(answer.get("dams", {}).get("nodes", ())) == any(outcome)
    prepared = known(document)
    assert prepared is not None
    assert len(prepared.fact(lookahead._nothing_told)) == 2


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The statements that are compiled."""
    made: list[Any] = []
    monkeypatch.setattr(
        "models.database.Statement", lambda clause, *options: made.append(clause) or Statement(clause, *options)
    )
    return made


async def test_a_statement_is_compiled_once_for_all_pages_of_a_shape(stock: Stock, compiled: list[Any]) -> None:
    document = "query ($after: String) { dams(first: 3, after: $after, orderBy: {field: RIVER}) {"
    document += " nodes { state river } pageInfo { endCursor hasNextPage } } }"
    seen, after = 0, None
    while True:
        answer = (await stock.server.query(document, None, after=after))["dams"]
        seen += len(answer["nodes"])
        if not answer["pageInfo"]["hasNextPage"]:
            break
        after = answer["pageInfo"]["endCursor"]
    assert seen == COUNT
    assert len(compiled) == 4  # known and unknown rivers, from the start and after a cursor


async def test_filters_of_the_same_conditions_share_a_statement(stock: Stock, compiled: list[Any]) -> None:
    document = "query ($where: DamFilter!) { dams(where: $where) { nodes { drainageAreaSqMi } } }"
    for text, west in (("e", -10), ("100% deer", -120), ("", 170)):
        box = {"west": west, "south": -40, "east": west + 9, "north": 50}
        await stock.server.query(document, None, where={"text": text, "box": box, "heightFt": {"min": west}})
    assert len(compiled) == 1
    await stock.server.query(document, None, where={"text": "e", "box": box, "heightFt": {"max": 5}})
    assert len(compiled) == 2


async def test_the_nearest_share_a_statement_however_far_they_are(stock: Stock, compiled: list[Any]) -> None:
    for place in (0.0, 1.5):
        document = f"{{ nearestDams(latitude: {place}, longitude: {place}, first: 3) {{ dam {{ storageAcreFt }} }} }}"
        assert len((await stock.server.query(document, None))["nearestDams"]) == 3
    assert len(compiled) == 1


async def test_only_a_page_that_holds_known_and_unknown_values_takes_two_statements(
    stock: Stock, statements: list[str]
) -> None:
    known = sum(dam["height_ft"] is not None for dam in stock.dams)
    by_height = {"field": "HEIGHT", "direction": "DESC"}
    for arguments, expected in (({"first": 5}, 1), ({"last": 5}, 1), ({"first": known}, 2)):
        statements.clear()
        await page(stock.server, orderBy=by_height, **arguments)
        assert len(statements) == expected


async def test_total_count_counts_what_meets_the_filter_on_all_pages(stock: Stock) -> None:
    document = "query ($where: DamFilter) { dams(first: 1, where: $where) { totalCount } }"
    count = sum("deer creek" in dam["search_key"] for dam in stock.dams)
    for where, expected in (({"text": "Deer Creek"}, count), ({}, COUNT), (None, COUNT), ({"states": []}, 0)):
        assert (await stock.server.query(document, None, where=where))["dams"]["totalCount"] == expected


BOTH = "Ask for first or for last, not for both."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": -1}, "first must be from 0 to 100, not -1. Page on with after or before."),
        ({"first": 101}, "first must be from 0 to 100, not 101. Page on with after or before."),
        ({"last": 101}, "last must be from 0 to 100, not 101. Page on with after or before."),
        ({"last": -1}, "last must be from 0 to 100, not -1. Page on with after or before."),
        ({"first": 1, "last": 1}, BOTH),
        ({"first": 0, "last": 0}, BOTH),
    ],
)
async def test_a_page_that_cannot_be_is_refused(stock: Stock, arguments: dict[str, int], message: str) -> None:
    assert await refusal(stock.server, PAGE, **arguments) == ("BAD_USER_INPUT", message)


async def test_the_cap_of_a_page_is_a_setting(serve: Serve, admin: Viewer) -> None:
    async with serve(max_page_size=5) as server:
        _, message = await refusal(server, PAGE, first=6)
        assert message == "first must be from 0 to 5, not 6. Page on with after or before."
        assert await page(server, first=5) is not None
        nearest = "query ($first: Int!) { nearestDams(latitude: 0, longitude: 0, first: $first) { distanceM } }"
        assert (await refusal(server, nearest, first=6))[0] == "BAD_USER_INPUT"


def opaque(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


NOT_CURSORS = [
    ("empty", "ADDED", ""),
    ("not base64", "ADDED", "!!!"),
    ("not ASCII", "ADDED", "é"),
    ("not JSON", "ADDED", base64.urlsafe_b64encode(b"dam 5").decode()),
    ("NaN", "HEIGHT", base64.urlsafe_b64encode(b'["place","HEIGHT ASC",NaN,1]').decode()),
    ("infinity", "HEIGHT", base64.urlsafe_b64encode(b'["place","HEIGHT ASC",1e999,1]').decode()),
    ("deep", "ADDED", base64.urlsafe_b64encode(b"[" * 5000 + b"]" * 5000).decode()),
    ("cut off", "ADDED", opaque("place", "ADDED ASC", 1, 1)[:-5]),
    ("of an event", "ADDED", event_cursor(1)),
    ("of a dam", "ADDED", dam_global_id(1)),
    ("an object", "ADDED", base64.urlsafe_b64encode(b'{"place": 1}').decode()),
    ("too short", "ADDED", opaque("place", "ADDED ASC", 1)),
    ("too long", "ADDED", opaque("place", "ADDED ASC", 1, 1, 1)),
    ("of no order", "ADDED", opaque("place", "COLOUR ASC", 1, 1)),
    ("an order that is a list", "ADDED", opaque("place", ["ADDED ASC"], 1, 1)),
    ("an id that is a text", "ADDED", opaque("place", "ADDED ASC", 1, "1")),
    ("an id that is true", "ADDED", opaque("place", "ADDED ASC", 1, True)),
    ("an id that is a fraction", "ADDED", opaque("place", "ADDED ASC", 1, 1.5)),
    ("an id below 0", "ADDED", opaque("place", "ADDED ASC", 1, -1)),
    ("an id beyond 31 bits", "ADDED", opaque("place", "ADDED ASC", 1, 2**31)),
    ("a place beyond 31 bits", "ADDED", opaque("place", "ADDED ASC", 2**31, 1)),
    ("a name that is a number", "NAME", opaque("place", "NAME ASC", 5, 1)),
    ("a name with NUL", "NAME", opaque("place", "NAME ASC", "a\x00", 1)),
    ("a name that is a list", "NAME", opaque("place", "NAME ASC", ["a"], 1)),
    ("a height that is a text", "HEIGHT", opaque("place", "HEIGHT ASC", "28.4", 1)),
    ("a height that is an object", "HEIGHT", opaque("place", "HEIGHT ASC", {}, 1)),
    ("a day that is not", "DATE_BUILT", opaque("place", "DATE_BUILT ASC", "1993-02-30", 1)),
    ("a day that is a number", "DATE_BUILT", opaque("place", "DATE_BUILT ASC", 1993, 1)),
]


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize(("field", "cursor"), [case[1:] for case in NOT_CURSORS], ids=[case[0] for case in NOT_CURSORS])
async def test_what_is_not_a_cursor_of_a_page_is_refused(stock: Stock, field: str, cursor: str, side: str) -> None:
    code, message = await refusal(stock.server, PAGE, orderBy={"field": field}, **{side: cursor})
    assert code == "BAD_USER_INPUT"
    assert message == f'"{cursor[:40]}" is not a cursor of a page of dams. Pass one on as it was received.'


async def test_a_cursor_of_another_order_is_refused(stock: Stock) -> None:
    cursor = (await page(stock.server, orderBy={"field": "NAME"}))["pageInfo"]["endCursor"]
    for order, label in (
        ({"field": "NAME", "direction": "DESC"}, "NAME DESC"),
        ({"field": "HEIGHT"}, "HEIGHT ASC"),
        (None, "ADDED ASC"),
    ):
        assert await refusal(stock.server, PAGE, after=cursor, orderBy=order) == (
            "BAD_USER_INPUT",
            f"This cursor belongs to the order NAME ASC; the page asks for {label}.",
        )


async def test_one_dam_is_found_by_either_id_and_by_node(stock: Stock) -> None:
    dam = stock.dams[3]
    document = """query ($id: ID!, $damId: Int) {
      a: dam(id: $id) { damId } b: dam(damId: $damId) { damId }
      c: node(id: $id) { id __typename ... on Dam { name } } }"""
    global_id = dam_global_id(dam["id"])
    assert await stock.server.query(document, None, id=global_id, damId=dam["id"]) == {
        "a": {"damId": dam["id"]},
        "b": {"damId": dam["id"]},
        "c": {"id": global_id, "__typename": "Dam", "name": dam["name"]},
    }


async def test_a_dam_that_is_not_there_is_null(stock: Stock) -> None:
    document = """query ($id: ID!, $damId: Int) {
      a: dam(id: $id) { damId } b: dam(damId: $damId) { damId } c: node(id: $id) { id } }"""
    for dam_id, number in ((2**31 - 1, 2**31 - 1), (0, 0), (0, -1), (0, -(2**31))):
        found = await stock.server.query(document, None, id=dam_global_id(dam_id), damId=number)
        assert found == {"a": None, "b": None, "c": None}


@pytest.mark.parametrize(
    "text",
    ["", "5", "Dam:5", event_cursor(5), opaque("Owner", 5), opaque("Dam"), opaque("Dam", 5, 5), opaque("Dam", "5")]
    + [opaque("Dam", number) for number in (-1, 2**31, 5.0, True, None)],
)
@pytest.mark.parametrize(
    "document", ["query ($id: ID!) { node(id: $id) { id } }", "query ($id: ID!) { dam(id: $id) { id } }"]
)
async def test_an_id_of_something_else_is_refused(stock: Stock, document: str, text: str) -> None:
    message = f'"{text}" is not the id of a dam. Pass one on as it was received.'
    assert await refusal(stock.server, document, id=text) == ("BAD_USER_INPUT", message)


@pytest.mark.parametrize("arguments", ["", f'(id: "{dam_global_id(1)}", damId: 1)', "(id: null, damId: null)"])
async def test_a_dam_is_asked_for_by_one_of_its_ids(stock: Stock, arguments: str) -> None:
    message = "Ask for a dam by id or by damId: one of the two."
    assert await refusal(stock.server, f"{{ dam{arguments} {{ id }} }}") == ("BAD_USER_INPUT", message)


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{ dam(damId: 2147483648) { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (f"{{ dam(damId: {'9' * 5000}) {{ id }} }}", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int) { dam(damId: $n) { id } }", {"n": 2**31}, "BAD_USER_INPUT"),
        ("query ($n: Int) { dam(damId: $n) { id } }", {"n": "1"}, "BAD_USER_INPUT"),
        ("query ($n: Int!) { dam(damId: $n) { id } }", {}, "BAD_USER_INPUT"),
        ("query ($o: DamOrder) { dams(orderBy: $o) { totalCount } }", {"o": {"field": "COLOUR"}}, "BAD_USER_INPUT"),
        ("query ($o: DamOrder) { dams(orderBy: $o) { totalCount } }", {"o": "NAME"}, "BAD_USER_INPUT"),
        # Null where a default stands is only found while the query runs.
        (
            "query ($n: Int) { nearestDams(latitude: 0, longitude: 0, first: $n) { distanceM } }",
            {"n": None},
            "BAD_USER_INPUT",
        ),
        (
            "query ($d: OrderDirection) { dams(orderBy: {field: NAME, direction: $d}) { totalCount } }",
            {"d": None},
            "BAD_USER_INPUT",
        ),
        ("query ($b: Boolean = true) { dams @include(if: $b) { totalCount } }", {"b": None}, "BAD_USER_INPUT"),
        ("{ nearestDams(latitude: 1e400, longitude: 0) { distanceM } }", {}, "BAD_USER_INPUT"),
        ("{ nearestDams(latitude: 91, longitude: 0) { distanceM } }", {}, "BAD_USER_INPUT"),
        ("{ nearestDams(latitude: 0, longitude: 0, first: -1) { distanceM } }", {}, "BAD_USER_INPUT"),
        ("{ dams { colour } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ dams", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ a" * 1000 + " }" * 1000, {}, "DOCUMENT_TOO_DEEP"),
    ],
)
async def test_a_fault_of_the_client_has_a_code_of_its_own(
    stock: Stock, document: str, variables: dict[str, Any], code: str
) -> None:
    assert (await refusal(stock.server, document, **variables))[0] == code


INVENTORY = "{ inventory { damCount maxDams remaining isFull knownOwners eventCursor } }"


async def test_the_inventory_says_how_much_room_there_is(server: Server, database: Database) -> None:
    for max_dams, room in ((0, (None, None, False)), (3, (3, 1, False)), (2, (2, 0, True)), (1, (1, 0, True))):
        if max_dams == 0:
            await fill(database, [dam_values(id=number) for number in (1, 2)])
        await set_cap(database, "max_dams", max_dams)
        found = (await server.query(INVENTORY, None))["inventory"]
        assert (found["maxDams"], found["remaining"], found["isFull"]) == room
        assert (found["damCount"], found["knownOwners"]) == (2, ["Reclamation", "Army Corp", "Other"])
        assert found["eventCursor"] == event_cursor(2)


VIEWER = "{ viewer { name permissions canAddDams quota { maxDams used remaining } } }"


async def test_the_viewer_is_who_the_token_says(server: Server, database: Database) -> None:
    await add_user(database, "alice", ["contributor"], 3)
    alice = await create_token(database, user="alice", name="all")
    limited = await create_token(database, user="alice", name="limited", scopes=[Permission.VIEW_DAMS])
    nobody = {"name": None, "permissions": ["view_dams"], "canAddDams": False, "quota": None}
    quota = {"maxDams": 3, "used": 0, "remaining": 3}
    shown = {"name": "alice", "permissions": ["add_dams", "view_dams"], "canAddDams": True, "quota": quota}
    assert await server.query(VIEWER, None) == {"viewer": nobody}
    assert await server.query(VIEWER, alice) == {"viewer": shown}
    assert await server.query(VIEWER, limited) == {
        "viewer": shown | {"permissions": ["view_dams"], "canAddDams": False}
    }
    assert (await server.query(VIEWER))["viewer"]["quota"] == {"maxDams": None, "used": 0, "remaining": None}
    assert await refusal_code(server, VIEWER, "dams_unknown") == "UNAUTHENTICATED"


async def refusal_code(server: Server, document: str, token: str | None) -> str:
    (error,) = (await server.post(document, token))["errors"]
    return str(error["extensions"]["code"])
