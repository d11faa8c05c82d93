"""API tokens: 256 random bits, shown once, kept as a hash."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from auth.audit import COMMAND_LINE, Actor, note
from auth.users import no_user
from auth.viewer import Viewer
from models import Action, ApiToken, GroupPermission, User, UserGroup
from models.database import Database, Reader
from models.errors import Refused, Unauthenticated
from models.identity import Permission

PREFIX = "dams_"
"""Lets people and secret scanners tell our tokens."""

AUTHORIZATION = re.compile(r"(?:bearer|token) +(\S+)", re.IGNORECASE)
"""`Bearer` as RFC 6750 has it, `Token` as the portal app's clients send it."""


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


def token_of_header(authorization: str) -> str:
    """Raises Unauthenticated where the header is of another kind."""
    found = AUTHORIZATION.fullmatch(authorization.strip())
    if found is None:
        raise Unauthenticated('Authorization must be "Bearer <token>" or "Token <token>".')
    return found[1]


FIND_TOKENS = (
    select(
        ApiToken.token_hash,
        ApiToken.user_id,
        User.name,
        ApiToken.name.label("token"),
        ApiToken.scopes,
        ApiToken.expires_at,
        ApiToken.revoked_at,
    )
    .join(User, User.id == ApiToken.user_id)
    .where(ApiToken.token_hash.in_(bindparam("token_hashes", expanding=True)))
)
FIND_PERMISSIONS = (
    select(UserGroup.user_id, GroupPermission.permission)
    .join(GroupPermission, GroupPermission.group_id == UserGroup.group_id)
    .where(UserGroup.user_id.in_(bindparam("user_ids", expanding=True)))
)
TOKENS_A_STATEMENT = 500


async def authenticate(database: Database, token: str) -> Viewer:
    """Tokens of requests that come together are looked up together.

    Raises Unauthenticated for a token that is unknown, revoked or expired.
    """
    return await database.together(_authenticate_together, token)


async def _authenticate_together(database: Database, tokens: Sequence[str]) -> list[Viewer | Exception]:
    found = await authenticate_all(database, tokens)
    return [found[token] for token in tokens]


async def authenticate_all(reader: Reader, tokens: Sequence[str]) -> dict[str, Viewer | Unauthenticated]:
    """Whose each token is, or why it is not valid."""
    viewers: dict[str, Viewer | Unauthenticated] = {}
    async with reader.read() as connection:
        for start in range(0, len(tokens), TOKENS_A_STATEMENT):
            by_hash = {hash_token(token): token for token in tokens[start : start + TOKENS_A_STATEMENT]}
            rows = (await connection.execute(FIND_TOKENS, {"token_hashes": list(by_hash)})).all()
            found = {row.token_hash: row for row in rows}
            granted: dict[int, set[Permission]] = {row.user_id: set() for row in rows}
            for user_id, permission in await connection.execute(FIND_PERMISSIONS, {"user_ids": list(granted)}):
                granted[user_id].add(permission)
            for token_hash, token in by_hash.items():
                viewers[token] = _viewer(found.get(token_hash), granted)
    return viewers


def _viewer(found: Any, granted: dict[int, set[Permission]]) -> Viewer | Unauthenticated:
    if found is None or found.revoked_at is not None:
        return Unauthenticated("This API token is unknown or was revoked. Ask for a new one.")
    if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
        return Unauthenticated(f"This API token expired on {found.expires_at:%Y-%m-%d %H:%M} UTC. Ask for a new one.")
    permissions = frozenset(granted[found.user_id])
    if found.scopes is not None:
        permissions &= {Permission(scope) for scope in found.scopes.split()}
    return Viewer(found.user_id, found.name, permissions, found.token, found.scopes is not None)


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
