"""What one operation may ask for: figures of its document, and its cost."""

import time
from typing import Any

import pytest
from graphql import build_schema, get_operation_ast, parse, validate
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from resolvers.clusters import MAX_CELLS
from schema import schema
from schema.limits.cost import Costs
from schema.limits.figures import Figures, figures_of
from tests.conftest import ADMIN_TOKEN, Serve, Server, until
from tests.slow_clients import ACCEPT, asked, is_open, metrics
from tests.streaming import opened


def doubling(count: int, leaf: str = "a: name") -> str:
    """Fragments of which each spreads the next one twice."""
    fragments = [f"fragment F{n} on Dam {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return "{ dam(damId: 1) { ...F0 } } " + " ".join(fragments) + f" fragment F{count} on Dam {{ {leaf} }}"


FIGURES = {
    "{ a }": Figures(1, 0, 0, 1),
    "{ a b c { d { e } } }": Figures(3, 0, 0, 3),
    "{ x: a y: b { z: c } }": Figures(2, 3, 0, 2),
    "query @one { a @two @three ... @four { b } ...F @five } fragment F on T @none { c @six }": Figures(1, 0, 6, 3),
    "{ a { ...F } b { c { ...F } } } fragment F on T { d { e } }": Figures(4, 0, 0, 2),
    "{ ...F ...F } fragment F on T { x: a }": Figures(1, 2, 0, 2),
    "{ ...Unknown }": Figures(),
    "query A { a b } query B { c { d } }": Figures(2, 0, 0, 2),
    "{ a { __typename } __schema { types { name } } }": Figures(3, 0, 0, 2, True),
    "{ a ...F } fragment F on T { b { ...G } } fragment G on T { c { ...F } }": Figures(2, 0, 0, 2),
    "{ ...F } fragment F on T { ...F }": Figures(),
    doubling(40): Figures(2, 2**40, 0, 1),
}


@pytest.mark.parametrize("document", FIGURES)
def test_a_document_is_told_in_figures(document: str) -> None:
    assert figures_of(parse(document)) == FIGURES[document]


CLUSTERS = "query ($box: BoxInput!, $zoom: Int!) { damClusters(box: $box, zoom: $zoom) { nodes { dams { id } } } }"
BOX = {"west": 0, "south": 0, "east": 45.0, "north": 20}
"""At zoom 3, whose cells are 11.25 by 8.4375 degrees, 4 by 2 of them, and one more on each side."""

COSTS: list[tuple[str, dict[str, Any], int]] = [
    ("{ inventory { damCount } }", {}, 1),
    ("{ __typename }", {}, 1),
    ("{ dam(damId: 1) { name location { latitude } } viewer { name } }", {}, 2),
    ("{ dams(first: 100) { nodes { name purposes location { latitude } } } }", {}, 101),
    ("{ dams(first: 100) { pageInfo { endCursor } } }", {}, 1),
    ("{ dams(first: 100) { totalCount } x: dams(first: 0) { extent { west } totalCount } }", {}, 1 + 100 + 1 + 200),
    ("{ dams(last: 7) { edges { node { name } } nodes { name } } }", {}, 15),
    ("{ dams { nodes { name } } }", {}, 21),
    ("query ($n: Int) { dams(first: $n) { nodes { name } } }", {"n": 50}, 51),
    ("query ($n: Int) { dams(first: $n) { nodes { name } } }", {"n": None}, 21),
    ("query ($n: Int = 30) { dams(first: $n) { nodes { name } } }", {}, 31),
    ("query ($n: Int = 30) { dams(first: $n) { nodes { name } } }", {"n": 40.0}, 41),
    ("query ($n: Int) { dams(first: $n) { nodes { name } } }", {"n": "5"}, 21),
    ("query ($n: Int) { dams(first: $n) { nodes { name } } }", {"n": -5}, 1),
    ("query ($n: Int) { dams(first: $n) { nodes { name } } }", {"n": 10**9}, 101),
    ("{ dams(first: 10) { nodes { history { at } } } }", {}, 1 + 10 * 11),
    ("{ dams(first: 10) { ...P } x: dams(first: 50) { ...P } } fragment P on DamConnection { nodes { id } }", {}, 62),
    ("{ dams(first: 10) { ... { nodes { id } } ... @skip(if: true) { edges { cursor } } } }", {}, 21),
    ("{ nearestDams(latitude: 1, longitude: 1) { dam { name } } }", {}, 11),
    ("{ nearestDams(latitude: 1, longitude: 1, first: 3) { dam { history { at } } } }", {}, 1 + 3 * 11),
    ("{ node(id: 1) { ... on Dam { history { at } } } }", {}, 11),
    ("{ damClusters(box: {west: 0, south: 0, east: 45, north: 20}, zoom: 3) { nodes { count } } }", {}, 101 + 6 * 4),
    (CLUSTERS, {"box": BOX, "zoom": 3}, 101 + 6 * 4 * (1 + 2)),
    (CLUSTERS, {"box": BOX | {"east": 90.5}, "zoom": 3}, 101 + 10 * 4 * (1 + 2)),
    (CLUSTERS, {"box": BOX, "zoom": 2**31 - 1}, 101 + MAX_CELLS * (1 + 2)),
    (CLUSTERS, {"box": BOX, "zoom": -1}, 101 + MAX_CELLS * (1 + 2)),
    (CLUSTERS, {"box": {"west": "x"}, "zoom": 22}, 101 + MAX_CELLS * (1 + 2)),
    ("{ __schema { types { fields { name } } } }", {}, 1 + 10 * 11),
    ("mutation { a: removeDam(id: 1) { errors { code } } b: removeDam(id: 2) { errors { code } } }", {}, 40),
    ("subscription { damAdded { name } }", {}, 1),
]


@pytest.mark.parametrize(("text", "variables", "cost"), COSTS)
def test_an_operation_costs_the_objects_that_it_asks_for(text: str, variables: dict[str, Any], cost: int) -> None:
    document = parse(text)
    operation = get_operation_ast(document)
    assert operation is not None
    costs = Costs(schema._schema, document)
    for _ in range(2):  # counted, and remembered
        assert costs.of(operation, variables, 100) == cost


def test_every_document_that_is_counted_is_valid() -> None:
    for text, _, _ in COSTS:
        assert validate(schema._schema, parse(text)) == [], text


def test_nested_lists_multiply() -> None:
    nested = build_schema("type Query { all(first: Int): [Item!]! } type Item { in(first: Int): [Item!]! id: ID }")
    document = parse("{ all(first: 10) { in(first: 10) { in(first: 3) { id } } } }")
    operation = get_operation_ast(document)
    assert operation is not None
    assert Costs(nested, document).of(operation, {}, 100) == 1 + 10 * (1 + 10 * (1 + 3))


def test_fragments_that_double_each_other_are_read_once_each() -> None:
    text = doubling(150, "history { at }")
    began = time.process_time()
    document = parse(text)
    parsed = time.process_time()
    operation = get_operation_ast(document)
    assert operation is not None
    assert figures_of(document).depth == 3
    assert Costs(schema._schema, document).of(operation, {}, 100) == 1 + 10 * 2**150
    assert time.process_time() - parsed < 5 * (parsed - began)


BEYOND: dict[str, tuple[str, str]] = {
    "max_tokens": ("{ " + "inventory { damCount } " * 500 + "}", "DOCUMENT_TOO_LONG"),
    "max_depth": ("{ dams { nodes " + "{ location " * 20 + "{ latitude }" + "}" * 21 + " }", "DOCUMENT_TOO_DEEP"),
    "max_aliases": ("{ inventory { " + " ".join(f"a{n}: damCount" for n in range(31)) + " } }", "TOO_MANY_ALIASES"),
    "max_directives": ("{ inventory { damCount " + "@include(if: true)" * 51 + "} }", "TOO_MANY_DIRECTIVES"),
    "max_root_fields": ("{ " + "__typename " * 21 + "}", "TOO_MANY_ROOT_FIELDS"),
    "max_cost": (
        "{ " + " ".join(f"a{n}: dams(first: 100) {{ nodes {{ history {{ at }} }} }}" for n in range(5)) + " }",
        "COST_LIMIT_EXCEEDED",
    ),
}
MESSAGES = {
    "max_tokens": "Syntax Error: Document contains more than 2000 tokens. Parsing aborted.",
    "max_depth": "Fields are nested 23 deep; they may be 20 deep.",
    "max_aliases": "The operation has 31 aliases, fragments written out; it may have 30.",
    "max_directives": "The operation has 51 directives, fragments written out; it may have 50.",
    "max_root_fields": "The operation has 21 root fields; it may have 20.",
    "max_cost": "The operation costs 5505; it may cost 5000. Ask for shorter pages, or for less in one operation.",
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_is_beyond_a_limit_is_refused_on_every_way_with_the_limit(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for limit, (document, code) in BEYOND.items():
            (error,) = (await server.post(document))["errors"]
            assert (error["extensions"]["code"], error["message"].split(" (")[0]) == (code, MESSAGES[limit])
            message = await socket.ask(document)
            assert message == {"id": "1", "type": "error", "payload": [error]}
            events = await server.http.post(
                "/graphql", json={"query": document}, headers={"accept": "text/event-stream"}
            )
            assert f'"code":"{code}"' in events.text
            assert events.text.endswith("event: complete\r\ndata:\r\n\r\n")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_limits_are_settings(serve: Serve) -> None:
    async with serve(max_cost=5, max_depth=2) as server:
        (error,) = (await server.post("{ dams(first: 5) { totalCount nodes { name } } }", None))["errors"]
        assert error["message"] == "Fields are nested 3 deep; they may be 2 deep."
        (error,) = (await server.post("{ nearestDams(latitude: 1, longitude: 1, first: 5) { distanceM } }", None))[
            "errors"
        ]
        assert error["extensions"] == {
            "code": "COST_LIMIT_EXCEEDED",
            "cost": {"requestedQueryCost": 6, "maximumAvailable": 5},
        }


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_cost_is_told(server: Server) -> None:
    document = "query ($n: Int) { dams(first: $n) { nodes { name } } }"
    told = {"cost": {"requestedQueryCost": 8, "maximumAvailable": 5000}}
    assert (await server.post(document, ADMIN_TOKEN, n=7))["extensions"] == told
    async with opened(server.websocket_url) as socket:
        await socket.init()
        assert (await socket.ask(document, n=7))["payload"]["extensions"] == told


INTROSPECTIONS = [
    "{ __schema { types { name } } }",
    '{ __type(name: "Dam") { name } }',
    "{ ...F } fragment F on Query { __schema { types { name } } }",
]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_introspection_and_suggestions_go_off_by_one_setting(serve: Serve) -> None:
    misspelt = "{ dams { nodes { nam } } }"
    wrong = "query ($where: DamFilter) { dams(where: $where) { totalCount } }"
    async with serve() as server:
        assert "Did you mean 'name'" in (await server.post(misspelt, None))["errors"][0]["message"]
    async with serve(introspection=False) as server:
        for document in INTROSPECTIONS:
            (error,) = (await server.post(document, None))["errors"]
            assert error["extensions"]["code"] == "INTROSPECTION_DISABLED"
        assert (await server.post("{ __typename }", None))["data"] == {"__typename": "Query"}
        (error,) = (await server.post(misspelt, None))["errors"]
        assert error["message"] == "Cannot query field 'nam' on type 'Dam'."
        assert error["locations"] == [{"line": 1, "column": 18}]
        answer = await server.http.post("/graphql", json={"query": wrong, "variables": {"where": {"stats": []}}})
        assert "Did you mean" not in answer.text
        assert "stats" in answer.text
        assert (await server.http.get("/schema.graphql")).status_code == 404


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_refusals_are_counted_by_their_code(serve: Serve) -> None:
    expensive = "{ dams(first: 100) { nodes { name } } }"
    async with serve(max_cost=50, rate_limit_per_address=60, max_subscriptions=1, max_sockets=1) as server:
        await server.post(expensive, None)
        async with opened(server.websocket_url) as socket:
            await socket.init()
            assert (await socket.ask(expensive))["type"] == "error"
            await socket.start("subscription { damAdded { name } }", "live")
            await until(lambda: is_open(server, subscriptions=1))
            assert (await socket.ask("subscription { damAdded { name } }", "more"))["type"] == "error"
            async with opened(server.websocket_url) as another:
                assert (await another.closed())[0] == 1013
        await server.http.post("/graphql", content=b"[]", headers={"content-type": "application/json"})
        await server.http.get("/livez?" + "a" * 9_000)
        with pytest.raises(InvalidStatus):
            await connect(server.websocket_url.replace("/graphql", "/nowhere"))
        await until(lambda: is_open(server, subscriptions=0))
        async with asked(
            server, ACCEPT["sse"], {"query": 'subscription { damAdded(after: "x") { name } }'}
        ) as response:
            assert b"BAD_USER_INPUT" in await response.aread()
        while "errors" not in await server.post("{ __typename }", None):
            pass
        found = await metrics(server)
    counted = {name: count for name, count in found.items() if name.startswith("dams_errors_total")}
    assert counted == {
        f'dams_errors_total{{code="{code}"}}': count
        for code, count in {
            "cost_limit_exceeded": 2,
            "too_many_subscriptions": 1,
            "too_many_sockets": 1,
            "bad_request": 1,
            "uri_too_long": 1,
            "forbidden": 1,
            "bad_user_input": 1,
            "rate_limited": 1,
        }.items()
    }
