"""Root fields that write."""

from typing import Annotated

import strawberry

from models.errors import InventoryFull, QuotaExceeded
from models.identity import Permission
from resolvers import adding, inputs
from resolvers.cursors import dam_global_id, dam_id_of
from resolvers.dams import load_dams
from resolvers.pagination import Ordering
from schema.connection import DamEdge
from schema.context import Info
from schema.dam import Dam, GlobalId
from schema.inventory import InventoryMutation
from schema.scalars import GeoJSON
from schema.session import SessionMutation
from schema.tokens import TokenMutation
from schema.users import UserMutation


@strawberry.input(description="Decimal degrees, WGS 84.")
class LocationInput:
    latitude: float = strawberry.field(description="North of the equator; from -90 to 90.")
    longitude: float = strawberry.field(description="East of Greenwich; from -180 to 180.")


@strawberry.input(description="A dam to add: name, owner, river, dateBuilt and a location are required.")
class AddDamInput:
    name: str | None = strawberry.field(default=None, description="At most 200 characters, as are the other texts.")
    owner: str | None = strawberry.field(
        default=None, description="Any text; inventory.knownOwners has the usual choices."
    )
    river: str | None = strawberry.field(default=None, description="The river or stream that it dams.")
    date_built: str | None = strawberry.field(
        default=None, description='As precisely as it is known: "1941", "1993-04", "1993-04-12" or "April 12, 1993".'
    )
    location: LocationInput | None = strawberry.field(default=None, description="Where it stands, as one point.")
    geometry: GeoJSON | None = strawberry.field(
        default=None, description="In place of location: a GeoJSON Point, or a GeometryCollection with one Point."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Send it again when an answer is lost: the same key gives the dam of the first time."
    )


@strawberry.type(description="Why a dam was not added or removed. docs/errors.md lists the codes.")
class DamError:
    code: str = strawberry.field(description="For programs, such as REQUIRED, OUT_OF_RANGE or INVENTORY_FULL.")
    field: str | None = strawberry.field(description="The field of the input that is to be changed, if it is one.")
    message: str = strawberry.field(description="For people: what is wrong, and what would do.")

    @classmethod
    def from_problem(cls, problem: adding.Problem) -> "DamError":
        return cls(code=problem.code, field=problem.field, message=problem.message)


@strawberry.type(description="The dam that was added, or why none was.")
class AddDamPayload:
    dam: Dam | None = strawberry.field(default=None, description="Null where there are errors.")
    edge: DamEdge | None = strawberry.field(default=None, description="The dam in the order of adding.")
    errors: list[DamError] = strawberry.field(default_factory=list, description="All that is wrong; empty where added.")
    warnings: list[str] = strawberry.field(
        default_factory=list, description="What was accepted though it looks like a slip."
    )


@strawberry.type(description="The dam that was removed, or why none was.")
class RemoveDamPayload:
    removed_id: strawberry.ID | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[DamError] = strawberry.field(default_factory=list, description="Why it was not removed.")


@strawberry.type
class Mutation(SessionMutation, TokenMutation, UserMutation, InventoryMutation):
    @strawberry.mutation(description="Add a dam. Needs add_dams; the cap and the user's quota apply.")
    async def add_dam(
        self,
        info: Info,
        input: Annotated[AddDamInput, strawberry.argument(description="The dam as it is known.")],  # noqa: A002
    ) -> AddDamPayload:
        viewer = await info.context.require(Permission.ADD_DAMS)
        new = inputs.check(input)
        if isinstance(new, list):
            return AddDamPayload(errors=[DamError.from_problem(problem) for problem in new])
        try:
            row = await info.context.written(adding.add_dam(info.context.database, new, viewer), lambda row: row.id)
        except (InventoryFull, QuotaExceeded) as error:
            return AddDamPayload(errors=[DamError(code=error.code, field=None, message=str(error))])
        dam = Dam.from_row(row)
        return AddDamPayload(
            dam=dam, edge=DamEdge(cursor=Ordering().cursor(row.id, row.id), node=dam), warnings=inputs.hints(new, row)
        )

    @strawberry.mutation(description="Remove a dam. Needs remove_dams, or add_dams for a dam one has added oneself.")
    async def remove_dam(self, info: Info, id: GlobalId) -> RemoveDamPayload:  # noqa: A002
        viewer = await info.context.viewer()
        dam_id = dam_id_of(id)
        row = (await load_dams(info.context.database, [dam_id])).get(dam_id)
        anothers = row is not None and row.added_by_id != viewer.user_id
        if anothers or not viewer.may(Permission.ADD_DAMS):
            viewer.require(Permission.REMOVE_DAMS)
        sequence = await info.context.written(adding.remove_dam(info.context.database, dam_id, viewer), lambda it: it)
        if sequence is None:
            message = f"There is no dam {dam_id}."
            return RemoveDamPayload(errors=[DamError(code="NOT_FOUND", field="id", message=message)])
        return RemoveDamPayload(removed_id=strawberry.ID(dam_global_id(dam_id)))
