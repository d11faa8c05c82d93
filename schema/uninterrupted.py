"""Mutations that have begun are done to their end, also where the client hangs up or waits no longer."""

from typing import Any

from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from schema.context import Info


class Uninterrupted(FieldExtension):
    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **arguments: Any) -> Any:
        async def work() -> Any:
            return await next_(source, info, **arguments)

        return await info.context.database.finish(work())
