"""Adding and removing a dam: checked, counted, numbered and logged in one transaction.

Every writer updates the counter row first. Its lock makes the cap and the quota exact, and makes the order of
sequence numbers the order of commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, bindparam, delete, insert, or_, select, update

from auth.viewer import Viewer
from models import Dam, Event, EventKind, Inventory
from models.dam import DAM_COLUMNS, DamRow
from models.database import Database
from models.errors import DatabaseUnavailable, InventoryFull, QuotaExceeded
from models.statement import Script, Step, spread
from resolvers.dates import BuildDate
from resolvers.locations import Point
from resolvers.quota import Quota, quotas_of
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


class Add(NamedTuple):
    dam: NewDam
    viewer: Viewer

    @property
    def key(self) -> tuple[int | None, str] | None:
        return (self.viewer.user_id, self.dam.idempotency_key) if self.dam.idempotency_key else None


LOCK_COUNTER = select(Inventory.dam_count, Inventory.max_dams, Inventory.last_sequence).with_for_update()
SET_COUNTER = update(Inventory).values(dam_count=bindparam("count"), last_sequence=bindparam("last"))
TAKE_NUMBER_TO_REMOVE = (
    update(Inventory)
    .where(Inventory.dam_count > 0)
    .values(dam_count=Inventory.dam_count - 1, last_sequence=Inventory.last_sequence + 1)
    .returning(Inventory.last_sequence)
)
ADD_DAM = insert(Dam)
ADD_EVENT = insert(Event)

UNKNOWN: dict[str, Any] = dict.fromkeys(DamRow._fields)


async def add_dam(database: Database, dam: NewDam, viewer: Viewer) -> Any:
    """The row of the dam; of the first one where the viewer has used the idempotency key before.

    Adds that come together share a transaction, whose commit costs more than all else. Each is answered by itself.
    Raises InventoryFull and QuotaExceeded, with nothing written.
    """
    return await database.together(_add_together, Add(dam, viewer))


async def _add_together(database: Database, adds: Sequence[Add]) -> list[Any]:
    """Rows, and exceptions of those that were not added. One that cannot be written harms no other."""
    try:
        return await database.transact(_add_all(adds))
    except DatabaseUnavailable:
        raise
    except Exception as error:
        if len(adds) == 1:
            return [error]
    return [outcome for add in adds for outcome in await _add_together(database, [add])]


def _add_all(adds: Sequence[Add]) -> Script[list[Any]]:
    """In their order. The sequence number of the event becomes the id of the dam."""
    ((dam_count, max_dams, last_sequence),) = yield Step(LOCK_COUNTER)
    quotas = yield from quotas_of({add.viewer.user_id for add in adds if add.viewer.user_id is not None})
    ledger = _Ledger(dam_count, max_dams, last_sequence, quotas)
    by_key: dict[Any, Any] = yield from _added_before([add.key for add in adds if add.key])
    outcomes: list[Any] = []
    dams, events = [], []
    for add in adds:
        if add.key in by_key:
            outcomes.append(by_key[add.key])
            continue
        try:
            values = _values(ledger.enter(add), add)
        except (InventoryFull, QuotaExceeded) as refusal:
            outcomes.append(refusal)
            continue
        dams.append(values)
        events.append(_event(values["id"], EventKind.DAM_ADDED, values["id"], add.viewer))
        outcomes.append(DamRow(*map(values.get, DamRow._fields)))
        if add.key:
            by_key[add.key] = outcomes[-1]
    if dams:
        yield Step(ADD_DAM, dams)
        yield Step(ADD_EVENT, events)
        yield Step(SET_COUNTER, [{"count": ledger.dam_count, "last": ledger.last_sequence}])
    return outcomes


@dataclass(slots=True)
class _Ledger:
    """The counter row and the quotas of a locked inventory, as they become with each add."""

    dam_count: int
    max_dams: int
    last_sequence: int
    quotas: dict[int, Quota]

    def enter(self, add: Add) -> int:
        """The number of the event. Raises InventoryFull and QuotaExceeded."""
        dam, viewer = add
        if 0 < self.max_dams <= self.dam_count:
            raise InventoryFull(f'Unable to add dam "{dam.name}", because the inventory is full.')
        quota = self.quotas.get(viewer.user_id or 0)
        if quota is not None:
            if quota.is_used_up:
                used = f"{viewer.name} has added {quota.used} of {quota.max_dams} dams"
                raise QuotaExceeded(f'Unable to add dam "{dam.name}", because {used}.')
            self.quotas[viewer.user_id or 0] = replace(quota, used=quota.used + 1)
        self.dam_count += 1
        self.last_sequence += 1
        return self.last_sequence


def _added_before(keys: Sequence[tuple[int | None, str]]) -> Script[dict[Any, Any]]:
    """By user and idempotency key. Exact while the counter row is locked."""
    if not keys:
        return {}
    users, texts = spread("user", [user for user, _ in keys]), spread("key", [text for _, text in keys])
    found = yield Step(find_by_keys(len(users)), [users | texts])
    rows: list[tuple[Any, str]] = [(DamRow(*columns), key) for *columns, key in found]
    return {(row.added_by_id, key): row for row, key in rows}


@lru_cache
def find_by_keys(places: int) -> Select[Any]:
    users = [bindparam(f"user_{place}", type_=Dam.added_by_id.type) for place in range(places)]
    keys = [bindparam(f"key_{place}", type_=Text) for place in range(places)]
    pairs = [(Dam.added_by_id == user) & (Dam.idempotency_key == key) for user, key in zip(users, keys, strict=True)]
    return select(*DAM_COLUMNS, Dam.idempotency_key).where(or_(*pairs))


def _values(number: int, add: Add) -> dict[str, Any]:
    dam = add.dam
    values = {
        "id": number,
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
        "purposes": (),
        "dam_types": (),
        "added_by_id": add.viewer.user_id,
        "idempotency_key": dam.idempotency_key,
    }
    return with_keys(UNKNOWN | values)


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
        await connection.execute(ADD_EVENT, _event(sequence, EventKind.DAM_REMOVED, dam_id, viewer))
        return sequence


def _event(sequence: int, kind: EventKind, dam_id: int, viewer: Viewer) -> dict[str, Any]:
    event = {"sequence": sequence, "kind": kind, "dam_id": dam_id, "at": datetime.now(UTC)}
    return event | {"actor": viewer.name, "token": viewer.token}
