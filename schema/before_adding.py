"""Root fields for those who are about to add a dam."""

from typing import Annotated

import strawberry
from strawberry import argument

from models import Dam as DamRow
from models.identity import Permission
from resolvers.duplicates import NAMES, load_possible_duplicates
from resolvers.names import Text, load_names
from resolvers.pagination import check_size
from schema.context import Info
from schema.dam import Dam
from schema.lookahead import columns_for

Beginning = Annotated[str, argument(description="How they begin, without regard to case and accents; empty for any.")]
AtMost = Annotated[int, argument(description="So many at most.")]


@strawberry.type(description="A dam that one to be added may already be.")
class PossibleDuplicate:
    dam: Dam = strawberry.field(description="The dam that is there.")
    distance_m: float = strawberry.field(description="Metres along the ellipsoid (WGS 84).")
    name_similarity: float = strawberry.field(
        description="Of the names, from 0 to 1, without words such as dam and lake."
    )


async def _names(info: Info, name: Text, key: Text, starting_with: str, first: int) -> list[str]:
    await info.context.require(Permission.VIEW_DAMS)
    check_size("first", first, info.context.max_page_size)
    return await load_names(info.context.database, name, key, starting_with, first)


@strawberry.type
class BeforeAdding:
    @strawberry.field(description="Rivers that dams have, in the order of the alphabet.")
    async def river_names(self, info: Info, starting_with: Beginning, first: AtMost = 10) -> list[str]:
        return await _names(info, DamRow.river, DamRow.river_key, starting_with, first)

    @strawberry.field(description="Owners that dams have, in the order of the alphabet.")
    async def owner_names(self, info: Info, starting_with: Beginning, first: AtMost = 10) -> list[str]:
        return await _names(info, DamRow.owner, DamRow.owner_key, starting_with, first)

    @strawberry.field(
        description="Dams within 200 metres, and dams within 5 kilometres that are called alike; the nearest first."
    )
    async def possible_duplicates(
        self,
        info: Info,
        latitude: Annotated[float, argument(description="Of the dam to be added, in degrees.")],
        longitude: Annotated[float, argument(description="Of the dam to be added, in degrees.")],
        name: Annotated[str | None, argument(description="Its name, where it is known.")] = None,
        first: AtMost = 5,
    ) -> list[PossibleDuplicate]:
        await info.context.require(Permission.VIEW_DAMS)
        check_size("first", first, info.context.max_page_size)
        columns = columns_for(info, *NAMES)
        found = await load_possible_duplicates(
            info.context.database, longitude=longitude, latitude=latitude, name=name, limit=first, columns=columns
        )
        made = Dam.maker(columns)
        return [
            PossibleDuplicate(dam=made(each.row), distance_m=each.metres, name_similarity=each.similarity)
            for each in found
        ]
