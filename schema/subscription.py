"""Root fields that stream."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic
from typing import Annotated

import strawberry

from models import EventKind
from models.identity import Permission
from resolvers.cursors import sequence_of
from resolvers.filters import meets
from schema.context import Info
from schema.dam import Dam
from schema.filters import Where, conditions

RECHECK_S = 1.0
"""A token that was revoked or has expired hears of no dam that is added later than this."""


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
        checked = monotonic()
        async with aclosing(info.context.hub.events(position)) as events:
            async for event in events:
                if monotonic() - checked > RECHECK_S:
                    await info.context.require(Permission.VIEW_DAMS)
                    checked = monotonic()
                if event.kind is EventKind.DAM_ADDED and event.dam is not None and meets(event.dam, filter_):
                    yield Dam.from_row(event.dam)
