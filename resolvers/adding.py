"""Adding and removing a dam: checked, counted, numbered and logged in one transaction.

Every writer updates the counter row first. Its lock makes the cap and the quota exact, and makes the order of
sequence numbers the order of commits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.viewer import Viewer
from models import Dam, Event, EventKind, Inventory
from models.dam import DAM_COLUMNS
from models.database import Database
from models.errors import InventoryFull, QuotaExceeded
from resolvers.dates import BuildDate
from resolvers.locations import Point
from resolvers.quota import quota_of
from resolvers.rows import with_keys


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of an input."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class NewDam:
    name: str
    owner: str
    river: str
    built: BuildDate
    point: Point
    idempotency_key: str | None = None


TAKE_NUMBER = (
    update(Inventory)
    .where(or_(Inventory.max_dams == 0, Inventory.dam_count < Inventory.max_dams))
    .values(dam_count=Inventory.dam_count + 1, last_sequence=Inventory.last_sequence + 1)
    .returning(Inventory.last_sequence)
)
TAKE_NUMBER_TO_REMOVE = (
    update(Inventory)
    .where(Inventory.dam_count > 0)
    .values(dam_count=Inventory.dam_count - 1, last_sequence=Inventory.last_sequence + 1)
    .returning(Inventory.last_sequence)
)
FIND_BY_KEY = select(*DAM_COLUMNS).where(
    Dam.added_by_id == bindparam("user_id"), Dam.idempotency_key == bindparam("key")
)


async def add_dam(database: Database, dam: NewDam, viewer: Viewer) -> Row[Any]:
    """The row of the dam; of the first one where the viewer has used the idempotency key before.

    Raises InventoryFull and QuotaExceeded, with nothing written.
    """
    if dam.idempotency_key and (first := await _added_before(database, dam, viewer)):
        return first
    try:
        async with database.write() as connection:
            return await _insert(connection, dam, viewer)
    except (InventoryFull, QuotaExceeded, IntegrityError):
        # A twin of this request may have been committed in the meantime.
        if dam.idempotency_key and (first := await _added_before(database, dam, viewer)):
            return first
        raise


async def _added_before(database: Database, dam: NewDam, viewer: Viewer) -> Row[Any] | None:
    async with database.read() as connection:
        found = await connection.execute(FIND_BY_KEY, {"user_id": viewer.user_id, "key": dam.idempotency_key})
        return found.one_or_none()


async def _insert(connection: AsyncConnection, dam: NewDam, viewer: Viewer) -> Row[Any]:
    """The sequence number of the event becomes the id of the dam."""
    sequence = await connection.scalar(TAKE_NUMBER)
    if sequence is None:
        raise InventoryFull(f'Unable to add dam "{dam.name}", because the inventory is full.')
    quota = await quota_of(connection, viewer.user_id)
    if quota.is_used_up:
        raise QuotaExceeded(
            f'Unable to add dam "{dam.name}", because {viewer.name} has added {quota.used} of {quota.max_dams} dams.'
        )
    values = {
        "id": sequence,
        "name": dam.name,
        "other_names": (),
        "owner": dam.owner,
        "owner_types": (),
        "river": dam.river,
        "built_first_day": dam.built.first_day,
        "built_last_day": dam.built.last_day,
        "longitude": dam.point.longitude,
        "latitude": dam.point.latitude,
        "structure_id": "",
        "county": None,
        "purposes": (),
        "dam_types": (),
        "added_by_id": viewer.user_id,
        "idempotency_key": dam.idempotency_key,
    }
    added = await connection.execute(insert(Dam).returning(*DAM_COLUMNS), with_keys(values))
    await _log(connection, sequence, EventKind.DAM_ADDED, sequence, viewer)
    return added.one()


async def remove_dam(database: Database, dam_id: int, viewer: Viewer) -> int | None:
    """The sequence number of the removal; None where there is no such dam."""
    async with database.write() as connection:
        sequence: int | None = await connection.scalar(TAKE_NUMBER_TO_REMOVE)
        if sequence is None:
            return None
        removed = await connection.execute(delete(Dam).where(Dam.id == dam_id))
        if removed.rowcount == 0:
            await connection.rollback()
            return None
        await _log(connection, sequence, EventKind.DAM_REMOVED, dam_id, viewer)
        return sequence


async def _log(connection: AsyncConnection, sequence: int, kind: EventKind, dam_id: int, viewer: Viewer) -> None:
    event = {"sequence": sequence, "kind": kind, "dam_id": dam_id, "at": datetime.now(UTC)}
    await connection.execute(insert(Event), event | {"actor": viewer.name, "token": viewer.token})
