"""What was done, by whom and when: to dams from the log of changes, to users, tokens and caps from the audit trail."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from models import AuditEntry, Dam, Event
from models.dam import DAM_COLUMNS
from models.database import Database
from models.errors import BadUserInput
from resolvers.listings import Listing

CHANGES = Listing("event", Event.sequence, newest_first=True)
AUDIT = Listing("audit", AuditEntry.id, newest_first=True)

EVENT_COLUMNS = (Event.sequence, Event.kind, Event.dam_id, Event.at, Event.actor, Event.token)
HISTORY = select(*EVENT_COLUMNS).where(Event.dam_id.in_(bindparam("dam_ids", expanding=True))).order_by(Event.sequence)


def select_changes(dam_id: int | None, actor: str | None) -> Select[Any]:
    """With the columns of the dam; its `id` is None where it was removed since."""
    changes = select(*EVENT_COLUMNS, *DAM_COLUMNS).outerjoin(Dam, Dam.id == Event.dam_id)
    if dam_id is not None:
        changes = changes.where(Event.dam_id == dam_id)
    return changes if actor is None else changes.where(Event.actor == usable_name(actor))


def select_audit(actor: str | None) -> Select[Any]:
    entries = select(*AuditEntry.__table__.columns)
    return entries if actor is None else entries.where(AuditEntry.actor == usable_name(actor))


MAX_NAME = 1_000
"""Characters of the name of a user; one of an OpenID provider may hold the provider's too."""


def usable_name(name: str) -> str:
    """Raises BadUserInput."""
    if len(name) > MAX_NAME:
        raise BadUserInput(f"actor has {len(name):,} characters; {MAX_NAME:,} are allowed.")
    if "\x00" in name:  # which PostgreSQL takes in no text
        raise BadUserInput("actor must be the name of a user, without NUL.")
    return name


async def histories(database: Database, dam_ids: list[int]) -> list[list[Row[Any]]]:
    """For each dam what happened to it, the oldest first."""
    found: dict[int, list[Any]] = defaultdict(list)
    async with database.read() as connection:
        for row in await connection.execute(HISTORY, {"dam_ids": dam_ids}):
            found[row.dam_id].append(row)
    return [found[dam_id] for dam_id in dam_ids]
