"""How many dams meet a filter. Counting reads all of them, so a count is kept until the next change."""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, func, select

from models import Dam
from models.database import Database
from models.spatial import SPATIAL
from resolvers.filters import Filter, asked, clauses
from resolvers.inventory import read_inventory

MOST_COUNTS = 200
"""Filters whose counts are kept; one with a large polygon takes some 100 KB."""


class Counts:
    """Of one sequence number."""

    def __init__(self) -> None:
        self._sequence = -1
        self._counts: dict[Filter, int] = {}

    def get(self, where: Filter, sequence: int) -> int | None:
        return self._counts.get(where) if sequence == self._sequence else None

    def put(self, where: Filter, sequence: int, count: int) -> None:
        """The count as it was read after the sequence number."""
        if sequence < self._sequence:
            return
        if sequence > self._sequence or len(self._counts) >= MOST_COUNTS:
            self._sequence, self._counts = sequence, {}
        self._counts[where] = count


_counts: WeakKeyDictionary[Database, Counts] = WeakKeyDictionary()


async def count_dams(database: Database, where: Filter) -> int:
    """Never older than the call: the sequence number, which each change moves, is read first."""
    state = await read_inventory(database)
    if not where:
        return state.dam_count
    counts = _counts.setdefault(database, Counts())
    count = counts.get(where, state.last_sequence)
    if count is None:
        count = await _counted(database, where)
        counts.put(where, state.last_sequence, count)
    return count


async def _counted(database: Database, where: Filter) -> int:
    def select_count() -> Select[Any]:
        return select(func.count()).select_from(Dam).where(*clauses(where, SPATIAL[database.dialect]))

    shape, values = asked(where)
    ((count,),) = await database.fetch(("count", shape), select_count, values)
    return int(count)
