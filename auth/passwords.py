"""Passwords: Argon2id with the parameters of RFC 9106, for little memory; a sign-in makes an API token that expires.

Each hash takes 64 MiB and some 50 ms of a core, in a thread of few, so that many who sign in at once, and hang up
meanwhile, take neither all memory nor all cores.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import COMMAND_LINE, Actor, note
from auth.tokens import hash_token, new_token
from auth.users import no_user
from models import Action, ApiToken, User
from models.database import Database
from models.errors import Refused

MIN_CHARACTERS = 12
"""As long as no second factor stands beside it; no rule on kinds of characters (NIST SP 800-63B, 3.1.1.2)."""

MAX_CHARACTERS = 1_000

HASHES_AT_A_TIME = 2

hasher = PasswordHasher()
NOBODYS = hasher.hash("")
"""Compared with where there is no user, so that the time of an answer does not tell."""

_threads = ThreadPoolExecutor(HASHES_AT_A_TIME, thread_name_prefix="passwords")

Result = TypeVar("Result")


async def _hashing(work: Callable[..., Result], *arguments: str) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)


class Session(NamedTuple):
    token: str
    expires_at: datetime


async def set_password(database: Database, name: str, password: str, by: Actor = COMMAND_LINE) -> None:
    """Ends the user's sessions.

    Raises Refused for a password that is too short or too long, and where there is no such user of this service.
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        message = f"A password has from {MIN_CHARACTERS} to {MAX_CHARACTERS:,} characters, not {len(password):,}."
        raise Refused("OUT_OF_RANGE", "password", message)
    hashed = await _hashing(hasher.hash, password)
    sessions = select(User.id).where(User.name == name).scalar_subquery()
    async with database.write() as connection:
        own = update(User).where(User.name == name, User.issuer.is_(None))
        if (await connection.execute(own.values(password_hash=hashed))).rowcount == 0:
            raise no_user(name)
        await connection.execute(delete(ApiToken).where(ApiToken.user_id == sessions, ApiToken.is_session))
        await note(connection, by, Action.PASSWORD_SET, name)


async def has_passwords(database: Database) -> bool:
    """Whether anybody can sign in with one."""
    async with database.read() as connection:
        return bool(await connection.scalar(select(exists().where(User.password_hash.is_not(None)))))


async def sign_in(database: Database, name: str, password: str, life: timedelta) -> Session:
    """Raises Refused where name and password do not belong together, and for a user who is disabled."""
    found = await _find(database, name)
    kept = found.password_hash if found else None
    is_right = await _hashing(_fits, kept or NOBODYS, password)
    if found is None or kept is None or not is_right:
        raise wrong_credentials()
    if found.is_disabled:  # told to nobody who does not know the password
        raise Refused("USER_DISABLED", None, "This user is disabled. An administrator can enable it again.")
    hashed = await _hashing(hasher.hash, password) if hasher.check_needs_rehash(kept) else kept
    unchanged = update(User).where(User.id == found.id, User.password_hash == kept)
    async with database.write() as connection:
        if (await connection.execute(unchanged.values(password_hash=hashed))).rowcount == 0:
            raise wrong_credentials()
        return await _begin_session(connection, found.id, name, life)


async def _find(database: Database, name: str) -> Any:
    if "\x00" in name:  # which PostgreSQL takes in no text
        return None
    async with database.read() as connection:
        found = await connection.execute(select(User.id, User.password_hash, User.is_disabled).where(User.name == name))
        return found.one_or_none()


def wrong_credentials() -> Refused:
    return Refused("WRONG_CREDENTIALS", None, "The name or the password is wrong.")


def _fits(kept: str, password: str) -> bool:
    try:
        return len(password) <= MAX_CHARACTERS and hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


async def _begin_session(connection: AsyncConnection, user_id: int, name: str, life: timedelta) -> Session:
    """Those of the user that are over are forgotten."""
    now = datetime.now(UTC)
    session = Session(new_token(), now + life)
    token_name = f"sign-in {now:%Y-%m-%d %H:%M:%S.%f}"
    values = {
        "user_id": user_id,
        "name": token_name,
        "token_hash": hash_token(session.token),
        "created_at": now,
        "expires_at": session.expires_at,
        "is_session": True,
    }
    over = (ApiToken.expires_at <= now) | ApiToken.revoked_at.is_not(None)
    await connection.execute(delete(ApiToken).where(ApiToken.user_id == user_id, ApiToken.is_session, over))
    await connection.execute(insert(ApiToken), values)
    await note(connection, Actor(name, token_name), Action.SIGNED_IN, name)
    return session
