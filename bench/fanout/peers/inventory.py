"""The types that both Python peers serve: as much of our schema as the benchmark asks for."""

from typing import Any

import strawberry


@strawberry.type
class Location:
    latitude: float
    longitude: float


@strawberry.type
class Dam:
    id: strawberry.ID
    name: str | None
    owner: str | None
    river: str | None
    date_built: str | None
    location: Location


def dam_from(event: dict[str, Any]) -> Dam:
    """`event` has the names of GraphQL."""
    return Dam(
        id=event["id"],
        name=event["name"],
        owner=event["owner"],
        river=event["river"],
        date_built=event["dateBuilt"],
        location=Location(**event["location"]),
    )


@strawberry.type
class Query:
    @strawberry.field
    def ready(self) -> bool:
        return True
