"""Who did what, and when: for those who manage the inventory."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import argument

from models import Action, EventKind
from models.identity import Permission
from resolvers import changes
from schema.context import Info
from schema.dam import Dam
from schema.paging import After, Connection, First

strawberry.enum(Action, name="AuditAction", description="What is done to users, tokens and caps.")


@strawberry.type(description="A change of the dams, and who made it.")
class Change:
    kind: EventKind = strawberry.field(description="What was done.")
    at: datetime = strawberry.field(description="When.")
    dam_id: int = strawberry.field(description="The dam that it was done to, be it still there or not.")
    dam: Dam | None = strawberry.field(description="The dam as it is now; null where it was removed since.")
    actor: str = strawberry.field(description="Name of the user who did it, or import.")
    token: str | None = strawberry.field(description="Name of the token that the actor had; null: none.")

    @classmethod
    def from_row(cls, row: Any) -> "Change":
        """`row` is one of select_changes."""
        dam = None if row.id is None else Dam.from_row(row)
        return cls(kind=row.kind, at=row.at, dam_id=row.dam_id, dam=dam, actor=row.actor, token=row.token)


@strawberry.type(description="Something that was done to a user, a token or a cap.")
class AuditEntry:
    action: Action = strawberry.field(description="What was done.")
    at: datetime = strawberry.field(description="When.")
    actor: str = strawberry.field(description="Name of the user who did it, or command line.")
    token: str | None = strawberry.field(description="Name of the token that the actor had; null: none.")
    subject: str = strawberry.field(description="The user or the setting that it was done to.")
    detail: str | None = strawberry.field(description="The name of a token, the new value.")

    @classmethod
    def from_row(cls, row: Any) -> "AuditEntry":
        return cls(
            action=row.action, at=row.at, actor=row.actor, token=row.token, subject=row.subject, detail=row.detail
        )


DamId = Annotated[int | None, argument(description="Only what was done to this dam, as in Dam.damId.")]
By = Annotated[str | None, argument(description="Only what this user did, by name.")]


@strawberry.type
class ChangeQuery:
    @strawberry.field(description="What was done to dams, the latest first. Needs manage_inventory.")
    async def changes(
        self, info: Info, first: First = None, after: After = None, dam_id: DamId = None, actor: By = None
    ) -> Connection[Change]:
        await info.context.require(Permission.MANAGE_INVENTORY)
        rows = changes.select_changes(dam_id, actor)
        page = await changes.CHANGES.page(
            info.context.database, rows, first=first, after=after, max_size=info.context.max_page_size
        )
        return Connection.from_page(changes.CHANGES, page, Change.from_row)

    @strawberry.field(description="What was done to users, tokens and caps, the latest first. Needs manage_inventory.")
    async def audit_trail(
        self, info: Info, first: First = None, after: After = None, actor: By = None
    ) -> Connection[AuditEntry]:
        await info.context.require(Permission.MANAGE_INVENTORY)
        rows = changes.select_audit(actor)
        page = await changes.AUDIT.page(
            info.context.database, rows, first=first, after=after, max_size=info.context.max_page_size
        )
        return Connection.from_page(changes.AUDIT, page, AuditEntry.from_row)
