"""How long lists may be that are sent along: all of them, as the schema has them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_object_type,
    parse,
)

from gateway import limits_of
from schema import schema
from schema.limits.inputs import GEOMETRY, Inputs, vertices
from settings import Settings
from tests.conftest import Serve, Server
from tests.streaming import opened

LIMITS = limits_of(Settings())
TYPES = schema._schema.type_map
ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


def lists_of(kind: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """Paths to the lists within an input, those of geometries included."""
    kind = get_nullable_type(kind)
    if is_list_type(kind) or kind.name == GEOMETRY:
        yield path
    if is_list_type(kind):
        yield from lists_of(kind.of_type, *path, "0")
    elif is_input_object_type(kind):
        for name, field in kind.fields.items():
            yield from lists_of(field.type, *path, name)


def arguments(type_name: str) -> Iterator[tuple[str, str, GraphQLArgument]]:
    for field_name, field in TYPES[type_name].fields.items():
        for name, argument in field.args.items():
            yield field_name, name, argument


LISTS = [
    (root, field, name, argument.type, path)
    for root, type_name in ROOTS.items()
    for field, name, argument in arguments(type_name)
    for path in lists_of(argument.type)
]


def value_at(path: tuple[str, ...], value: Any) -> Any:
    for step in reversed(path):
        value = [value] if step == "0" else {step: value}
    return value


@pytest.mark.parametrize(("root", "field", "name", "kind", "path"), LISTS, ids=lambda it: str(it))
def test_every_list_of_every_input_is_bounded(root: str, field: str, name: str, kind: Any, path: Any) -> None:
    is_geometry = str(get_named_type(kind)) == GEOMETRY or path[-1:] in (("polygon",), ("geometry",))
    limit = LIMITS.vertices if is_geometry else LIMITS.list_length
    inputs = Inputs(schema._schema, parse(f"{root} ($sent: {kind}) {{ {field}({name}: $sent) }}"))
    item: Any = [0, 0] if is_geometry else None
    for length, refused in ((limit, 0), (limit + 1, 1)):
        values = [item] * length
        sent = value_at(path, {"coordinates": [values]} if is_geometry else values)
        problems = inputs.problems({"sent": sent}, LIMITS)
        assert len(problems) == refused
        assert all(f"{limit:,}" in problem for problem in problems)


def test_what_is_not_a_root_field_takes_no_lists() -> None:
    others = [kind.name for kind in TYPES.values() if is_object_type(kind) and kind.name not in ROOTS.values()]
    assert [name for name in others for *_, argument in arguments(name) if list(lists_of(argument.type))] == []


def test_lists_are_known_by_the_walk() -> None:
    paths = {".".join((field, name, *path)) for _, field, name, _, path in LISTS}
    assert {"dams.where.states", "damAdded.where.polygon", "createToken.input.scopes"} <= paths


WRITTEN_OUT = {
    "a list": ("{ dams(where: {states: [%s]}) { totalCount } }", '"UT" ', "states"),
    "a default": ("query ($s: [String!] = [%s]) { dams(where: {states: $s}) { totalCount } }", '"UT" ', "s"),
    "enums": ("{ dams(where: {hazards: [%s]}) { totalCount } }", "HIGH ", "hazards"),
    "in a fragment": ("{ ...F } fragment F on Query { dams(where: {states: [%s]}) { totalCount } }", '"UT" ', "states"),
}


@pytest.mark.parametrize("case", WRITTEN_OUT)
def test_lists_that_are_written_out_count_too(case: str) -> None:
    document, item, name = WRITTEN_OUT[case]
    for length, problems in ((100, []), (101, [f"{name} must have at most 100 values, not 101."])):
        assert Inputs(schema._schema, parse(document % (item * length))).problems({}, LIMITS) == problems


def test_numbers_of_thousands_of_digits_are_no_harm() -> None:
    document = parse(f"{{ dams(where: {{heightFt: {{min: {'9' * 6_000}}}, states: []}}) {{ totalCount }} }}")
    assert Inputs(schema._schema, document).problems({}, LIMITS) == []


def test_vertices_are_counted_wherever_they_are() -> None:
    ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
    deep: Any = [0, 0]
    for _ in range(10_000):
        deep = [deep]
    for geometry, count in (
        ({"type": "Polygon", "coordinates": [ring, ring]}, 8),
        ({"type": "MultiPolygon", "coordinates": [[ring], [ring, ring]]}, 12),
        ({"geometries": [{"coordinates": [0, 0]}] * 7}, 7),
        (deep, 1),
        ("POINT (0 0)", 0),
    ):
        assert vertices(geometry, 20_000) == count
    small = replace(LIMITS, vertices=4)
    written = "{ dams(where: {polygon: {coordinates: [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}}) { totalCount } }"
    problem = "polygon has 5 vertices; at most 4 are allowed. Simplify it."
    assert Inputs(schema._schema, parse(written)).problems({}, small) == [problem]


@pytest.mark.parametrize("part", [[[]] * 1_000, [[0] * 1_000], ["x" * 1_000], [{"x" * 1_000: 0}], [[[0]]] * 500])
def test_vertices_are_not_counted_on_and_on(part: Any) -> None:
    assert vertices({"coordinates": part}, 3_000) is not None
    assert vertices({"coordinates": [part] * 4}, 3_000) is None
    written = parse("query ($v: GeoJSON) { dams(where: {polygon: {coordinates: [$v $v $v $v]}}) { totalCount } }")
    problem = "polygon is too large; at most 375 vertices are allowed. Simplify it."
    assert Inputs(schema._schema, written).problems({"v": part}, replace(LIMITS, vertices=375)) == [problem]


FOLLOW = "subscription ($where: DamFilter) { damAdded(where: $where) { name } }"
TOKEN = 'mutation ($scopes: [String!]) { createToken(input: {name: "x", scopes: $scopes}) { secret } }'


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_length_of_lists_is_a_setting_and_holds_on_every_way(serve: Serve, server: Server) -> None:
    async with serve(max_list_length=2) as strict, opened(strict.websocket_url) as socket:
        await socket.init()
        where = {"states": ["UT", "ID", "NV"]}
        refused = {
            "message": "states must have at most 2 values, not 3.",
            "extensions": {"code": "BAD_USER_INPUT"},
        }
        query = "query ($where: DamFilter) { dams(where: $where) { totalCount } }"
        body = {"query": query, "variables": {"where": where}}
        answer = await strict.http.post("/graphql", json=body, headers={"accept": "application/graphql-response+json"})
        assert (answer.status_code, answer.json()["errors"]) == (400, [refused])
        for document in (query, FOLLOW):
            assert (await socket.ask(document, where=where))["payload"] == [refused]
        body = {"query": FOLLOW, "variables": {"where": where}}
        stream = await strict.http.post("/graphql", json=body, headers={"accept": "text/event-stream"})
        assert refused["message"] in stream.text
        (error,) = (await strict.post(TOKEN, scopes=["view_dams"] * 3))["errors"]
        assert error["message"] == "scopes must have at most 2 values, not 3."
