"""The event log as streams read it: in sequence order, each event with its dam.

Numbers are dense, and only the beginning of the log is ever deleted, never its last event. So what follows a cursor
is there if the next event has the next number, and otherwise was deleted.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, bindparam, delete, func, select

from models import Dam, Event, EventKind, Inventory
from models.dam import DAM_COLUMNS, DamRow
from models.database import Database, Reader
from models.errors import CursorAhead, CursorExpired, DatabaseUnavailable
from models.statement import Record

logger = logging.getLogger(__name__)

PAGE = 500
"""Events a read takes at most: some 200 KB, and some milliseconds of the loop."""

PRUNED_AT_ONCE = 1_000
"""Events a transaction deletes at most, since writers on SQLite wait for it."""

PRUNE_INTERVAL_S = 3_600.0

READ_LOG = (
    select(Event.sequence, Event.kind, Event.dam_id, Event.at, *DAM_COLUMNS)
    .outerjoin(Dam, Dam.id == Event.dam_id)
    .where(Event.sequence > bindparam("after"))
    .order_by(Event.sequence)
    .limit(PAGE)
)

ENDS = select(Inventory.last_sequence, select(func.min(Event.sequence)).scalar_subquery())
OLDEST = select(Event.sequence, Event.at).order_by(Event.sequence).limit(PRUNED_AT_ONCE + 1)
PRUNE = delete(Event).where(Event.sequence < bindparam("first_kept"))

EXPIRED = (
    "What follows this cursor is no longer kept. Read the inventory anew and go on from inventory { eventCursor }."
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    sequence: int
    kind: EventKind
    dam_id: int
    at: datetime
    dam: DamRow | None
    """The dam as it is now; None where it was removed since."""

    @classmethod
    def from_record(cls, record: Record) -> "LoggedEvent":
        """Of READ_LOG, where all columns of a dam that was removed are None; the first is its id."""
        sequence, kind, dam_id, at, *columns = record
        return cls(sequence, kind, dam_id, at, None if columns[0] is None else DamRow(*columns))


async def read_log(reader: Reader, after: int) -> list[LoggedEvent]:
    """The next events after a sequence number, at most `PAGE`; no gap, since sequence order is commit order.

    Raises CursorExpired where the next ones were deleted.
    """
    events = [
        LoggedEvent.from_record(record) for record in await reader.fetch("log", lambda: READ_LOG, {"after": after})
    ]
    if events and events[0].sequence > after + 1:
        raise CursorExpired(EXPIRED)
    return events


async def last_sequence(reader: Reader) -> int:
    async with reader.read() as connection:
        return (await connection.execute(select(Inventory.last_sequence))).scalar_one()


async def require_in_log(database: Database, after: int) -> None:
    """Raises CursorAhead where the log has not come so far, CursorExpired where later events were deleted from it."""
    async with database.read() as connection:
        last, oldest = (await connection.execute(ENDS)).one()
    if after > last:
        raise CursorAhead("This cursor is later than the last change of this inventory. Read it anew.")
    if after + 1 < (last + 1 if oldest is None else oldest):
        raise CursorExpired(EXPIRED)


async def keep_log_short(database: Database, days: int) -> None:
    """Deletes events older than so many days, now and every hour, for ever. Each process may do so."""
    while True:
        try:
            await prune_log(database, datetime.now(UTC) - timedelta(days=days))
        except DatabaseUnavailable as error:
            logger.warning("cannot prune the log, trying again later: %r", error.__cause__)
        except Exception:
            logger.exception("cannot prune the log, trying again later")
        await asyncio.sleep(PRUNE_INTERVAL_S)


async def prune_log(database: Database, before: datetime) -> None:
    """Deletes the beginning of the log, up to the first event that happened at `before` or later.

    An older one behind that stays, for clocks differ between machines; so does the last event of the log.
    Raises DatabaseUnavailable; what was deleted until then stays deleted.
    """
    while oldest := await _oldest(database):
        first_kept = next((event.sequence for event in oldest if event.at >= before), oldest[-1].sequence)
        if first_kept == oldest[0].sequence:
            return
        await database.finish(_prune(database, first_kept))


async def _oldest(database: Database) -> Sequence[Row[int, datetime]]:
    async with database.read() as connection:
        return (await connection.execute(OLDEST)).all()


async def _prune(database: Database, first_kept: int) -> None:
    async with database.write() as connection:
        await connection.execute(PRUNE, {"first_kept": first_kept})
