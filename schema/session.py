"""Signing in and out, and what may be asked for within a minute."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import argument

from auth.authentication import token_of_header
from auth.openid import OpenIdConfig
from auth.passwords import has_passwords
from models.errors import Refused, Unauthenticated
from resolvers import accounts, signing_in
from schema.context import Info
from schema.problems import UserError
from schema.uninterrupted import Uninterrupted


@strawberry.type(description="A provider of OpenID Connect whose tokens are taken.")
class OpenIdProvider:
    issuer: str = strawberry.field(description="Its URL; /.well-known/openid-configuration below it tells the rest.")
    client_id: str = strawberry.field(description="Of our pages, for the authorization code flow with PKCE.")
    scopes: list[str] = strawberry.field(description="To ask for.")

    @classmethod
    def from_config(cls, config: OpenIdConfig) -> "OpenIdProvider":
        return cls(issuer=config.issuer, client_id=config.client_id, scopes=list(config.scopes))


@strawberry.type(description="How people can sign in.")
class Authentication:
    password: bool = strawberry.field(description="Whether signIn is of use: somebody has a password.")
    open_id_provider: OpenIdProvider | None = strawberry.field(description="Null where none is configured.")


@strawberry.input(description="Name and password of a user.")
class SignInInput:
    name: str = strawberry.field(description="Of the user.")
    password: str = strawberry.field(description="As it was set by dams user password.")


@strawberry.type(description="The API token of the session, or why there is none.")
class SignInPayload:
    token: str | None = strawberry.field(default=None, description="Shown only now. Null where there are errors.")
    expires_at: datetime | None = strawberry.field(default=None, description="When the session ends.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="WRONG_CREDENTIALS or TOO_MANY_TRIES; empty where signed in."
    )


@strawberry.type(description="That the session is over, or why it is not.")
class SignOutPayload:
    signed_out: bool = strawberry.field(
        description="Whether the token was revoked; false for one of the OpenID provider, which has its own way out."
    )


@strawberry.type
class SessionQuery:
    @strawberry.field(description="How people can sign in.")
    async def authentication(self, info: Info) -> Authentication:
        provider = info.context.provider
        return Authentication(
            password=await has_passwords(info.context.database),
            open_id_provider=OpenIdProvider.from_config(provider.config) if provider else None,
        )


@strawberry.type
class SessionMutation:
    @strawberry.mutation(
        description="Sign in with a password. The token is an API token that expires.", extensions=[Uninterrupted()]
    )
    async def sign_in(
        self,
        info: Info,
        input: Annotated[SignInInput, argument(description="Who signs in.")],  # noqa: A002
    ) -> SignInPayload:
        context = info.context
        try:
            session = await signing_in.sign_in(
                context.database,
                context.rate_limits.buckets,
                context.address,
                input.name,
                input.password,
                context.session_life,
            )
        except Refused as refusal:
            return SignInPayload(errors=[UserError.from_refusal(refusal)])
        return SignInPayload(token=session.token, expires_at=session.expires_at)

    @strawberry.mutation(
        description="End the session: the token of this request is revoked.", extensions=[Uninterrupted()]
    )
    async def sign_out(self, info: Info) -> SignOutPayload:
        viewer = await info.context.viewer()
        if not viewer.is_authenticated:
            raise Unauthenticated("There is no token to be revoked.")
        token = token_of_header(info.context.authorization or "")
        return SignOutPayload(signed_out=await accounts.sign_out(info.context.database, viewer, token))
