"""The GraphQL schema: what clients see. schema.graphql is this, printed."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionContext
from strawberry.utils.str_converters import to_camel_case

from schema.documents import PreparedDocuments
from schema.errors import CodedErrors
from schema.execution import Execution
from schema.hooks import HooksRunner
from schema.limits.extension import Limited
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.snapshot import CursorFirst
from schema.subscription import Subscription


class Names(NameConverter):
    """Strawberry asks for the name of each argument whenever a field is resolved."""

    apply_naming_config = staticmethod(cache(to_camel_case))


class InventorySchema(strawberry.Schema):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Strawberry publishes `= null` wherever Python's default is None. To leave a value out says the same, and
        # generated clients need not send it.
        for value in _inputs(self._schema):
            if value.default_value is None:
                value.default_value = Undefined

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> HooksRunner:
        return HooksRunner(execution_context, extensions)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log a traceback for every typing error of a client; CodedErrors logs what matters."""


def _inputs(schema: GraphQLSchema) -> Iterator[GraphQLArgument | GraphQLInputField]:
    """What clients may send."""
    for named in schema.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            yield from named.fields.values()
        elif isinstance(named, GraphQLObjectType):
            for field in named.fields.values():
                yield from field.args.values()


schema = InventorySchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[PreparedDocuments, CodedErrors, Limited, CursorFirst],
    execution_context_class=Execution,
    config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
)
