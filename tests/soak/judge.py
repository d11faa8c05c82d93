"""What each subscriber should have received, by the database's log, against what its journal says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from sqlalchemy import text

from models.database import Database
from tests.soak.dams import Dam, Filter
from tests.soak.journal import Stream

LOG = text(
    "SELECT e.sequence, e.kind, e.dam_id, d.name, d.owner, d.river, d.latitude, d.longitude"
    " FROM events e LEFT JOIN dams d ON d.id = e.dam_id ORDER BY e.sequence"
)

EXPECTED_ENDS = {
    "1012",
    "4403",
    "4499",
    "DATABASE_UNAVAILABLE",
    "SERVER_DRAINING",
    "SLOW_CONSUMER",
    "UNAUTHENTICATED",
    "cut",
}
"""How a stream may end under these faults, besides that the network fails."""


@dataclass
class Log:
    """As the database has it at the end."""

    there: dict[int, Dam]
    """The dams that are there, by id, in the order in which they were added."""
    removed: set[int]
    """Ids of those that were added and are there no longer."""


async def read_log(database: Database) -> Log:
    async with database.read() as connection:
        rows = (await connection.execute(LOG)).all()
    added = [row for row in rows if row.kind == "dam_added"]
    there = {row.dam_id: Dam(*row[3:]) for row in added if row.name is not None}
    return Log(there, {row.dam_id for row in added} - there.keys())


def lost_adds(log: Log, acknowledged: Mapping[int, Dam]) -> Iterator[str]:
    """What a server said was added, and the log does not know; and what was added twice for one idempotency key."""
    for dam_id, dam in acknowledged.items():
        if dam_id not in log.removed and log.there.get(dam_id) != dam:
            yield f"dam {dam_id} was acknowledged as {dam}, the database has {log.there.get(dam_id)}"
    ids: dict[str, int] = {}
    for dam_id, dam in log.there.items():
        if ids.setdefault(dam.name, dam_id) != dam_id:
            yield f"{dam.name} was added twice, as {ids[dam.name]} and {dam_id}"


def differences(streams: list[Stream], wanted: Filter, log: Log, acknowledged: Mapping[int, Dam]) -> Iterator[str]:
    """What is wrong with one subscriber, in sentences; nothing where all is well.

    A dam that was removed may have come before, in its place. Resuming by its last cursor a subscriber sees nothing
    twice: not on one stream and not over them all.
    """
    for stream in streams:
        if stream.end is not None and stream.end not in EXPECTED_ENDS and "network" not in stream.end:
            yield f"the stream from {stream.server} after {stream.after} ended with {stream.end}"
    for (before_on, (before, _)), (on, (dam_id, name)) in pairwise(
        (stream, dam) for stream in streams for dam in stream.dams
    ):
        if dam_id <= before:
            yield f"{name} ({dam_id}) came after {before} {'on one stream' if on is before_on else 'over a resume'}"
    received = [dam for stream in streams for dam in stream.dams]
    for dam_id, name in received:
        if dam_id in log.removed and dam_id in acknowledged and not wanted.meant(acknowledged[dam_id]):
            yield f"{name} ({dam_id}), which was removed since, does not meet the filter"
    expected = ((dam_id, dam.name) for dam_id, dam in log.there.items() if wanted.meant(dam))
    kept = (dam for dam in received if dam[0] not in log.removed)
    for place, (should, is_) in enumerate(zip_longest(expected, kept)):
        if should != is_:
            yield f"as number {place + 1} came {is_ or 'nothing'}, and should have {should or 'nothing'}"
            return
