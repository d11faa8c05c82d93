"""The counter row: how many dams there are, how many there may be, and what was the last change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select, update

from auth.audit import COMMAND_LINE, Actor, note
from models import Action, Inventory
from models.database import Database
from models.errors import BadUserInput


@dataclass(frozen=True, slots=True)
class InventoryState:
    dam_count: int
    max_dams: int
    """0 means no cap."""
    max_dams_per_user: int
    """0 means no quota."""
    last_sequence: int


COLUMNS: tuple[Any, ...] = (
    Inventory.dam_count,
    Inventory.max_dams,
    Inventory.max_dams_per_user,
    Inventory.last_sequence,
)
READ_INVENTORY: Select[Any] = select(*COLUMNS)
CAPS = ("max_dams", "max_dams_per_user")
"""What `dams settings` reads and sets, live for every process."""


async def read_inventory(database: Database) -> InventoryState:
    """Read once for all who ask together, after the last of them has asked."""
    state: InventoryState = await database.together(_read_together, None)
    return state


async def _read_together(database: Database, askers: Sequence[None]) -> list[InventoryState | Exception]:
    (row,) = await database.following.fetch("inventory", lambda: READ_INVENTORY, {})
    return [InventoryState(*row)] * len(askers)


async def redis_channel(database: Database) -> str:
    """Of this inventory alone, so that several can share a Redis."""
    async with database.read() as connection:
        return f"dams:{(await connection.execute(select(Inventory.uuid))).scalar_one()}"


async def set_cap(database: Database, name: str, value: int) -> None:
    """Raises BadUserInput for a name not in `CAPS` and for a negative value."""
    if name not in CAPS:
        raise BadUserInput(f'There is no setting "{name}". The settings are {", ".join(CAPS)}.')
    if not 0 <= value < 2**31:
        raise BadUserInput(f"{name} must be from 0 (no limit) to {2**31 - 1}, not {value}.")
    await set_caps(database, {name: value})


async def set_caps(database: Database, caps: Mapping[str, int], by: Actor = COMMAND_LINE) -> None:
    """By the names in `CAPS`; the values are checked."""
    if not caps:
        return
    async with database.write() as connection:
        await connection.execute(update(Inventory).values(**caps))
        for name, value in caps.items():
            await note(connection, by, Action.CAP_SET, name, str(value))
