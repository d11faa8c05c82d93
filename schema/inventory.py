"""The inventory as a whole."""

import strawberry

from resolvers.cursors import event_cursor
from resolvers.inputs import KNOWN_OWNERS
from resolvers.inventory import InventoryState


@strawberry.type(description="The inventory as a whole.")
class Inventory:
    dam_count: int = strawberry.field(description="Dams there are.")
    max_dams: int | None = strawberry.field(description="Dams there may be; null means no cap.")
    remaining: int | None = strawberry.field(description="Dams that may still be added; null means no cap.")
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
            is_full=capped and remaining == 0,
            event_cursor=event_cursor(state.last_sequence),
        )
