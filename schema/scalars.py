"""Scalars beyond GraphQL's own."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

GeoJSON = NewType("GeoJSON", object)
PartialDate = NewType("PartialDate", str)


def _any_json(node: Any, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError('A PartialDate is a string: "1941", "1993-04" or "1993-04-12".')
    return value


SCALARS: dict[object, ScalarDefinition] = {
    GeoJSON: strawberry.scalar(
        name="GeoJSON",
        description="A GeoJSON geometry (RFC 7946): WGS 84, positions are [longitude, latitude].",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc7946",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        parse_literal=_any_json,
    ),
    PartialDate: strawberry.scalar(
        name="PartialDate",
        description='A date as precisely as it is known: "1941", "1993-04" or "1993-04-12" (ISO 8601, EDTF level 0).',
        specified_by_url="https://www.loc.gov/standards/datetime/",
        serialize=str,
        parse_value=_text,
    ),
}
