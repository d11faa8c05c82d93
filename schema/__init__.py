"""The GraphQL schema: what clients see. schema.graphql is this, printed."""

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.errors import CodedErrors
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


class InventorySchema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log a traceback for every typing error of a client; CodedErrors logs what matters."""


schema = InventorySchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[CodedErrors],
    config=StrawberryConfig(scalar_map=SCALARS),
)
