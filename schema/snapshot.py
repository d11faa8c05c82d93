"""The place in the log that belongs to an answer: read before everything else of the operation.

Root fields run at the same time, each on a connection of its own. A cursor that is read after a page skips the dams
that were added between the two; one that is read first gives some of them twice at worst, and `id` tells.
"""

from collections.abc import AsyncIterator

from graphql import ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension

from resolvers.inventory import InventoryState, read_inventory
from schema.context import Context, Info


class CursorFirst(SchemaExtension):
    """Reads the counter row before an operation that may ask for `eventCursor`, and makes it the root value."""

    async def on_execute(self) -> AsyncIterator[None]:
        operation = self.execution_context
        if "eventCursor" in (operation.query or ""):
            context: Context = operation.context
            try:
                operation.root_value = await read_inventory(context.database)
            except Exception as error:  # raised from here, it would pass CodedErrors by
                operation.result = ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
        yield


async def inventory_state(info: Info) -> InventoryState:
    """As it was before the operation where CursorFirst has read it, else as it is now."""
    before: InventoryState | None = info.root_value
    return before or await read_inventory(info.context.database)
