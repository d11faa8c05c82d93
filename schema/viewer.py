"""Who is asking."""

import strawberry

from auth import viewer as auth
from models.identity import Permission
from resolvers.quota import Quota as QuotaState
from resolvers.quota import read_quota
from schema.context import Info


@strawberry.type(description="Dams that one user may add.")
class Quota:
    max_dams: int | None = strawberry.field(description="Null means no quota.")
    used: int = strawberry.field(description="Dams this user has added that are still there.")
    remaining: int | None = strawberry.field(description="Null means no quota.")

    @classmethod
    def from_state(cls, state: QuotaState) -> "Quota":
        limited = state.max_dams > 0
        return cls(
            max_dams=state.max_dams if limited else None,
            used=state.used,
            remaining=max(0, state.max_dams - state.used) if limited else None,
        )


@strawberry.type(description="The user behind the API token of this request, or nobody in particular.")
class Viewer:
    name: str | None = strawberry.field(description="Null without a token.")
    permissions: list[str] = strawberry.field(description="What this token may do, such as add_dams.")
    can_add_dams: bool = strawberry.field(description="Whether this token may add dams, be there room or not.")
    user_id: strawberry.Private[int | None]

    @strawberry.field(description="Null without a token.")
    async def quota(self, info: Info) -> Quota | None:
        if self.user_id is None:
            return None
        return Quota.from_state(await read_quota(info.context.database, self.user_id))

    @classmethod
    def from_viewer(cls, viewer: auth.Viewer) -> "Viewer":
        return cls(
            name=viewer.name,
            permissions=sorted(viewer.permissions),
            can_add_dams=viewer.may(Permission.ADD_DAMS),
            user_id=viewer.user_id,
        )
