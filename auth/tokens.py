"""API tokens: 256 random bits, shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from auth.audit import COMMAND_LINE, Actor, note
from auth.users import no_user
from models import Action, ApiToken, User
from models.database import Database
from models.errors import Refused
from models.identity import Permission

PREFIX = "dams_"
"""Lets people and secret scanners tell our tokens."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token as it may be shown: without its secret."""

    name: str
    user: str
    scopes: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def create_token(
    database: Database,
    *,
    user: str,
    name: str,
    scopes: Sequence[Permission] | None = None,
    expires_at: datetime | None = None,
    token: str | None = None,
    by: Actor = COMMAND_LINE,
) -> str:
    """The new token, which is kept nowhere.

    Raises Refused for a user who is not there and for a name the user has given already.
    """
    token = token or new_token()
    async with database.write() as connection:
        user_id = await connection.scalar(select(User.id).where(User.name == user))
        if user_id is None:
            raise no_user(user)
        values = {
            "user_id": user_id,
            "name": name,
            "token_hash": hash_token(token),
            "scopes": None if scopes is None else " ".join(scopes),
            "created_at": datetime.now(UTC),
            "expires_at": expires_at,
        }
        try:
            await connection.execute(insert(ApiToken), values)
        except IntegrityError:
            message = f'{user} has a token "{name}" already, or this token is in use.'
            raise Refused("NAME_TAKEN", "name", message) from None
        await note(connection, by, Action.TOKEN_CREATED, user, name)
    return token


async def revoke_token(database: Database, *, user: str, name: str, by: Actor = COMMAND_LINE) -> None:
    """Raises Refused where there is no such token in force."""
    user_id = select(User.id).where(User.name == user).scalar_subquery()
    revoke = (
        update(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.name == name, ApiToken.revoked_at.is_(None))
        .values(revoked_at=datetime.now(UTC))
    )
    async with database.write() as connection:
        if (await connection.execute(revoke)).rowcount == 0:
            raise Refused("NOT_FOUND", "name", f'{user} has no token "{name}" in force.')
        await note(connection, by, Action.TOKEN_REVOKED, user, name)


async def list_tokens(database: Database) -> list[TokenInfo]:
    """By user and name."""
    statement = (
        select(
            ApiToken.name,
            User.name.label("user"),
            ApiToken.scopes,
            ApiToken.created_at,
            ApiToken.expires_at,
            ApiToken.revoked_at,
        )
        .join(User, User.id == ApiToken.user_id)
        .order_by(User.name, ApiToken.name)
    )
    async with database.read() as connection:
        return [TokenInfo(*row) for row in await connection.execute(statement)]
