"""A dam as clients see it."""

from typing import Annotated, Any

import strawberry

from models.vocabulary import DamType, Hazard, OwnerType, Purpose
from resolvers.cursors import dam_global_id, event_cursor
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
    dam_id: int = strawberry.field(description="The same dam as an integer, for joins and files.")
    cursor: str = strawberry.field(description="Its place in the order of adding. Pass it to damAdded(after:).")
    name: str | None = strawberry.field(description="Null for some 4,300 dams of the national inventory.")
    other_names: list[str] = strawberry.field(description="Former and local names.")
    owner: str | None = strawberry.field(description="Name of the owner. The national data has owner types only.")
    owner_types: list[OwnerType] = strawberry.field(description="What kind of owner; several for a dam that is shared.")
    river: str | None = strawberry.field(description="River or stream, tributary notation included (TR-DEER CREEK).")
    date_built: PartialDate | None = strawberry.field(description="When it was completed, as precisely as is known.")
    location: Location = strawberry.field(description="Where it stands, as one point.")
    external_id: str | None = strawberry.field(description="Id in the National Inventory of Dams, such as UT10117.")
    structure_id: str | None = strawberry.field(
        description="Tells structures of one externalId apart; null for the main dam."
    )
    state: str | None = strawberry.field(description="USPS code of the state or territory, such as UT.")
    county: str | None = strawberry.field(description="County, parish, borough or municipality.")
    height_ft: float | None = strawberry.field(description="NID height in feet.")
    storage_acre_ft: float | None = strawberry.field(description="NID storage in acre-feet.")
    drainage_area_sq_mi: float | None = strawberry.field(description="Land that drains to it, in square miles.")
    purposes: list[Purpose] = strawberry.field(description="The most important first.")
    dam_types: list[DamType] = strawberry.field(description="The most important first.")
    hazard: Hazard | None = strawberry.field(description="Null where it is withheld.")

    @strawberry.field(description="The location as a GeoJSON Point.")
    def geometry(self) -> GeoJSON:
        return GeoJSON({"type": "Point", "coordinates": [self.location.longitude, self.location.latitude]})

    @strawberry.field(description="What happened to it, the oldest first; as far back as the log of changes is kept.")
    async def history(self, info: strawberry.Info[Any, None]) -> list[HistoryEntry]:
        entries: list[HistoryEntry] = await info.context.histories.load(self.dam_id)
        return entries

    @classmethod
    def from_row(cls, row: Any) -> "Dam":
        """`row` has the columns of models.Dam."""
        first_day = row.built_first_day
        return cls(
            id=strawberry.ID(dam_global_id(row.id)),
            dam_id=row.id,
            cursor=event_cursor(row.id),
            name=row.name,
            other_names=list(row.other_names),
            owner=row.owner,
            owner_types=list(row.owner_types),
            river=row.river,
            date_built=None if first_day is None else PartialDate(iso(first_day, row.built_last_day)),
            location=Location(latitude=row.latitude, longitude=row.longitude),
            external_id=row.external_id,
            structure_id=row.structure_id or None,
            state=row.state,
            county=row.county,
            height_ft=row.height_ft,
            storage_acre_ft=row.storage_acre_ft,
            drainage_area_sq_mi=row.drainage_area_sq_mi,
            purposes=list(row.purposes),
            dam_types=list(row.dam_types),
            hazard=row.hazard,
        )
