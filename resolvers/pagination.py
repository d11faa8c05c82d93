"""Pages by keyset: a page begins after the values of the last row seen, not after a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Date, Float, Integer, Row, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from models import Dam
from models.base import Key
from models.errors import BadUserInput
from resolvers.cursors import decode, encode, not_ours, whole_number

DEFAULT_PAGE_SIZE = 20

SORT_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "ADDED": Dam.id,
    "NAME": Dam.name_key,
    "OWNER": Dam.owner_key,
    "RIVER": Dam.river_key,
    "DATE_BUILT": Dam.built_first_day,
    "HEIGHT": Dam.height_ft,
    "STORAGE": Dam.storage_acre_ft,
}
"""By the name of the order field. Unknown values come last, whichever the direction."""

LABELS = tuple(f"{field} {direction}" for field in SORT_COLUMNS for direction in ("ASC", "DESC"))
A_PLACE = "a cursor of a page of dams"


class Place(NamedTuple):
    """The value by which a row is sorted, None where it is unknown, and its id."""

    value: Any
    row_id: int

    @property
    def is_known(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Ordering:
    """Rows by one column, then by id in the same direction: an index read forwards or backwards."""

    field: str = "ADDED"
    descending: bool = False

    @property
    def column(self) -> InstrumentedAttribute[Any]:
        return SORT_COLUMNS[self.field]

    @property
    def label(self) -> str:
        return f"{self.field} {'DESC' if self.descending else 'ASC'}"

    def cursor(self, row: Row[Any]) -> str:
        value = getattr(row, self.column.key)
        return encode("place", self.label, value, row.id)

    def place(self, cursor: str) -> Place:
        """Where the row stands or stood whose cursor this is.

        Raises BadUserInput, also for a cursor of another ordering.
        """
        try:
            label, value, row_id = decode(cursor, "place", A_PLACE)
            if label not in LABELS:
                raise not_ours(cursor, A_PLACE)
            if label != self.label:
                raise BadUserInput(f"This cursor belongs to the order {label}; the page asks for {self.label}.")
            return Place(_typed(self.column, value), whole_number(row_id))
        except ValueError:
            raise not_ours(cursor, A_PLACE) from None


def _typed(column: InstrumentedAttribute[Any], value: Any) -> Any:
    """The value of a cursor as the column's own type; raises ValueError for any other."""
    match column.type, value:
        case _, None:
            return None
        case Integer(), _:
            return whole_number(value)
        case Float(), float(number) | int(number):
            return float(number)
        case Key(), str(text) if "\x00" not in text:
            return text
        case Date(), str(text):
            return date.fromisoformat(text)
    raise ValueError("not of the column's type")


@dataclass(frozen=True, slots=True)
class Window:
    """A checked page request: `size` rows, from the start or from the end, between two cursors."""

    ordering: Ordering
    size: int
    backwards: bool
    after: str | None
    before: str | None

    def statements(self, rows: Select[Any]) -> list[Select[Any]]:
        """The rows of the page, and one more that only tells that there are more.

        Known values and unknown ones apart, so that each is one range of an index. In the order in which they are
        to be read; where the first gives enough, the other need not run.
        """
        column = self.ordering.column
        after = None if self.after is None else self.ordering.place(self.after)
        before = None if self.before is None else self.ordering.place(self.before)
        parts = []
        # All known values come before all unknown ones: a cursor of the other sort takes in a whole part, or nothing.
        if after is None or after.is_known:
            end = before if before and before.is_known else None
            keys = [Dam.id] if column is Dam.id else [column, Dam.id]
            parts.append(self._range(rows.where(column.is_not(None)), keys, after, end))
        if column is not Dam.id and (before is None or not before.is_known):
            start = after if after and not after.is_known else None
            parts.append(self._range(rows.where(column.is_(None)), [Dam.id], start, before))
        return parts[::-1] if self.backwards else parts

    def _range(
        self, rows: Select[Any], keys: list[InstrumentedAttribute[Any]], after: Place | None, before: Place | None
    ) -> Select[Any]:
        key, descending = tuple_(*keys), self.ordering.descending
        for place, upwards in ((after, not descending), (before, descending)):
            if place is not None:
                bound = place[-len(keys) :]
                rows = rows.where(key > bound if upwards else key < bound)
        downwards = descending != self.backwards
        return rows.order_by(*(each.desc() if downwards else each.asc() for each in keys)).limit(self.size + 1)

    def page(self, rows: Sequence[Row[Any]]) -> "Page":
        """The rows of `statements`, in the order asked for.

        A side bounded by a cursor has more: the row of the cursor stood there.
        """
        more = len(rows) > self.size
        kept = list(rows[: self.size])
        if self.backwards:
            return Page(kept[::-1], has_previous=more or self.after is not None, has_next=self.before is not None)
        return Page(kept, has_previous=self.after is not None, has_next=more or self.before is not None)


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row[Any]]
    has_previous: bool
    has_next: bool


def window(
    ordering: Ordering, *, first: int | None, after: str | None, last: int | None, before: str | None, max_size: int
) -> Window:
    """Raises BadUserInput for a size out of range and for `first` together with `last`."""
    if first is not None and last is not None:
        raise BadUserInput("Ask for first or for last, not for both.")
    check_size("first", first, max_size)
    check_size("last", last, max_size)
    size = first if first is not None else last
    return Window(ordering, min(DEFAULT_PAGE_SIZE, max_size) if size is None else size, last is not None, after, before)


def check_size(name: str, size: int | None, max_size: int) -> None:
    """Raises BadUserInput, naming the cap."""
    if size is not None and not 0 <= size <= max_size:
        raise BadUserInput(f"{name} must be from 0 to {max_size}, not {size}. Page on with after or before.")
