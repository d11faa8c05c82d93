"""Dams that a dam to be added may already be."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from models.database import Database
from models.statement import Record
from resolvers.dams import Columns, load_within
from resolvers.filters import check_text, checked_point
from resolvers.text import fold

AROUND_M = 5_000.0
"""Coordinates of the national inventory are that far off at worst for most dams; towns have several dams within it."""

SAME_PLACE_M = 200.0
"""Within it any dam may be the same one, whatever its name: a crest is often longer."""

ALIKE = 0.6
"""The similarity from which a name counts as the same, written in another way."""

LOOKED_AT = 300
"""Dams around at most, the nearest."""

NAMES = ("name", "other_names")
"""Columns with what a dam is called."""

GENERIC = frozenset({"dam", "lake", "reservoir", "pond", "dike", "the"})
"""Say what it is and not which."""


@dataclass(frozen=True, slots=True)
class PossibleDuplicate:
    row: Record
    """The columns asked for."""
    metres: float
    similarity: float
    """From 0 to 1, of the names."""


async def load_possible_duplicates(
    database: Database, *, longitude: float, latitude: float, name: str | None, limit: int, columns: Columns
) -> list[PossibleDuplicate]:
    """Dams at the same place, and dams around that are called alike; the nearest first.

    `columns` are those of NAMES and others. Raises BadUserInput.
    """
    checked_point("location", longitude, latitude)
    wanted = check_text("name", name or "")
    nearest = await load_within(
        database, (), longitude=longitude, latitude=latitude, metres=AROUND_M, limit=LOOKED_AT, columns=columns
    )
    own, others = map(columns.index, NAMES)
    found = (
        PossibleDuplicate(near.row, near.metres, similarity(wanted, (near.row[own], *near.row[others])))
        for near in nearest
    )
    return [each for each in found if each.metres <= SAME_PLACE_M or each.similarity >= ALIKE][:limit]


def similarity(wanted: str, names: Iterable[str | None]) -> float:
    """From 0 to 1, of the name that is most alike. `wanted` is folded."""
    telling = _telling(wanted)
    matcher = SequenceMatcher(b=telling, autojunk=False)
    best = 0.0
    for name in filter(None, names):
        matcher.set_seq1(_telling(fold(name)))
        if telling and matcher.quick_ratio() > best:
            best = max(best, matcher.ratio())
    return round(best, 3)


def _telling(name: str) -> str:
    """Without the words that any dam may have, unless there are no others."""
    words = name.split()
    return " ".join([word for word in words if word not in GENERIC] or words)
