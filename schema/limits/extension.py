"""Holds each operation against the limits of its context, by whatever way it came."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, TypeVar

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, get_operation_ast, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from models.errors import BadUserInput, RateLimited
from schema.context import Context
from schema.documents import Prepared, documents_of_process, prepared_of
from schema.limits import Limits
from schema.limits.cost import Costs
from schema.limits.figures import Figures, figures_of
from schema.limits.inputs import Inputs

Made = TypeVar("Made")

LIMITED = {
    "depth": ("DOCUMENT_TOO_DEEP", "Fields are nested {found} deep; they may be {limit} deep."),
    "aliases": ("TOO_MANY_ALIASES", "The operation has {found} aliases, fragments written out; it may have {limit}."),
    "directives": (
        "TOO_MANY_DIRECTIVES",
        "The operation has {found} directives, fragments written out; it may have {limit}.",
    ),
    "root_fields": ("TOO_MANY_ROOT_FIELDS", "The operation has {found} root fields; it may have {limit}."),
}
"""Code and message by what is counted."""

TOLD = 1_000_000
"""No greater figures are told: those of fragments that double each other may have hundreds of digits."""

ABORTED = {
    "tokens. Parsing aborted": "DOCUMENT_TOO_LONG",
    "comments. Parsing aborted": "DOCUMENT_TOO_LONG",
    "too deeply. Parsing aborted": "DOCUMENT_TOO_DEEP",
}
"""Codes by the words of graphql-core's parser."""


def code_of_syntax(error: GraphQLSyntaxError) -> str:
    return next((code for words, code in ABORTED.items() if words in error.message), "GRAPHQL_PARSE_FAILED")


def parse_options(limits: Limits) -> dict[str, int]:
    return {"max_lexical_tokens": limits.tokens, "max_comments": limits.tokens}


def beyond(figures: Figures, limits: Limits) -> list[GraphQLError]:
    errors = [
        GraphQLError(message.format(found=min(found, TOLD), limit=limit), extensions={"code": code})
        for name, (code, message) in LIMITED.items()
        if (found := getattr(figures, name)) > (limit := getattr(limits, name))
    ]
    if figures.introspects and not limits.introspection:
        message = "The schema may not be asked for here."
        errors.append(GraphQLError(message, extensions={"code": "INTROSPECTION_DISABLED"}))
    return errors


def is_valid(text: str, schema: GraphQLSchema, limits: Limits) -> bool:
    """Whether a document fits the schema and is within the limits that do not ask for its variables."""
    try:
        prepared = documents_of_process().prepared(text, **parse_options(limits))
    except GraphQLError:
        return False
    return not (beyond(prepared.fact(figures_of), limits) or prepared.errors(schema, tuple(specified_rules)))


@lru_cache
def _by_schema(schema: GraphQLSchema, make: Callable[[GraphQLSchema, DocumentNode], Made]) -> Callable[[Any], Made]:
    """The same function each time, so that a document knows it again."""
    return partial(make, schema)


def valid(operation: ExecutionContext) -> Prepared | None:
    """Its document; None before it is known to be valid."""
    document = operation.graphql_document
    return prepared_of(document) if document and not operation.pre_execution_errors else None


def cost_of(operation: ExecutionContext, prepared: Prepared) -> int:
    asked = get_operation_ast(prepared.document, operation.operation_name)
    assert asked is not None
    context: Context = operation.context
    costs: Costs = prepared.fact(_by_schema(operation.schema._schema, Costs))
    return costs.of(asked, operation.variables or {}, context.max_page_size)


def too_long(operation: ExecutionContext, prepared: Prepared, limits: Limits) -> list[GraphQLError]:
    inputs: Inputs = prepared.fact(_by_schema(operation.schema._schema, Inputs))
    problems = inputs.problems(operation.variables or {}, limits)
    return [GraphQLError(problem, extensions={"code": BadUserInput.code}) for problem in problems]


class Limited(SchemaExtension):
    """After PreparedDocuments, which parses and validates."""

    _cost: int | None = None

    @property
    def _limits(self) -> Limits:
        context: Context = self.execution_context.context
        return context.limits

    def on_operation(self) -> Iterator[None]:
        options: Any = parse_options(self._limits)
        self.execution_context.parse_options = options
        yield

    def on_parse(self) -> Iterator[None]:
        yield
        operation = self.execution_context
        prepared = prepared_of(operation.graphql_document) if operation.graphql_document else None
        if prepared is not None:
            operation.pre_execution_errors = beyond(prepared.fact(figures_of), self._limits) or None

    def on_validate(self) -> Iterator[None]:
        operation = self.execution_context
        if prepared := valid(operation):
            operation.pre_execution_errors = too_long(operation, prepared, self._limits)
            self._cost = cost_of(operation, prepared)
            self._hold(self._cost)
        yield

    def _hold(self, cost: int) -> None:
        if self.execution_context.pre_execution_errors:
            return
        if cost > self._limits.cost:
            message = (
                f"The operation costs {min(cost, TOLD)}; it may cost {self._limits.cost}."
                " Ask for shorter pages, or for less in one operation."
            )
            error = GraphQLError(message, extensions={"code": "COST_LIMIT_EXCEEDED", **self._told_cost(cost)})
            self.execution_context.pre_execution_errors = [error]
        else:
            self._charge(cost)

    def _charge(self, cost: int) -> None:
        """What it costs beyond the one point that the transport has charged; subscriptions share their executions."""
        context: Context = self.execution_context.context
        try:
            if context.stream is None:
                context.charge_more(cost - 1)
        except RateLimited as error:
            self.execution_context.pre_execution_errors = [GraphQLError(str(error), original_error=error)]

    def get_results(self) -> dict[str, Any]:
        context: Context = self.execution_context.context
        if self._cost is None or context.stream is not None:
            return {}  # a subscription's would be told with each event
        return self._told_cost(self._cost)

    def _told_cost(self, cost: int) -> dict[str, Any]:
        return {"cost": {"requestedQueryCost": min(cost, TOLD), "maximumAvailable": self._limits.cost}}
