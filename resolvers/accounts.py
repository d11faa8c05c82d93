"""Users and their tokens, as pages show them; what may be done to whose."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select, update

from auth import tokens
from auth.audit import note
from auth.viewer import Viewer
from models import Action, ApiToken, Group, Inventory, User, UserGroup
from models.database import Database
from models.errors import Forbidden, Refused, Unauthenticated
from models.identity import Permission
from resolvers.listings import Listing
from resolvers.quota import MAX_DAMS, USED
from resolvers.text import UnusableText, clean_text

LONGEST_LIFE_DAYS = 36_500
"""A hundred years; dates end with the year 9999."""

USERS = Listing("User", User.id)
TOKENS = Listing("ApiToken", ApiToken.id, newest_first=True)

SELECT_USERS: Select[Any] = (
    select(
        User.id,
        User.name,
        User.max_dams.label("own_max_dams"),
        User.password_hash.is_not(None).label("has_password"),
        User.issuer,
        User.is_disabled,
        MAX_DAMS.label("max_dams"),
        USED.label("used"),
    )
    .select_from(User)
    .join(Inventory, Inventory.id == 1)
)
TOKEN_COLUMNS: tuple[Any, ...] = (
    ApiToken.id,
    ApiToken.name,
    User.name.label("user"),
    ApiToken.scopes,
    ApiToken.created_at,
    ApiToken.expires_at,
    ApiToken.revoked_at,
    ApiToken.is_session,
)
SELECT_TOKENS = select(*TOKEN_COLUMNS).join(User, User.id == ApiToken.user_id)


def select_own_tokens(viewer: Viewer) -> Select[Any]:
    """Raises Unauthenticated."""
    if not viewer.is_authenticated:
        raise Unauthenticated("Sign in to see your API tokens.")
    return SELECT_TOKENS.where(ApiToken.user_id == viewer.user_id)


async def groups_of(database: Database, user_ids: list[int]) -> list[list[str]]:
    """Names of the groups of each user."""
    statement = (
        select(UserGroup.user_id, Group.name)
        .join(Group, Group.id == UserGroup.group_id)
        .where(UserGroup.user_id.in_(user_ids))
        .order_by(Group.name)
    )
    groups: dict[int, list[str]] = {user_id: [] for user_id in user_ids}
    async with database.read() as connection:
        for user_id, group in await connection.execute(statement):
            groups[user_id].append(group)
    return [groups[user_id] for user_id in user_ids]


async def load_user(database: Database, user_id: int) -> Row[Any] | None:
    async with database.read() as connection:
        found: Row[Any] | None = (await connection.execute(SELECT_USERS.where(User.id == user_id))).one_or_none()
        return found


async def change_user(database: Database, user_id: int, change: Callable[[str], Awaitable[None]]) -> Row[Any] | None:
    """The user afterwards. `change` is given its name.

    Raises Refused where there is no such user, and what the change raises.
    """
    if (user := await load_user(database, user_id)) is None:
        raise Refused("NOT_FOUND", "id", "There is no such user.")
    await change(user.name)
    return await load_user(database, user_id)


MOST = 2**31 - 1
"""What a column of whole numbers holds, and GraphQL's Int."""


def require_limit(field: str, value: int | None) -> None:
    """Raises Refused."""
    if value is not None and not 0 <= value <= MOST:
        raise Refused("OUT_OF_RANGE", field, f"{field} must be from 0 (no limit) to {MOST:,}, not {value:,}.")


async def load_token(database: Database, token_hash: str) -> Row[Any]:
    async with database.read() as connection:
        found = await connection.execute(SELECT_TOKENS.where(ApiToken.token_hash == token_hash))
        return found.one()


async def create_own_token(
    database: Database, viewer: Viewer, name: str, scopes: list[str] | None, days: int | None
) -> str:
    """The new token of the viewer.

    Raises Unauthenticated, Forbidden and Refused.
    """
    require_whole(viewer)
    if viewer.is_of_provider:  # whose groups are in its tokens, so that another token would have none
        raise Forbidden("Users of the OpenID provider have its tokens, and no others.")
    usable, known = clean_name(name), {str(permission): permission for permission in Permission}
    if unknown := [scope for scope in scopes or () if scope not in known]:
        message = f'There is no permission "{unknown[0]}". The permissions are {", ".join(known)}.'
        raise Refused("UNKNOWN_PERMISSION", "scopes", message)
    if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS:
        raise Refused("OUT_OF_RANGE", "days", f"days must be from 1 to {LONGEST_LIFE_DAYS:,}, not {days:,}.")
    return await tokens.create_token(
        database,
        user=viewer.name or "",
        name=usable,
        scopes=None if scopes is None else [known[scope] for scope in dict.fromkeys(scopes)],
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        by=viewer.actor,
    )


def require_whole(viewer: Viewer) -> None:
    """What was given for few permissions must not give itself others.

    Raises Unauthenticated and Forbidden.
    """
    if not viewer.is_authenticated:
        raise Unauthenticated("Sign in to have API tokens.")
    if viewer.is_limited:
        raise Forbidden("A token that is limited to some permissions makes and revokes no tokens and changes no users.")


def clean_name(name: str) -> str:
    """Raises Refused."""
    try:
        usable = clean_text(name)
    except UnusableText as error:
        raise Refused(error.code, "name", f"Name {error}.") from None
    if usable is None:
        raise Refused("REQUIRED", "name", "Name is required.")
    return usable


async def revoke(database: Database, viewer: Viewer, token_id: int) -> None:
    """One's own, or with manage_inventory anybody's.

    Raises Unauthenticated, Forbidden and, where there is no such token in force, Refused.
    """
    require_whole(viewer)
    tokens_in_reach = SELECT_TOKENS if viewer.may(Permission.MANAGE_INVENTORY) else select_own_tokens(viewer)
    async with database.read() as connection:
        found = (await connection.execute(tokens_in_reach.where(ApiToken.id == token_id))).one_or_none()
    if found is None:
        raise Refused("NOT_FOUND", "id", "There is no such token in force.")
    await tokens.revoke_token(database, user=found.user, name=found.name, by=viewer.actor)


async def sign_out(database: Database, viewer: Viewer, token: str) -> bool:
    """Revokes the API token; False where it is none."""
    this = update(ApiToken).where(ApiToken.token_hash == tokens.hash_token(token), ApiToken.revoked_at.is_(None))
    async with database.write() as connection:
        if (await connection.execute(this.values(revoked_at=datetime.now(UTC)))).rowcount == 0:
            return False
        await note(connection, viewer.actor, Action.SIGNED_OUT, viewer.name or "")
        return True
