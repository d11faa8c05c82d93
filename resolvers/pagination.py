"""Pages by keyset: a page begins after the values of the last row seen, not after a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Float, Integer, Row, Select, and_, or_
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


@dataclass(frozen=True, slots=True)
class Ordering:
    """Rows by one column, then by id."""

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

    def place(self, cursor: str) -> tuple[Any, int]:
        """The value and the id of the row that the cursor stands for.

        Raises BadUserInput, also for a cursor of another ordering.
        """
        try:
            label, value, row_id = decode(cursor, "place", A_PLACE)
            if label not in LABELS:
                raise not_ours(cursor, A_PLACE)
            if label != self.label:
                raise BadUserInput(f"This cursor belongs to the order {label}; the page asks for {self.label}.")
            return _typed(self.column, value), whole_number(row_id)
        except ValueError:
            raise not_ours(cursor, A_PLACE) from None

    def order_by(self, *, backwards: bool) -> list[ColumnElement[Any]]:
        downwards = self.descending != backwards
        if self.column is Dam.id:
            return [Dam.id.desc() if downwards else Dam.id.asc()]
        column = self.column.desc() if downwards else self.column.asc()
        last = column.nulls_first() if backwards else column.nulls_last()
        return [last, Dam.id.desc() if backwards else Dam.id.asc()]

    def after(self, value: Any, row_id: int) -> ColumnElement[bool]:
        column: ColumnElement[Any] = self.column.expression
        if self.column is Dam.id:
            return column < row_id if self.descending else column > row_id
        if value is None:
            return and_(column.is_(None), Dam.id > row_id)
        beyond = column < value if self.descending else column > value
        return or_(beyond, and_(column == value, Dam.id > row_id), column.is_(None))

    def before(self, value: Any, row_id: int) -> ColumnElement[bool]:
        column: ColumnElement[Any] = self.column.expression
        if self.column is Dam.id:
            return column > row_id if self.descending else column < row_id
        if value is None:
            return or_(column.is_not(None), and_(column.is_(None), Dam.id < row_id))
        beyond = column > value if self.descending else column < value
        return or_(beyond, and_(column == value, Dam.id < row_id))


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

    def statement(self, rows: Select[Any]) -> Select[Any]:
        """The rows of the page, and one more that only tells that there are more."""
        if self.after is not None:
            rows = rows.where(self.ordering.after(*self.ordering.place(self.after)))
        if self.before is not None:
            rows = rows.where(self.ordering.before(*self.ordering.place(self.before)))
        return rows.order_by(*self.ordering.order_by(backwards=self.backwards)).limit(self.size + 1)

    def page(self, rows: Sequence[Row[Any]]) -> "Page":
        """The rows of `statement`, in the order asked for.

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
