"""Arguments of the dam queries."""

from enum import Enum
from typing import Annotated

import strawberry

from models.spatial import Box
from models.vocabulary import Hazard, OwnerType, Purpose
from resolvers.filters import Filter, checked
from resolvers.pagination import Ordering
from schema.scalars import GeoJSON, PartialDate


@strawberry.input(description="Both ends included; an end that is left out is open.")
class FloatRange:
    min: float | None = strawberry.field(default=None, description="Not less than this.")
    max: float | None = strawberry.field(default=None, description="Not more than this.")


@strawberry.input(description="Degrees, WGS 84, edges included. A west that is greater than east crosses 180°.")
class BoxInput:
    west: float = strawberry.field(description="Longitude of the western edge.")
    south: float = strawberry.field(description="Latitude of the southern edge.")
    east: float = strawberry.field(description="Longitude of the eastern edge.")
    north: float = strawberry.field(description="Latitude of the northern edge.")

    @property
    def edges(self) -> Box:
        return self.west, self.south, self.east, self.north


@strawberry.input(description="All points at most so many metres away, along the ellipsoid.")
class CircleInput:
    latitude: float = strawberry.field(description="Of the centre.")
    longitude: float = strawberry.field(description="Of the centre.")
    metres: float = strawberry.field(description="The radius; a distanceM taken as it is finds that dam again.")


@strawberry.input(description="Dams that meet every condition given. Texts compare without case and accents.")
class DamFilter:
    text: str | None = strawberry.field(default=None, description="Part of the name, of another name or of the river.")
    owner: str | None = strawberry.field(default=None, description="The whole name of the owner.")
    river: str | None = strawberry.field(default=None, description="The whole name of the river.")
    counties: list[str] | None = strawberry.field(
        default=None, description="Whole names. Lists have at most 100 values, unless set otherwise."
    )
    states: list[str] | None = strawberry.field(default=None, description='USPS codes, such as ["UT", "ID"].')
    external_ids: list[str] | None = strawberry.field(default=None, description='NID ids, such as ["UT10117"].')
    hazards: list[Hazard] | None = strawberry.field(default=None, description="Dams with one of these.")
    owner_types: list[OwnerType] | None = strawberry.field(default=None, description="Dams with any of these.")
    purposes: list[Purpose] | None = strawberry.field(default=None, description="Dams with any of these.")
    height_ft: FloatRange | None = strawberry.field(default=None, description="Feet. Dams of unknown height are out.")
    storage_acre_ft: FloatRange | None = strawberry.field(
        default=None, description="Acre-feet. Dams of unknown storage are out."
    )
    built_before: PartialDate | None = strawberry.field(
        default=None, description="Built before this day, month or year began."
    )
    built_after: PartialDate | None = strawberry.field(
        default=None, description="Built after this day, month or year ended."
    )
    box: BoxInput | None = strawberry.field(default=None, description="Dams in a part of the map.")
    within: CircleInput | None = strawberry.field(default=None, description="Dams near a point.")
    polygon: GeoJSON | None = strawberry.field(
        default=None,
        description="A GeoJSON Polygon or MultiPolygon of at most 5,000 vertices, unless set otherwise.",
    )


Where = Annotated[DamFilter | None, strawberry.argument(description="Only dams that meet all of this.")]


@strawberry.enum(description="ADDED is the order of adding. Dams whose value is unknown come last.")
class DamOrderField(Enum):
    ADDED = "ADDED"
    NAME = "NAME"
    OWNER = "OWNER"
    RIVER = "RIVER"
    DATE_BUILT = "DATE_BUILT"
    HEIGHT = "HEIGHT"
    STORAGE = "STORAGE"


@strawberry.enum(description="Which way the values go; unknown ones come last either way.")
class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


@strawberry.input(description="By one field, then by id in the same direction.")
class DamOrder:
    field: DamOrderField = strawberry.field(description="What to compare.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Up or down.")

    def ordering(self) -> Ordering:
        return Ordering(self.field.value, self.direction is OrderDirection.DESC)


def conditions(where: DamFilter | None) -> Filter:
    """Raises BadUserInput."""
    return () if where is None else checked(vars(where))
