"""A dam as clients see it."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any

import strawberry

from models.statement import Record
from models.vocabulary import DamType, Hazard, OwnerType, Purpose
from resolvers.cursors import dam_global_id, event_cursor
from resolvers.dams import ALL_COLUMNS, Columns
from resolvers.dates import iso
from schema.history import HistoryEntry
from schema.scalars import GeoJSON, PartialDate

GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The id of a Dam, as it was received.")]

strawberry.enum(
    Hazard,
    description="What a failure would threaten, not the condition of the dam. HIGH: probably lives;"
    " SIGNIFICANT: no lives, but property, lifelines or the environment; LOW: little beyond the owner's property.",
)
strawberry.enum(OwnerType, description="Kinds of owners, as the National Inventory of Dams tells them.")
strawberry.enum(Purpose, description="What a dam is used for, as the National Inventory of Dams tells it.")
strawberry.enum(DamType, description="How a dam is built, as the National Inventory of Dams tells it.")


@strawberry.interface(description="Anything that `node` can fetch again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Global and opaque: pass it on as it was received.")


@strawberry.type(description="Decimal degrees, WGS 84.")
class Location:
    latitude: float = strawberry.field(description="North of the equator.")
    longitude: float = strawberry.field(description="East of Greenwich.")


@strawberry.type(description="One structure of the inventory. What the source does not know is null.")
class Dam(Node):
    """Has what was read of its row: the columns that its fields need, see `columns_of`."""

    built_first_day: strawberry.Private[date | None]
    built_last_day: strawberry.Private[date | None]
    longitude: strawberry.Private[float]
    latitude: strawberry.Private[float]
    structure: strawberry.Private[str]
    dam_id: int = strawberry.field(description="The same dam as an integer, for joins and files.")
    name: str | None = strawberry.field(description="Null for some 4,300 dams of the national inventory.")
    other_names: list[str] = strawberry.field(description="Former and local names.")
    owner: str | None = strawberry.field(description="Name of the owner. The national data has owner types only.")
    owner_types: list[OwnerType] = strawberry.field(description="What kind of owner; several for a dam that is shared.")
    river: str | None = strawberry.field(description="River or stream, tributary notation included (TR-DEER CREEK).")
    external_id: str | None = strawberry.field(description="Id in the National Inventory of Dams, such as UT10117.")
    state: str | None = strawberry.field(description="USPS code of the state or territory, such as UT.")
    county: str | None = strawberry.field(description="County, parish, borough or municipality.")
    height_ft: float | None = strawberry.field(description="NID height in feet.")
    storage_acre_ft: float | None = strawberry.field(description="NID storage in acre-feet.")
    drainage_area_sq_mi: float | None = strawberry.field(description="Land that drains to it, in square miles.")
    purposes: list[Purpose] = strawberry.field(description="The most important first.")
    dam_types: list[DamType] = strawberry.field(description="The most important first.")
    hazard: Hazard | None = strawberry.field(description="Null where it is withheld.")

    @strawberry.field(description="Global and opaque: pass it on as it was received.")  # type: ignore[misc]  # the interface has an attribute
    def id(self) -> strawberry.ID:
        return strawberry.ID(dam_global_id(self.dam_id))

    @strawberry.field(description="Its place in the order of adding. Pass it to damAdded(after:).")
    def cursor(self) -> str:
        return event_cursor(self.dam_id)

    @strawberry.field(description="When it was completed, as precisely as is known.")
    def date_built(self) -> PartialDate | None:
        if self.built_first_day is None or self.built_last_day is None:
            return None
        return PartialDate(iso(self.built_first_day, self.built_last_day))

    @strawberry.field(description="Where it stands, as one point.")
    def location(self) -> Location:
        return Location(latitude=self.latitude, longitude=self.longitude)

    @strawberry.field(description="The location as a GeoJSON Point.")
    def geometry(self) -> GeoJSON:
        return GeoJSON({"type": "Point", "coordinates": [self.longitude, self.latitude]})

    @strawberry.field(description="Tells structures of one externalId apart; null for the main dam.")
    def structure_id(self) -> str | None:
        return self.structure or None

    @strawberry.field(description="What happened to it, the oldest first; as far back as the log of changes is kept.")
    async def history(self, info: strawberry.Info[Any, None]) -> list[HistoryEntry]:
        entries: list[HistoryEntry] = await info.context.histories.load(self.dam_id)
        return entries

    @staticmethod
    @lru_cache(maxsize=256)
    def maker(columns: Columns) -> Callable[[Record], "Dam"]:
        """Makes dams of rows with these columns, and nothing else.

        Written out, as completion is: one assignment to all attributes takes a fifth of what filling a dict takes.
        """
        attributes = "".join(f"dam.{ATTRIBUTES.get(name, name)}, " for name in columns)
        names: dict[str, Any] = {"new": Dam.__new__, "Dam": Dam}
        exec(f"def made(row):\n    dam = new(Dam)\n    {attributes}= row\n    return dam", names)  # noqa: S102
        made: Callable[[Record], Dam] = names["made"]
        return made

    @classmethod
    def from_row(cls, row: Any) -> "Dam":
        """`row` has the columns of models.Dam as attributes."""
        return cls.maker(ALL_COLUMNS)(all_columns(row))


all_columns = attrgetter(*ALL_COLUMNS)

ATTRIBUTES = {"id": "dam_id", "structure_id": "structure"}
"""Of a Dam, by the column, where they are called differently."""

BY_FIELD = {
    "id": ["id"],
    "dam_id": ["id"],
    "cursor": ["id"],
    "history": ["id"],
    "date_built": ["built_first_day", "built_last_day"],
    "location": ["longitude", "latitude"],
    "geometry": ["longitude", "latitude"],
}
"""Columns that a field needs, where it is not the one of its name."""


def columns_of(field: str) -> list[str]:
    return BY_FIELD.get(field, [field])
