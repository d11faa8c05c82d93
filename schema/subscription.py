"""Root fields that stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from models.identity import Permission
from resolvers.filters import DamAdded
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
        place = await info.context.place_after(after)
        async with aclosing(info.context.hub.events(place, DamAdded(conditions(where)))) as events:
            async for event in events:
                yield Dam.from_row(event.dam)
