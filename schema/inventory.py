"""The inventory as a whole."""

from typing import Annotated

import strawberry
from strawberry import argument

from models.errors import Refused
from models.identity import Permission
from resolvers.accounts import require_limit
from resolvers.cursors import event_cursor
from resolvers.inputs import KNOWN_OWNERS
from resolvers.inventory import InventoryState, read_inventory, set_caps
from schema.context import Info
from schema.problems import UserError
from schema.uninterrupted import Uninterrupted


@strawberry.type(description="The inventory as a whole.")
class Inventory:
    dam_count: int = strawberry.field(description="Dams there are.")
    max_dams: int | None = strawberry.field(description="Dams there may be; null means no cap.")
    remaining: int | None = strawberry.field(description="Dams that may still be added; null means no cap.")
    max_dams_per_user: int | None = strawberry.field(
        description="Dams that a user without an own quota may have added; null means no quota."
    )
    is_full: bool = strawberry.field(description="Whether addDam would answer INVENTORY_FULL.")
    event_cursor: str = strawberry.field(
        description="The last change before this operation. damAdded(after:) with it misses nothing the answer lacks."
    )

    @strawberry.field(description="Owners that the add form offers. Any other text is an owner as well.")
    def known_owners(self) -> list[str]:
        return list(KNOWN_OWNERS)

    @classmethod
    def from_state(cls, state: InventoryState) -> "Inventory":
        capped = state.max_dams > 0
        remaining = max(0, state.max_dams - state.dam_count)
        return cls(
            dam_count=state.dam_count,
            max_dams=state.max_dams if capped else None,
            remaining=remaining if capped else None,
            max_dams_per_user=state.max_dams_per_user or None,
            is_full=capped and remaining == 0,
            event_cursor=event_cursor(state.last_sequence),
        )


@strawberry.input(description="Caps to be changed; those that are left out stay.")
class UpdateInventoryInput:
    max_dams: int | None = strawberry.field(
        default=strawberry.UNSET, description="Dams there may be in all; 0 or null for no cap."
    )
    max_dams_per_user: int | None = strawberry.field(
        default=strawberry.UNSET, description="Dams that a user without an own quota may add; 0 or null for no quota."
    )


@strawberry.type(description="The inventory with its caps, or why they were not changed.")
class UpdateInventoryPayload:
    inventory: Inventory | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type
class InventoryMutation:
    @strawberry.mutation(
        description="Change the caps, at once and for every process. Needs manage_inventory.",
        extensions=[Uninterrupted()],
    )
    async def update_inventory(
        self,
        info: Info,
        input: Annotated[UpdateInventoryInput, argument(description="The new caps.")],  # noqa: A002
    ) -> UpdateInventoryPayload:
        viewer = await info.context.require(Permission.MANAGE_INVENTORY)
        sent = {"max_dams": input.max_dams, "max_dams_per_user": input.max_dams_per_user}
        caps = {name: value or 0 for name, value in sent.items() if value is not strawberry.UNSET}
        try:
            for name, field in (("max_dams", "maxDams"), ("max_dams_per_user", "maxDamsPerUser")):
                require_limit(field, caps.get(name))
            await set_caps(info.context.database, caps, viewer.actor)
        except Refused as refusal:
            return UpdateInventoryPayload(errors=[UserError.from_refusal(refusal)])
        return UpdateInventoryPayload(inventory=Inventory.from_state(await read_inventory(info.context.database)))
