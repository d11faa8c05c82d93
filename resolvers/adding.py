"""Adding and removing a dam: checked, counted, numbered and logged in one transaction.

Every writer updates the counter row first. Its lock makes the cap and the quota exact, and makes the order of
sequence numbers the order of commits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.viewer import Viewer
from models import Dam, Event, EventKind, Inventory
from models.database import Database
from models.errors import InventoryFull, QuotaExceeded
from resolvers.dams import DAM_COLUMNS, load_dams
from resolvers.dates import BuildDate, UnusableDate, parse_build_date
from resolvers.locations import Point, UnusableLocation, check_point, point_of_geojson
from resolvers.quota import quota_of
from resolvers.rows import with_keys
from resolvers.text import UnusableText, clean_text

Sent = TypeVar("Sent")
Read = TypeVar("Read")

KNOWN_OWNERS = ("Reclamation", "Army Corp", "Other")
"""The choices of the portal app's form; any other text is an owner as well."""


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


@dataclass(slots=True)
class DamInput:
    """A dam as it was sent; `location` is longitude and latitude, `geometry` is GeoJSON."""

    name: str | None = None
    owner: str | None = None
    river: str | None = None
    date_built: str | None = None
    location: tuple[float, float] | None = None
    geometry: Any = None
    idempotency_key: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def check(self) -> NewDam | None:
        """None where `problems` now holds something."""
        name = self._text("name", "Name", self.name)
        owner = self._text("owner", "Owner", self.owner)
        river = self._text("river", "River", self.river)
        date_built = self._text("dateBuilt", "Date Built", self.date_built)
        built = self._use("dateBuilt", parse_build_date, date_built) if date_built else None
        point = self._point()
        key = self._use("idempotencyKey", clean_text, self.idempotency_key)
        if self.problems or not (name and owner and river and built and point):
            return None
        return NewDam(name, owner, river, built, point, key)

    def _text(self, name: str, label: str, text: str | None) -> str | None:
        cleaned = self._use(name, clean_text, text, prefix=f"{label} ")
        if cleaned is None and not any(problem.field == name for problem in self.problems):
            self.problems.append(Problem("REQUIRED", name, f"{label} is required."))
        return cleaned

    def _point(self) -> Point | None:
        if self.location is not None and self.geometry is not None:
            self.problems.append(Problem("INVALID_LOCATION", "geometry", "Give location or geometry, not both."))
        elif self.location is not None:
            return self._use("location", lambda pair: check_point(*pair), self.location)
        elif self.geometry is not None:
            return self._use("geometry", point_of_geojson, self.geometry)
        else:
            self.problems.append(Problem("REQUIRED", "location", "Location is required."))
        return None

    def _use(self, name: str, read: Callable[[Sent], Read], value: Sent, prefix: str = "") -> Read | None:
        """What `read` makes of the value; a refusal becomes a problem of the field."""
        try:
            return read(value)
        except UnusableText as error:
            self.problems.append(Problem(error.code, name, f"{prefix or name + ' '}{error}."))
        except UnusableDate as error:
            self.problems.append(Problem("INVALID_DATE", name, f"Date Built {error}."))
        except UnusableLocation as error:
            self.problems.append(Problem(error.code, name, str(error)))
        return None


def hints(dam: NewDam) -> list[str]:
    """What is accepted though it looks like a slip."""
    if dam.point == Point(0.0, 0.0):
        return ["Latitude 0, longitude 0 is in the Atlantic Ocean. Is the location known?"]
    return []


TAKE_NUMBER = (
    update(Inventory)
    .where(or_(Inventory.max_dams == 0, Inventory.dam_count < Inventory.max_dams))
    .values(dam_count=Inventory.dam_count + 1, last_sequence=Inventory.last_sequence + 1)
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
            sequence = await _insert(connection, dam, viewer)
    except (InventoryFull, QuotaExceeded, IntegrityError):
        # A twin of this request may have been committed in the meantime.
        if dam.idempotency_key and (first := await _added_before(database, dam, viewer)):
            return first
        raise
    return (await load_dams(database, [sequence]))[sequence]


async def _added_before(database: Database, dam: NewDam, viewer: Viewer) -> Row[Any] | None:
    async with database.read() as connection:
        found = await connection.execute(FIND_BY_KEY, {"user_id": viewer.user_id, "key": dam.idempotency_key})
        return found.one_or_none()


async def _insert(connection: AsyncConnection, dam: NewDam, viewer: Viewer) -> int:
    """The sequence number of the event, which is the id of the dam."""
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
    await connection.execute(insert(Dam), with_keys(values))
    await _log(connection, sequence, EventKind.DAM_ADDED, sequence, viewer)
    return sequence


async def remove_dam(database: Database, dam_id: int, viewer: Viewer) -> int | None:
    """The sequence number of the removal; None where there is no such dam."""
    count_down = (
        update(Inventory)
        .values(dam_count=Inventory.dam_count - 1, last_sequence=Inventory.last_sequence + 1)
        .returning(Inventory.last_sequence)
    )
    async with database.write() as connection:
        sequence: int = (await connection.execute(count_down)).scalar_one()
        removed = await connection.execute(delete(Dam).where(Dam.id == dam_id))
        if removed.rowcount == 0:
            await connection.rollback()
            return None
        await _log(connection, sequence, EventKind.DAM_REMOVED, dam_id, viewer)
        return sequence


async def _log(connection: AsyncConnection, sequence: int, kind: EventKind, dam_id: int, viewer: Viewer) -> None:
    event = {"sequence": sequence, "kind": kind, "dam_id": dam_id, "at": datetime.now(UTC), "actor": viewer.name}
    await connection.execute(insert(Event), event)
