"""Root fields that read."""

from typing import Annotated

import strawberry
from strawberry import argument

from models.errors import BadUserInput
from models.identity import Permission
from resolvers.clusters import grid_for, load_clusters
from resolvers.cursors import dam_id_of
from resolvers.dams import load_dam, load_dams, load_nearest, load_page
from resolvers.locations import UnusableLocation, check_point
from resolvers.pagination import Ordering, check_size, window
from schema.before_adding import BeforeAdding
from schema.changes import ChangeQuery
from schema.clusters import DamClusters, cluster_from
from schema.connection import DamConnection
from schema.context import Info
from schema.dam import Dam, GlobalId, Node
from schema.filters import BoxInput, DamFilter, DamOrder, Where, conditions
from schema.health import SubscriptionHealth
from schema.inventory import Inventory
from schema.lookahead import columns_for
from schema.rate_limit import RateLimitQuery
from schema.session import SessionQuery
from schema.snapshot import inventory_state
from schema.tokens import TokenQuery
from schema.users import UserQuery
from schema.viewer import Viewer


@strawberry.type(description="A dam and how far it is.")
class NearbyDam:
    distance_m: float = strawberry.field(description="Metres along the ellipsoid (WGS 84).")
    dam: Dam = strawberry.field(description="The dam.")


async def dam_with(info: Info, dam_id: int) -> Dam | None:
    columns = columns_for(info)
    row = await load_dam(info.context.database, dam_id, columns)
    return None if row is None else Dam.maker(columns)(row)


@strawberry.type
class Query(BeforeAdding, SessionQuery, TokenQuery, UserQuery, ChangeQuery, RateLimitQuery):
    @strawberry.field(description="Dams page by page: `first` after a cursor, or `last` before one.")
    async def dams(
        self,
        info: Info,
        first: Annotated[int | None, argument(description="So many from the start; 20 where nothing is said.")] = None,
        after: Annotated[str | None, argument(description="Only what follows this cursor.")] = None,
        last: Annotated[int | None, argument(description="So many from the end.")] = None,
        before: Annotated[str | None, argument(description="Only what comes before this cursor.")] = None,
        where: Where = None,
        order_by: Annotated[DamOrder | None, argument(description="The order of adding where nothing is said.")] = None,
    ) -> DamConnection:
        await info.context.require(Permission.VIEW_DAMS)
        ordering = order_by.ordering() if order_by else Ordering()
        asked = window(
            ordering, first=first, after=after, last=last, before=before, max_size=info.context.max_page_size
        )
        filter_, columns = conditions(where), columns_for(info, ordering.column.key)
        page = await load_page(info.context.database, filter_, asked, columns)
        return DamConnection(page=page, columns=columns, ordering=ordering, where=filter_)

    @strawberry.field(description="One dam by its global id or by its damId; null where there is none.")
    async def dam(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, argument(description="As in Dam.id.")] = None,  # noqa: A002
        dam_id: Annotated[int | None, argument(description="As in Dam.damId.")] = None,
    ) -> Dam | None:
        await info.context.require(Permission.VIEW_DAMS)
        if (id is None) == (dam_id is None):
            raise BadUserInput("Ask for a dam by id or by damId: one of the two.")
        return await dam_with(info, dam_id_of(id) if id is not None else dam_id or 0)

    @strawberry.field(description="Anything that has a global id; null where it is no longer there.")
    async def node(self, info: Info, id: GlobalId) -> Node | None:  # noqa: A002
        await info.context.require(Permission.VIEW_DAMS)
        return await dam_with(info, dam_id_of(id))

    @strawberry.field(description="The dams nearest to a point, the nearest first.")
    async def nearest_dams(
        self,
        info: Info,
        latitude: Annotated[float, argument(description="Of the point, in degrees.")],
        longitude: Annotated[float, argument(description="Of the point, in degrees.")],
        first: Annotated[int, argument(description="So many at most.")] = 10,
        where: Where = None,
    ) -> list[NearbyDam]:
        await info.context.require(Permission.VIEW_DAMS)
        check_size("first", first, info.context.max_page_size)
        try:
            check_point(longitude, latitude)
        except UnusableLocation as error:
            raise BadUserInput(str(error)) from None
        columns = columns_for(info)
        found = await load_nearest(
            info.context.database,
            conditions(where),
            longitude=longitude,
            latitude=latitude,
            limit=first,
            columns=columns,
        )
        made = Dam.maker(columns)
        return [NearbyDam(distance_m=near.metres, dam=made(near.row)) for near in found]

    @strawberry.field(description="The dams of a part of the map, counted cell by cell.")
    async def dam_clusters(
        self,
        info: Info,
        box: Annotated[BoxInput, argument(description="The part. Cells that it cuts count the dams inside it.")],
        zoom: Annotated[
            int, argument(description="From 0 to 22: a cell is a quarter as wide as a map tile of this zoom.")
        ],
        where: Where = None,
    ) -> DamClusters:
        await info.context.require(Permission.VIEW_DAMS)
        filter_ = conditions(where) + conditions(DamFilter(box=box))
        grid = grid_for(zoom, box.edges)
        last = (await inventory_state(info)).last_sequence
        clusters = await load_clusters(info.context.database, filter_, grid, up_to=last)
        rows = await load_dams(info.context.database, [dam_id for cluster in clusters for dam_id in cluster.ids])
        dams = {dam_id: Dam.from_row(row) for dam_id, row in rows.items()}
        return DamClusters(nodes=[cluster_from(cluster, dams) for cluster in clusters], last_dam_id=last)

    @strawberry.field(description="How many dams there are and how many there may be.")
    async def inventory(self, info: Info) -> Inventory:
        await info.context.require(Permission.VIEW_DAMS)
        return Inventory.from_state(await inventory_state(info))

    @strawberry.field(description="How subscriptions are served at the moment.")
    async def subscription_health(self, info: Info) -> SubscriptionHealth:
        await info.context.require(Permission.VIEW_DAMS)
        return info.context.health()

    @strawberry.field(description="Who is asking.")
    async def viewer(self, info: Info) -> Viewer:
        return Viewer.from_viewer(await info.context.viewer())
