"""What happened to a dam, and when."""

from datetime import datetime
from typing import TYPE_CHECKING

import strawberry

from models import EventKind
from models.identity import Permission
from resolvers.changes import histories

if TYPE_CHECKING:
    from schema.context import Context

strawberry.enum(EventKind, name="ChangeKind", description="What is done to dams.")


@strawberry.type(description="Something that happened to a dam.")
class HistoryEntry:
    kind: EventKind = strawberry.field(description="What was done.")
    at: datetime = strawberry.field(description="When.")
    actor: str | None = strawberry.field(
        description="Name of the user who did it, or import; null for who may not manage_inventory."
    )


async def load_histories(context: "Context", dam_ids: list[int]) -> list[list[HistoryEntry]]:
    may_see_who = (await context.viewer()).may(Permission.MANAGE_INVENTORY)
    return [
        [HistoryEntry(kind=row.kind, at=row.at, actor=row.actor if may_see_who else None) for row in rows]
        for rows in await histories(context.database, dam_ids)
    ]
