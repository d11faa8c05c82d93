"""Pages of dams, after the Relay Cursor Connections specification, with `nodes` for short."""

from collections.abc import Sequence
from typing import Protocol

import strawberry

from models.statement import Record
from resolvers.counts import count_dams
from resolvers.dams import Columns
from resolvers.extents import load_extent
from resolvers.filters import Filter
from resolvers.pagination import Ordering, Page
from schema.clusters import Box
from schema.context import Info
from schema.dam import Dam


class HasCursor(Protocol):
    cursor: str


@strawberry.type(description="Where a page stands among all pages.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows: ask with after: endCursor.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: str | None = strawberry.field(description="Of the first item of the page; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Of the last item of the page; null on an empty page.")

    @classmethod
    def of(cls, page: Page, edges: Sequence[HasCursor]) -> "PageInfo":
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )


@strawberry.type(description="A dam and its place in the order of the page.")
class DamEdge:
    cursor: str = strawberry.field(description="Its place in this order of dams. Pass it to after or before.")
    node: Dam = strawberry.field(description="The dam.")


@strawberry.type(description="One page of dams.")
class DamConnection:
    page: strawberry.Private[Page]
    columns: strawberry.Private[Columns]
    """Of the rows of the page: those that are asked for, the id, and the one that they are ordered by."""
    ordering: strawberry.Private[Ordering]
    where: strawberry.Private[Filter]

    @strawberry.field(description="The dams, each with its cursor.")
    def edges(self) -> list[DamEdge]:
        return [
            DamEdge(cursor=self._cursor(row), node=dam) for row, dam in zip(self.page.rows, self.nodes(), strict=True)
        ]

    @strawberry.field(description="Whether there are more, and the cursors to go on with.")
    def page_info(self) -> PageInfo:
        rows = self.page.rows
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=self._cursor(rows[0]) if rows else None,
            end_cursor=self._cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="The dams without their edges.")
    def nodes(self) -> list[Dam]:
        return list(map(Dam.maker(self.columns), self.page.rows))

    def _cursor(self, row: Record) -> str:
        value, row_id = self.ordering.column.key, "id"
        return self.ordering.cursor(row[self.columns.index(value)], row[self.columns.index(row_id)])

    @strawberry.field(description="Dams that meet the filter, on all pages. Counted only when asked for.")
    async def total_count(self, info: Info) -> int:
        return await count_dams(info.context.database, self.where)

    @strawberry.field(description="The smallest box around all these dams; null where there are none.")
    async def extent(self, info: Info) -> Box | None:
        edges = await load_extent(info.context.database, self.where)
        return None if edges is None else Box.from_edges(edges)
