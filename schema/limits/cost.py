"""What an operation costs, before it is executed: the objects that it asks for.

- A root field costs 1, one that writes 10.
- Each object of a list costs 1, times the objects that the list is in. Values and single objects come with theirs.
- A list has as many objects as its argument `first` or `last` says; the lists of a page (`nodes`, `edges`) as many as
  the page. `dams(first: 100) { nodes { name } }` costs 101, with `edges` beside `nodes` 201.
- `damClusters` has as many `nodes` as its box has cells.
- What reads all dams that meet a filter costs 100 besides, as `totalCount`.
- Where nothing is said a page has 20, and a list what `SIZES` has for it, or 10.

@skip and @include do not count: what they leave out could be left out of the document.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    SelectionNode,
    SelectionSetNode,
    TypeMetaFieldDef,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from resolvers.clusters import SHOWN_BY_ITSELF, cells_asked_for
from resolvers.pagination import DEFAULT_PAGE_SIZE
from schema.limits.values import value_of

ROOT_COST = {OperationType.QUERY: 1, OperationType.MUTATION: 10, OperationType.SUBSCRIPTION: 1}

READING_ALL = {"DamConnection.totalCount": 100, "DamConnection.extent": 100, "Query.damClusters": 100}
"""Besides their objects: they read every dam that meets the filter, which takes at least as long as a page of 100."""

SIZES = {"DamCluster.dams": SHOWN_BY_ITSELF}
"""Objects of lists for which no argument says it, where they are not some `SIZE`."""

SIZE = 10

SIZING = ("first", "last")

PAGES = ("Connection", "Clusters")
"""How the types end whose lists are as long as the arguments of the field say that gives them."""

KEPT = 64
"""Costs of one document that are remembered, by its variables. What comes after is counted each time."""

META_FIELDS = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


class Cost(NamedTuple):
    """Of a selection."""

    own: int = 0
    paged: int = 0
    """For each object of the page that the selection is of."""


class Costs:
    """Of the operations of one document, which is valid."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._kept: dict[tuple[Any, ...], int] = {}

    def of(self, operation: OperationDefinitionNode, variables: Mapping[str, Any], max_page_size: int) -> int:
        """A page that is longer than it may be counts as the longest one: it is refused elsewhere."""
        given = {}
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            given[name] = variables[name] if name in variables else value_of(definition.default_value, {})
        key = (id(operation), max_page_size, *map(_sizing, given.values()))
        if (known := self._kept.get(key)) is not None:
            return known
        cost = _Count(self._schema, self._fragments, given, max_page_size, operation.operation).of(operation)
        if len(self._kept) < KEPT:
            self._kept[key] = cost
        return cost


class _Count:
    """Each fragment is counted once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        max_page_size: int,
        operation: OperationType,
    ) -> None:
        self._types = schema.type_map
        self._fragments = fragments
        self._variables = variables
        self._max_page_size = max_page_size
        self._root = schema.get_root_type(operation)
        self._root_cost = ROOT_COST[operation]
        self._known: dict[str, Cost] = {}

    def of(self, operation: OperationDefinitionNode) -> int:
        return self._selections(operation.selection_set, self._root).own

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Cost:
        costs = [self._selection(selection, parent) for selection in node.selections]
        return Cost(sum(cost.own for cost in costs), sum(cost.paged for cost in costs))

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> Cost:
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in self._known:
                self._known[name] = self._on_type(self._fragments[name], parent)
            return self._known[name]
        return self._on_type(cast(InlineFragmentNode, node), parent)

    def _on_type(self, node: FragmentDefinitionNode | InlineFragmentNode, parent: GraphQLNamedType | None) -> Cost:
        kind = self._types[node.type_condition.name.value] if node.type_condition else parent
        return self._selections(node.selection_set, kind)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Cost:
        name = node.name.value
        base = self._root_cost if parent is self._root else 0
        if parent is not None:
            base += READING_ALL.get(f"{parent.name}.{name}", 0)
        if not node.selection_set or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return Cost(base)
        field = META_FIELDS.get(name) or parent.fields[name]
        within = self._selections(node.selection_set, get_named_type(field.type))
        size = self._size(node, field)
        if not is_list_type(get_nullable_type(field.type)):
            return Cost(base + within.own + within.paged * (DEFAULT_PAGE_SIZE if size is None else size))
        if size is None and parent.name.endswith(PAGES):
            return Cost(base, 1 + within.own)
        if size is None:
            size = SIZES.get(f"{parent.name}.{name}", SIZE)
        return Cost(base + size * (1 + within.own))

    def _size(self, node: FieldNode, field: GraphQLField) -> int | None:
        """None where no argument of the field says it."""
        if node.name.value == "damClusters":
            return cells_asked_for(self._argument("zoom", node), self._argument("box", node))
        sizing = [name for name in SIZING if name in field.args]
        if not sizing:
            return None
        said = [self._argument(name, node, field.args[name].default_value) for name in sizing]
        sizes = [size for value in said if (size := _number(value)) is not None] or [DEFAULT_PAGE_SIZE]
        return min(max(0, *sizes), self._max_page_size)

    def _argument(self, name: str, node: FieldNode, otherwise: Any = None) -> Any:
        return next(
            (value_of(each.value, self._variables) for each in node.arguments or () if each.name.value == name),
            otherwise,
        )


def _number(value: object) -> int | None:
    """As GraphQL takes a number of JSON for an Int. None for what is none; it is refused elsewhere."""
    return int(value) if isinstance(value, int | float) and isfinite(value) else None


def _sizing(variable: object) -> object:
    """What costs may depend on, to be compared."""
    if isinstance(variable, Mapping):
        return tuple((name, each) for name, each in variable.items() if isinstance(each, int | float))
    return variable if isinstance(variable, int | float) else None
