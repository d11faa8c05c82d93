"""Users as an administrator's page shows them."""

from typing import Annotated, Any

import strawberry
from strawberry import argument

from auth.users import set_disabled, set_groups, set_quota
from models.errors import Refused
from models.identity import Permission
from resolvers import accounts
from resolvers.cursors import encode, number_of
from resolvers.quota import Quota as QuotaState
from schema.context import Info
from schema.paging import After, Connection, First
from schema.problems import UserError
from schema.uninterrupted import Uninterrupted
from schema.viewer import Quota


@strawberry.type(description="A user, as those see it who may manage the inventory.")
class User:
    id: strawberry.ID = strawberry.field(description="Opaque: pass it on as it was received.")
    name: str = strawberry.field(description="Tells users apart.")
    own_max_dams: int | None = strawberry.field(
        description="The user's own quota, 0 for none at all; null: that of the inventory applies."
    )
    quota: Quota = strawberry.field(description="The quota that applies, and what is used of it.")
    has_password: bool = strawberry.field(description="Whether the user can sign in with a password.")
    issuer: str | None = strawberry.field(description="The OpenID provider that the user came from; null: none.")
    is_disabled: bool = strawberry.field(description="Whether its tokens and its password are not taken.")
    user_id: strawberry.Private[int]

    @strawberry.field(description="Names of the user's groups. Those that a provider's token brings are not kept.")
    async def groups(self, info: Info) -> list[str]:
        return await info.context.groups.load(self.user_id)

    @classmethod
    def from_row(cls, row: Any) -> "User":
        """`row` is one of SELECT_USERS."""
        return cls(
            id=strawberry.ID(encode("User", row.id)),
            name=row.name,
            own_max_dams=row.own_max_dams,
            quota=Quota.from_state(QuotaState(row.max_dams, row.used)),
            has_password=bool(row.has_password),
            issuer=row.issuer,
            is_disabled=row.is_disabled,
            user_id=row.id,
        )


@strawberry.input(description="How many dams one user may add.")
class SetUserQuotaInput:
    id: strawberry.ID = strawberry.field(description="As in User.id.")
    max_dams: int | None = strawberry.field(
        default=None, description="0 for no quota at all; null or left out: that of the inventory applies."
    )


@strawberry.type(description="The user whose quota was set, or why it was not.")
class SetUserQuotaPayload:
    user: User | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.input(description="The groups that one user is in.")
class SetUserGroupsInput:
    id: strawberry.ID = strawberry.field(description="As in User.id.")
    groups: list[str] = strawberry.field(description="All of them, by name; those that are left out are left.")


@strawberry.type(description="The user whose groups were set, or why they were not.")
class SetUserGroupsPayload:
    user: User | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.input(description="Whether one user is disabled.")
class SetUserDisabledInput:
    id: strawberry.ID = strawberry.field(description="As in User.id.")
    is_disabled: bool = strawberry.field(description="True to take its tokens and its password no longer.")


@strawberry.type(description="The user that was disabled or enabled, or why it was not.")
class SetUserDisabledPayload:
    user: User | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type
class UserQuery:
    @strawberry.field(description="The users, in the order of adding. Needs manage_inventory.")
    async def users(self, info: Info, first: First = None, after: After = None) -> Connection[User]:
        await info.context.require(Permission.MANAGE_INVENTORY)
        page = await accounts.USERS.page(
            info.context.database,
            accounts.SELECT_USERS,
            first=first,
            after=after,
            max_size=info.context.max_page_size,
        )
        return Connection.from_page(accounts.USERS, page, User.from_row)


@strawberry.type
class UserMutation:
    @strawberry.mutation(
        description="Set how many dams a user may add. Needs manage_inventory.", extensions=[Uninterrupted()]
    )
    async def set_user_quota(
        self,
        info: Info,
        input: Annotated[SetUserQuotaInput, argument(description="Whose, and how many.")],  # noqa: A002
    ) -> SetUserQuotaPayload:
        database, viewer = info.context.database, await info.context.require(Permission.MANAGE_INVENTORY)
        user_id = number_of(input.id, "User", "the id of a user")
        try:
            accounts.require_limit("maxDams", input.max_dams)
            row = await accounts.change_user(
                database, user_id, lambda name: set_quota(database, name, input.max_dams, viewer.actor)
            )
        except Refused as refusal:
            return SetUserQuotaPayload(errors=[UserError.from_refusal(refusal)])
        return SetUserQuotaPayload(user=User.from_row(row))

    @strawberry.mutation(
        description="Set the groups of a user. Needs manage_inventory, by a token without scopes.",
        extensions=[Uninterrupted()],
    )
    async def set_user_groups(
        self,
        info: Info,
        input: Annotated[SetUserGroupsInput, argument(description="Whose, and which.")],  # noqa: A002
    ) -> SetUserGroupsPayload:
        database, viewer = info.context.database, await info.context.require(Permission.MANAGE_INVENTORY)
        accounts.require_whole(viewer)
        user_id = number_of(input.id, "User", "the id of a user")
        try:
            row = await accounts.change_user(
                database, user_id, lambda name: set_groups(database, name, input.groups, viewer.actor)
            )
        except Refused as refusal:
            return SetUserGroupsPayload(errors=[UserError.from_refusal(refusal)])
        return SetUserGroupsPayload(user=User.from_row(row))

    @strawberry.mutation(
        description="Disable a user, whose streams end at once, or enable it again."
        " Needs manage_inventory, by a token without scopes.",
        extensions=[Uninterrupted()],
    )
    async def set_user_disabled(
        self,
        info: Info,
        input: Annotated[SetUserDisabledInput, argument(description="Whom, and whether.")],  # noqa: A002
    ) -> SetUserDisabledPayload:
        database, viewer = info.context.database, await info.context.require(Permission.MANAGE_INVENTORY)
        accounts.require_whole(viewer)
        user_id = number_of(input.id, "User", "the id of a user")
        try:
            row = await accounts.change_user(
                database, user_id, lambda name: set_disabled(database, name, input.is_disabled, viewer.actor)
            )
        except Refused as refusal:
            return SetUserDisabledPayload(errors=[UserError.from_refusal(refusal)])
        return SetUserDisabledPayload(user=User.from_row(row))
