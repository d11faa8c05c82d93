"""Lists that are read page by page, forwards, in the order of one integer."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import InstrumentedAttribute

from models.database import Database
from resolvers.cursors import encode, number_of
from resolvers.pagination import DEFAULT_PAGE_SIZE, Page, check_size


@dataclass(frozen=True, slots=True)
class Listing:
    kind: str
    """Of its cursors."""
    number: InstrumentedAttribute[int]
    """Unique; selected with the rows under its own name."""
    newest_first: bool = False

    def cursor(self, row: Row[Any]) -> str:
        return encode(self.kind, getattr(row, self.number.key))

    async def page(
        self, database: Database, rows: Select[Any], *, first: int | None, after: str | None, max_size: int
    ) -> Page:
        """Raises BadUserInput."""
        check_size("first", first, max_size)
        size = min(DEFAULT_PAGE_SIZE, max_size) if first is None else first
        if after is not None:
            place = number_of(after, self.kind, "a cursor of this list")
            rows = rows.where(self.number < place if self.newest_first else self.number > place)
        rows = rows.order_by(self.number.desc() if self.newest_first else self.number).limit(size + 1)
        async with database.read() as connection:
            found = (await connection.execute(rows)).all()
        return Page(list(found[:size]), has_previous=after is not None, has_next=len(found) > size)
