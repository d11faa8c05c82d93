"""Connections of what is read page by page and is no dam."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import argument

from resolvers.listings import Listing
from resolvers.pagination import Page
from schema.connection import PageInfo

T = TypeVar("T")

First = Annotated[int | None, argument(description="So many; 20 where nothing is said.")]
After = Annotated[str | None, argument(description="Only what follows this cursor.")]


@strawberry.type(description="An item and its place in the list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Its place in the list. Pass it to after.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The items without their edges.")
    page_info: PageInfo = strawberry.field(description="Whether there are more, and the cursors to go on with.")

    @classmethod
    def from_page(cls, listing: Listing, page: Page, from_row: Callable[[Any], T]) -> "Connection[T]":
        edges = [Edge(cursor=listing.cursor(row), node=from_row(row)) for row in page.rows]
        return cls(edges=edges, nodes=[edge.node for edge in edges], page_info=PageInfo.of(page, edges))
