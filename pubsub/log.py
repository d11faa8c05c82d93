"""The event log as streams read it: in sequence order, each event with its dam."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select

from models import Dam, Event, EventKind, Inventory
from models.dam import DAM_COLUMNS
from models.database import Database

PAGE = 500
"""Events a read takes at most: some 200 KB, and some milliseconds of the loop."""

# The dam's columns as a row of their own would be: `id` is that of the dam, and None where it was removed since.
READ_LOG = (
    select(
        Event.sequence,
        Event.kind,
        Event.dam_id,
        *DAM_COLUMNS,
    )
    .outerjoin(Dam, Dam.id == Event.dam_id)
    .where(Event.sequence > bindparam("after"))
    .order_by(Event.sequence)
    .limit(PAGE)
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    sequence: int
    kind: EventKind
    dam_id: int
    dam: Row[Any] | None
    """The dam as it is now; None where it was removed since."""


async def read_log(database: Database, after: int) -> list[LoggedEvent]:
    """The next events after a sequence number, at most `PAGE`; no gap, since sequence order is commit order."""
    async with database.read() as connection:
        rows = (await connection.execute(READ_LOG, {"after": after})).all()
    return [LoggedEvent(row.sequence, row.kind, row.dam_id, row if row.id is not None else None) for row in rows]


async def last_sequence(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(Inventory.last_sequence))).scalar_one()
