"""What an answer depends on. One that dams, the counter row, its arguments and permissions make may be kept."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

FROM_DAMS = frozenset(
    {
        "Query.dams",
        "Query.dam",
        "Query.node",
        "Query.nearestDams",
        "Query.damClusters",
        "Query.riverNames",
        "Query.ownerNames",
        "Query.possibleDuplicates",
        "Query.inventory",
        "DamConnection.totalCount",
        "DamConnection.extent",
    }
)
"""Root fields, and fields below them whose resolvers take `info`. Others are made of the object they belong to alone.

What is not here depends on who asks, on the process, on the clock or on tables that change without an event, or nobody
has looked yet.
"""


class _Others(Visitor):
    """Whether there is anything else in a document than fields made from dams."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found = False

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        self.found |= node.operation is not OperationType.QUERY

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value == "__typename":
            return
        parent, field = self._types.get_parent_type(), self._types.get_field_def()
        definition: StrawberryField | None = None
        if field is not None:
            definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if parent is None or definition is None:
            self.found = True  # introspection, or no field of this schema
            return
        resolver = definition.base_resolver
        if parent.name == "Query" or (resolver is not None and resolver.info_parameter is not None):
            self.found |= f"{parent.name}.{node.name.value}" not in FROM_DAMS


def depends_on_dams_alone(schema: GraphQLSchema, document: DocumentNode) -> bool:
    """Whether each operation of the document does."""
    types = TypeInfo(schema)
    others = _Others(types)
    visit(document, TypeInfoVisitor(types, others))
    return not others.found
