"""Which subscriptions are the same: those with one document, operation, variables and permissions.

Where each of them begins in the log is its own affair, so `after` does not count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_operation_ast,
    parse,
    visit,
)

from models.errors import BadUserInput
from models.identity import Permission
from resolvers.cursors import sequence_of
from schema.documents import MAX_CHARACTERS

SHARED_FIELDS = {"damAdded"}
"""Root fields whose events are the same for all who may see them."""


UNIT_BYTES = 1024
"""Of document and variables, which are kept as long as a subscription is open: parsed, up to 200 times as much."""


class Operation(NamedTuple):
    """As a client sent it."""

    query: str
    variables: Mapping[str, Any]
    name: str | None

    @property
    def weight(self) -> int:
        """In started units of `UNIT_BYTES`.

        Raises BadUserInput.
        """
        try:
            size = len(self.query.encode()) + len(orjson.dumps(self.variables))
        except orjson.JSONEncodeError:  # which is less patient than its decoder
            raise BadUserInput("The variables are nested too deeply.") from None
        return -(-size // UNIT_BYTES)


class Key(NamedTuple):
    """Equal for subscriptions that get the same payloads."""

    query: str
    name: str | None
    variables: str
    """As JSON, by name."""
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the subscriptions of one document are compared."""

    variables: tuple[str, ...]
    """Names of those that count."""
    after: ValueNode | None
    """As the document has it."""
    demands_after: bool
    """Whether the type of its variable allows no null."""

    def begins_after(self, variables: Mapping[str, Any]) -> int | None:
        """None where the stream begins now. Raises BadUserInput."""
        match self.after:
            case VariableNode(name=name):
                cursor = variables.get(name.value)
            case StringValueNode(value=cursor):
                pass
            case _:
                cursor = None
        if cursor is None and not self.demands_after:
            return None
        if not isinstance(cursor, str):
            raise BadUserInput("after must be a string.")
        return sequence_of(cursor)

    def key(self, operation: Operation, permissions: frozenset[Permission]) -> Key:
        known = {name: operation.variables[name] for name in self.variables if name in operation.variables}
        # A text of its own: orjson's bytes hold on to a buffer of 4 KB.
        variables = orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode()
        return Key(operation.query, operation.name, variables, permissions)


@dataclass(frozen=True, slots=True)
class Subscription:
    sharing: Sharing | None
    """None where the document says it in an unusual way; such a subscription is executed for itself."""


def subscription_of(query: str, name: str | None) -> Subscription | None:
    """None for what is no subscription, or no GraphQL at all."""
    return _kept(query, name) if len(query) + len(name or "") <= MAX_CHARACTERS else _subscription_of(query, name)


def _subscription_of(query: str, name: str | None) -> Subscription | None:
    try:
        document = parse(query, no_location=True)
    except (GraphQLError, RecursionError):
        return None
    operation = get_operation_ast(document, name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        return None
    return Subscription(_sharing(document, operation))


_kept = lru_cache(maxsize=256)(_subscription_of)


def _sharing(document: DocumentNode, operation: OperationDefinitionNode) -> Sharing | None:
    field, *others = operation.selection_set.selections
    if others or not isinstance(field, FieldNode) or field.name.value not in SHARED_FIELDS or field.directives:
        return None
    after = next((argument.value for argument in field.arguments or () if argument.name.value == "after"), None)
    definitions = {definition.variable.name.value: definition for definition in operation.variable_definitions or ()}
    demands_after = False
    if isinstance(after, VariableNode):
        definition = definitions.pop(after.name.value, None)
        if definition is None or definition.default_value or _is_used_elsewhere(document, after.name.value):
            return None
        demands_after = isinstance(definition.type, NonNullTypeNode)
    return Sharing(tuple(definitions), after, demands_after)


class _Uses(Visitor):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.count = name, 0

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.count += node.name.value == self.name


def _is_used_elsewhere(document: DocumentNode, name: str) -> bool:
    """Besides the definition of the variable and one use."""
    uses = _Uses(name)
    visit(document, uses)
    return uses.count > 2
