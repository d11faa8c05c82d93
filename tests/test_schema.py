"""The schema as clients see it: printed, described, in step with what answers it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_scalar_type,
)

from models.vocabulary import DamType, Hazard, OwnerType, Purpose
from resolvers.pagination import SORT_COLUMNS
from schema import schema
from schema.filters import DamOrderField
from tests.conftest import Server

ROOTS = {"Query", "Mutation", "Subscription"}
PRINTED = Path(__file__).parent.parent / "schema" / "schema.graphql"


def our_types() -> Iterator[GraphQLNamedType]:
    for named in schema._schema.type_map.values():
        if not is_introspection_type(named) and not is_specified_scalar_type(named):
            yield named


def members() -> Iterator[tuple[str, Any]]:
    """Every field and every argument, by its path."""
    for named in our_types():
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        for name, field in named.fields.items():
            yield f"{named.name}.{name}", field
            for argument, value in getattr(field, "args", {}).items():
                yield f"{named.name}.{name}({argument}:)", value


def test_the_printed_schema_is_current() -> None:
    assert PRINTED.read_text() == schema.as_str() + "\n", "Run: dams schema > schema/schema.graphql"


async def test_the_printed_schema_is_served(server: Server) -> None:
    served = await server.http.get("/schema.graphql")
    assert served.text.strip() == PRINTED.read_text().strip()


def test_every_type_field_and_argument_is_described() -> None:
    """Values of enums say themselves what they are, or their type does."""
    undescribed = [named.name for named in our_types() if named.name not in ROOTS and not named.description]
    undescribed += [path for path, member in members() if not member.description]
    assert undescribed == []


def test_descriptions_are_sentences() -> None:
    described = [(named.name, named.description) for named in our_types()]
    described += [(path, member.description) for path, member in members()]
    assert [path for path, text in described if text and not text.endswith((".", '".'))] == []


def test_no_input_defaults_to_null() -> None:
    """What is left out is null already; a default would be sent along by generated clients."""
    assert [path for path, member in members() if getattr(member, "default_value", "none") is None] == []


def test_orders_are_those_that_the_database_knows() -> None:
    assert [field.value for field in DamOrderField] == list(SORT_COLUMNS)


@pytest.mark.parametrize("vocabulary", [Hazard, OwnerType, Purpose, DamType])
def test_vocabularies_are_enums_of_their_names(vocabulary: Any) -> None:
    enum = schema._schema.type_map[vocabulary.__name__]
    assert isinstance(enum, GraphQLEnumType)
    assert list(enum.values) == [member.name for member in vocabulary]


def test_what_apollo_and_relay_rely_on_is_there() -> None:
    types: dict[str, Any] = dict(schema._schema.type_map)
    assert [interface.name for interface in types["Dam"].interfaces] == ["Node"]
    assert {"edges", "nodes", "pageInfo", "totalCount"} <= types["DamConnection"].fields.keys()
    assert {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"} == types["PageInfo"].fields.keys()
    for path in ("DamConnection.edges", "DamConnection.pageInfo", "DamEdge.node", "DamEdge.cursor", "Dam.id"):
        named, field = path.split(".")
        assert isinstance(types[named].fields[field].type, GraphQLNonNull), path
    assert "edge" in types["AddDamPayload"].fields


def test_scalars_say_where_they_are_specified() -> None:
    types: dict[str, Any] = dict(schema._schema.type_map)
    assert [types[name].specified_by_url is not None for name in ("GeoJSON", "PartialDate")] == [True, True]
