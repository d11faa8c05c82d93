"""Scalars beyond GraphQL's own."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


GeoJSON = NewType("GeoJSON", object)
PartialDate = NewType("PartialDate", str)


def _any_json(node: Any, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError('A PartialDate is a string: "1941", "1993-04" or "1993-04-12".')
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC, as RFC 3339 has it: 2026-11-25T10:00:00Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_instant,
        parse_value=datetime.fromisoformat,
    ),
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
