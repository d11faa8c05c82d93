"""Root fields that write."""

import strawberry

from models.errors import InventoryFull, QuotaExceeded
from models.identity import Permission
from resolvers import adding
from resolvers.cursors import dam_id_of
from resolvers.dams import load_dams
from resolvers.pagination import Ordering
from schema.connection import DamEdge
from schema.context import Info
from schema.dam import Dam
from schema.scalars import GeoJSON


@strawberry.input(description="Decimal degrees, WGS 84.")
class LocationInput:
    latitude: float
    longitude: float


@strawberry.input(description="A dam to add: name, owner, river, dateBuilt and a location are required.")
class AddDamInput:
    name: str | None = None
    owner: str | None = strawberry.field(
        default=None, description="Any text; inventory.knownOwners has the usual choices."
    )
    river: str | None = None
    date_built: str | None = strawberry.field(
        default=None, description='"1941", "1993-04", "1993-04-12" or "April 12, 1993".'
    )
    location: LocationInput | None = None
    geometry: GeoJSON | None = strawberry.field(
        default=None, description="In place of location: a GeoJSON Point, or a GeometryCollection with one Point."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Send it again when an answer is lost: the same key gives the dam of the first time."
    )


@strawberry.type(description="Why a dam was not added or removed. docs/errors.md lists the codes.")
class DamError:
    code: str
    field: str | None = strawberry.field(description="The field of the input that is to be changed, if it is one.")
    message: str

    @classmethod
    def from_problem(cls, problem: adding.Problem) -> "DamError":
        return cls(code=problem.code, field=problem.field, message=problem.message)


@strawberry.type
class AddDamPayload:
    dam: Dam | None = strawberry.field(default=None, description="Null where there are errors.")
    edge: DamEdge | None = strawberry.field(default=None, description="The dam in the order of adding.")
    errors: list[DamError] = strawberry.field(default_factory=list)
    warnings: list[str] = strawberry.field(
        default_factory=list, description="What was accepted though it looks like a slip."
    )


@strawberry.type
class RemoveDamPayload:
    removed_id: strawberry.ID | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[DamError] = strawberry.field(default_factory=list)


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Add a dam. Needs add_dams; the cap and the user's quota apply.")
    async def add_dam(self, info: Info, input: AddDamInput) -> AddDamPayload:  # noqa: A002
        viewer = await info.context.require(Permission.ADD_DAMS)
        sent = adding.DamInput(
            name=input.name,
            owner=input.owner,
            river=input.river,
            date_built=input.date_built,
            location=(input.location.longitude, input.location.latitude) if input.location else None,
            geometry=input.geometry,
            idempotency_key=input.idempotency_key,
        )
        new = sent.check()
        if new is None:
            return AddDamPayload(
                errors=[DamError(code=p.code, field=p.field, message=p.message) for p in sent.problems]
            )
        try:
            row = await adding.add_dam(info.context.database, new, viewer)
        except (InventoryFull, QuotaExceeded) as error:
            return AddDamPayload(errors=[DamError(code=error.code, field=None, message=str(error))])
        info.context.hub.announce(row.id)
        dam = Dam.from_row(row)
        return AddDamPayload(dam=dam, edge=DamEdge(cursor=Ordering().cursor(row), node=dam), warnings=adding.hints(new))

    @strawberry.mutation(description="Remove a dam. Needs remove_dams, or add_dams for a dam one has added oneself.")
    async def remove_dam(self, info: Info, id: strawberry.ID) -> RemoveDamPayload:  # noqa: A002
        viewer = await info.context.viewer()
        dam_id = dam_id_of(id)
        row = (await load_dams(info.context.database, [dam_id])).get(dam_id)
        own = row is not None and viewer.is_authenticated and row.added_by_id == viewer.user_id
        viewer.require(Permission.ADD_DAMS if own else Permission.REMOVE_DAMS)
        sequence = await adding.remove_dam(info.context.database, dam_id, viewer)
        if sequence is None:
            message = f"There is no dam {dam_id}."
            return RemoveDamPayload(errors=[DamError(code="NOT_FOUND", field="id", message=message)])
        info.context.hub.announce(sequence)
        return RemoveDamPayload(removed_id=id)
