"""API tokens as clients see them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import argument

from auth.tokens import hash_token
from models.errors import Refused
from models.identity import Permission
from resolvers import accounts
from resolvers.cursors import encode, number_of
from schema.context import Info
from schema.paging import After, Connection, First
from schema.problems import UserError
from schema.uninterrupted import Uninterrupted


@strawberry.type(description="An API token, without its secret.")
class ApiToken:
    id: strawberry.ID = strawberry.field(description="Opaque: pass it on as it was received.")
    name: str = strawberry.field(description="What it is for; tells the user's tokens apart.")
    user: str = strawberry.field(description="Name of the user whose it is.")
    scopes: list[str] | None = strawberry.field(description="What it is limited to; null: all that the user may do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="Null: never.")
    revoked_at: datetime | None = strawberry.field(description="Null where it was not revoked.")
    is_session: bool = strawberry.field(description="Whether it came of a sign-in with a password.")

    @classmethod
    def from_row(cls, row: Any) -> "ApiToken":
        """`row` is one of SELECT_TOKENS."""
        return cls(
            id=strawberry.ID(encode("ApiToken", row.id)),
            name=row.name,
            user=row.user,
            scopes=None if row.scopes is None else row.scopes.split(),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            is_session=row.is_session,
        )


@strawberry.input(description="A token of one's own to be made.")
class CreateTokenInput:
    name: str = strawberry.field(description="What it is for; tells the user's tokens apart.")
    scopes: list[str] | None = strawberry.field(
        default=None, description="Permissions to limit it to, such as add_dams. Left out: all that the user has."
    )
    days: int | None = strawberry.field(default=None, description="Until it expires, from 1 to 36500. Left out: never.")


@strawberry.type(description="The token that was made, or why none was.")
class CreateTokenPayload:
    secret: str | None = strawberry.field(default=None, description="The token itself, shown only now.")
    token: ApiToken | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was made.")


@strawberry.input(description="A token to be made useless.")
class RevokeTokenInput:
    id: strawberry.ID = strawberry.field(description="As in ApiToken.id.")


@strawberry.type(description="The token that was revoked, or why none was.")
class RevokeTokenPayload:
    revoked_id: strawberry.ID | None = strawberry.field(default=None, description="Null where there are errors.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was revoked.")


@strawberry.type
class TokenQuery:
    @strawberry.field(description="One's own API tokens, the newest first; with manage_inventory everyone's.")
    async def api_tokens(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        everyone: Annotated[bool, argument(description="Those of all users; needs manage_inventory.")] = False,
    ) -> Connection[ApiToken]:
        viewer = await info.context.viewer()
        if everyone:
            viewer.require(Permission.MANAGE_INVENTORY)
        rows = accounts.SELECT_TOKENS if everyone else accounts.select_own_tokens(viewer)
        page = await accounts.TOKENS.page(
            info.context.database, rows, first=first, after=after, max_size=info.context.max_page_size
        )
        return Connection.from_page(accounts.TOKENS, page, ApiToken.from_row)


@strawberry.type
class TokenMutation:
    @strawberry.mutation(
        description="Make an API token of one's own. Not with a token that is limited to scopes.",
        extensions=[Uninterrupted()],
    )
    async def create_token(
        self,
        info: Info,
        input: Annotated[CreateTokenInput, argument(description="The token.")],  # noqa: A002
    ) -> CreateTokenPayload:
        context, viewer = info.context, await info.context.viewer()
        try:
            secret = await accounts.create_own_token(context.database, viewer, input.name, input.scopes, input.days)
        except Refused as refusal:
            return CreateTokenPayload(errors=[UserError.from_refusal(refusal)])
        row = await accounts.load_token(context.database, hash_token(secret))
        return CreateTokenPayload(secret=secret, token=ApiToken.from_row(row))

    @strawberry.mutation(
        description="Make a token useless, at once and for ever. Others' need manage_inventory.",
        extensions=[Uninterrupted()],
    )
    async def revoke_token(
        self,
        info: Info,
        input: Annotated[RevokeTokenInput, argument(description="The token.")],  # noqa: A002
    ) -> RevokeTokenPayload:
        viewer = await info.context.viewer()
        try:
            token_id = number_of(input.id, "ApiToken", "the id of a token")
            await accounts.revoke(info.context.database, viewer, token_id)
        except Refused as refusal:
            return RevokeTokenPayload(errors=[UserError.from_refusal(refusal)])
        return RevokeTokenPayload(revoked_id=input.id)
