"""How long the lists may be of what is sent along, in variables or written out, whatever the operation.

By the types of the schema, so that no list of an input is forgotten.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    GraphQLInputType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    type_from_ast,
    visit,
)

from schema.limits import Limits
from schema.limits.values import value_of

GEOMETRY = "GeoJSON"
"""Scalar whose lists are of vertices."""

PARTS_A_VERTEX = 8
"""Lists, members, numbers and letters of a geometry. A triangle with altitudes among others takes five."""


class Inputs:
    """Arguments in which a document, which is valid, may send lists; and defaults of its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        finder = _Finder(schema)
        visit(document, TypeInfoVisitor(finder.types, finder))
        self._found = finder.found

    def problems(self, variables: Mapping[str, Any], limits: Limits) -> list[str]:
        """What is too long, in whole sentences."""
        return [
            problem
            for kind, name, node in self._found
            for problem in _problems(kind, name, value_of(node, variables), limits)
        ]


class _Finder(Visitor):
    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self._schema = schema
        self.types = TypeInfo(schema)
        self.found: list[tuple[GraphQLInputType, str, ValueNode]] = []

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        if argument := self.types.get_argument():
            self._note(argument.type, node.name.value, node.value)

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        if node.default_value is not None:
            self._note(type_from_ast(self._schema, node.type), node.variable.name.value, node.default_value)

    def _note(self, kind: Any, name: str, value: ValueNode) -> None:
        named = get_named_type(kind)
        if is_input_object_type(named) or named.name == GEOMETRY or is_list_type(get_nullable_type(kind)):
            self.found.append((kind, name, value))


def _problems(kind: Any, name: str, value: Any, limits: Limits) -> Iterator[str]:
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        values = value if isinstance(value, list) else [value]
        if len(values) > limits.list_length:
            yield f"{name} must have at most {limits.list_length} values, not {len(values)}."
            return
        for each in values:
            yield from _problems(kind.of_type, name, each, limits)
    elif is_input_object_type(kind) and isinstance(value, dict):
        for field, held in value.items():
            if field in kind.fields:
                yield from _problems(kind.fields[field].type, field, held, limits)
    elif kind.name == GEOMETRY:
        count = vertices(value, limits.vertices * PARTS_A_VERTEX)
        if count is None:
            yield f"{name} is too large; at most {limits.vertices:,} vertices are allowed. Simplify it."
        elif count > limits.vertices:
            yield f"{name} has {count:,} vertices; at most {limits.vertices:,} are allowed. Simplify it."


def vertices(geometry: Any, most_parts: int) -> int | None:
    """Lists within it that hold no others. None where there is more in it than so many parts.

    A variable that is named again and again within a geometry makes much of a short request.
    """
    count, rest = 0, [geometry]
    while rest:
        value = rest.pop()
        most_parts -= len(value) if isinstance(value, list | dict | str) else 0
        if most_parts < 0:
            return None
        if isinstance(value, dict):
            rest += [*value, *value.values()]
        elif isinstance(value, list):
            inner = [each for each in value if isinstance(each, list | dict | str)]
            count += not inner
            rest += inner
    return count
