"""Every error gets a code; what was not expected is logged and masked."""

import logging
from collections.abc import Iterator

from graphql import GraphQLError, GraphQLSyntaxError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types.execution import StreamExecutionResult

from models.errors import InventoryError
from schema.context import Context
from schema.limits.extension import code_of_syntax

logger = logging.getLogger(__name__)


UNRESOLVED = "OPERATION_RESOLUTION_FAILURE"
"""Which operation of the document is meant cannot be told. As Apollo Server calls it."""

MASKED = "Something went wrong on our side. Report it with the request id."


def masked_extensions(request_id: str) -> dict[str, str]:
    """The log has the details under the request id."""
    return {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}


def without_suggestion(error: GraphQLError) -> GraphQLError:
    """graphql-core suggests names of the schema at the end of its messages."""
    message, suggests, _ = error.message.partition(" Did you mean ")
    if not suggests:
        return error
    return GraphQLError(
        message, error.nodes, error.source, error.positions, error.path, error.original_error, error.extensions
    )


class CodedErrors(SchemaExtension):
    """Runs for answers and for each result of a stream."""

    def on_operation(self) -> Iterator[None]:
        self._invalid: list[GraphQLError] = []
        yield
        self._code(self.execution_context.result)

    def on_validate(self) -> Iterator[None]:
        if self._is_ambiguous():
            message = "The document holds several operations. Name one of them in operationName."
            error = GraphQLError(message, extensions={"code": UNRESOLVED})
            self.execution_context.pre_execution_errors = [error]
        yield
        self._invalid = self.execution_context.pre_execution_errors or []

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        self._code(result)
        yield

    def _is_ambiguous(self) -> bool:
        """GraphQL specification, section 6.1; Strawberry would run the first operation."""
        document = self.execution_context.graphql_document
        definitions = document.definitions if document else ()
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        # The public `operation_name` is that of the first operation where none was given.
        return len(operations) > 1 and self.execution_context._provided_operation_name is None

    def _code(self, result: object) -> None:
        errors = getattr(result, "errors", None)
        if errors:
            errors[:] = [self._coded(error) for error in errors]

    def _coded(self, error: GraphQLError) -> GraphQLError:
        context: Context = self.execution_context.context
        if not context.limits.introspection:
            error = without_suggestion(error)
        if error.extensions and "code" in error.extensions:
            return error
        if isinstance(error.original_error, CannotGetOperationTypeError):
            return GraphQLError(error.original_error.as_http_error_reason(), extensions={"code": UNRESOLVED})
        code = self._code_of(error)
        if code is not None:
            error.extensions = {**(error.extensions or {}), "code": code}
            return error
        logger.error("unexpected error, request %s", context.request_id, exc_info=error.original_error or error)
        return GraphQLError(
            MASKED, nodes=error.nodes, path=error.path, extensions=masked_extensions(context.request_id)
        )

    def _code_of(self, error: GraphQLError) -> str | None:
        """None for what was not expected."""
        if isinstance(error, GraphQLSyntaxError):
            return code_of_syntax(error)
        if error in self._invalid:
            return "GRAPHQL_VALIDATION_FAILED"
        original = error.original_error
        if isinstance(original, InventoryError):
            return original.code
        # GraphQL's own: before a path is walked variables do not fit, later arguments do not. It points at those in
        # the document; without a place it speaks of a value of ours that cannot be sent.
        if original is None or (isinstance(original, GraphQLError) and (error.path is None or original.nodes)):
            return "BAD_USER_INPUT"
        return None
