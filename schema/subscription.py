"""Root fields that stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from models import EventKind
from models.identity import Permission
from resolvers.cursors import sequence_of
from resolvers.filters import meets
from schema.context import Info
from schema.dam import Dam
from schema.filters import Where, conditions


@strawberry.type
class Subscription:
    @strawberry.subscription(
        description="Each dam that is added, once and in order: those after a cursor first, then live, without a gap."
    )
    async def dam_added(
        self,
        info: Info,
        after: Annotated[
            str | None,
            strawberry.argument(description="A Dam.cursor or an Inventory.eventCursor. Left out: from now on."),
        ] = None,
        where: Where = None,
    ) -> AsyncGenerator[Dam, None]:
        await info.context.require(Permission.VIEW_DAMS)
        filter_ = conditions(where)
        position = None if after is None else sequence_of(after)
        async with aclosing(info.context.hub.events(position)) as events:
            async for event in events:
                if event.kind is EventKind.DAM_ADDED and event.dam is not None and meets(event.dam, filter_):
                    yield Dam.from_row(event.dam)
