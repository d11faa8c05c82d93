"""Pages by keyset: a page begins after the values of the last row seen, not after a count of rows."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Date, Float, Integer, Select, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from models import Dam
from models.base import Key
from models.errors import BadUserInput
from models.statement import Record
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

    def cursor(self, value: Any, row_id: int) -> str:
        """Of the row with this value in the column of the order."""
        return encode("place", self.label, value, row_id)

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

    def ranges(self) -> list["Range"]:
        """Where the rows of the page are, in the order in which they are to be read.

        Known values and unknown ones apart, so that each is one range of an index; where the first gives enough, the
        other need not be read. Raises BadUserInput.
        """
        after = None if self.after is None else self.ordering.place(self.after)
        before = None if self.before is None else self.ordering.place(self.before)
        ranges = []
        # All known values come before all unknown ones: a cursor of the other sort takes in a whole part, or nothing.
        if after is None or after.is_known:
            ranges.append(Range(self, True, after, before if before and before.is_known else None))
        if self.ordering.column is not Dam.id and (before is None or not before.is_known):
            ranges.append(Range(self, False, after if after and not after.is_known else None, before))
        return ranges[::-1] if self.backwards else ranges

    def page(self, rows: Sequence[Record]) -> "Page":
        """The rows of `ranges`, in the order asked for.

        A side bounded by a cursor has more: the row of the cursor stood there.
        """
        more = len(rows) > self.size
        kept = list(rows[: self.size])
        if self.backwards:
            return Page(kept[::-1], has_previous=more or self.after is not None, has_next=self.before is not None)
        return Page(kept, has_previous=self.after is not None, has_next=more or self.before is not None)


class Range(NamedTuple):
    """A part of the rows of a page, between two places."""

    window: Window
    known: bool
    """Whether of rows with a value in the column of the order, or of those without."""
    after: Place | None
    before: Place | None

    @property
    def shape(self) -> Hashable:
        """Ranges of the same shape have the same statement and differ in their `values`."""
        return self.window.ordering, self.window.backwards, self.known, self.after is None, self.before is None

    def select(self, rows: Select[Any]) -> Select[Any]:
        """Those of the range, one more than the page has: it only tells that there are more."""
        column, descending = self.window.ordering.column, self.window.ordering.descending
        rows = rows.where(column.is_not(None) if self.known else column.is_(None))
        keys = [column, Dam.id] if self.known and column is not Dam.id else [Dam.id]
        for name, place, upwards in (("after", self.after, not descending), ("before", self.before, descending)):
            if place is not None:
                bound = tuple_(*(bindparam(f"{name}_{key.key}", type_=key.type) for key in keys))
                rows = rows.where(tuple_(*keys) > bound if upwards else tuple_(*keys) < bound)
        downwards = descending != self.window.backwards
        order = [key.desc() if downwards else key.asc() for key in keys]
        return rows.order_by(*order).limit(bindparam("limit", type_=Integer()))

    def values(self) -> dict[str, Any]:
        """Of the parameters of `select`."""
        column = self.window.ordering.column.key
        places = [(name, place) for name, place in (("after", self.after), ("before", self.before)) if place]
        values = {f"{name}_{column}": place.value for name, place in places if place.is_known}
        return values | {f"{name}_id": place.row_id for name, place in places} | {"limit": self.window.size + 1}


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    """Values in the order of the columns that were asked for."""
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
