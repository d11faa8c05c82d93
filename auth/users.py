"""Users and the groups that give them permissions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import COMMAND_LINE, Actor, note
from models import Action, Group, User, UserGroup
from models.database import Database
from models.errors import Refused


@dataclass(frozen=True, slots=True)
class UserInfo:
    name: str
    groups: tuple[str, ...]
    max_dams: int | None
    """Own quota; None where that of the inventory applies."""
    is_disabled: bool


async def add_user(
    database: Database, name: str, groups: Sequence[str], max_dams: int | None = None, by: Actor = COMMAND_LINE
) -> None:
    """Raises Refused for a name that is taken and for a group that is not there."""
    async with database.write() as connection:
        group_ids = await _group_ids(connection, groups)
        try:
            added = await connection.execute(insert(User).returning(User.id), {"name": name, "max_dams": max_dams})
        except IntegrityError:
            raise Refused("NAME_TAKEN", "name", f'There is a user "{name}" already.') from None
        await _join(connection, added.scalar_one(), group_ids)
        await note(connection, by, Action.USER_ADDED, name, ", ".join(groups))


async def set_groups(database: Database, name: str, groups: Sequence[str], by: Actor = COMMAND_LINE) -> None:
    """The user is in these groups and in no others.

    Raises Refused where there is no such user or group, and for users of an OpenID provider.
    """
    async with database.write() as connection:
        group_ids = await _group_ids(connection, groups)
        # Locked, so that what two set at once does not become one.
        user = select(User.id, User.issuer).where(User.name == name).with_for_update()
        found = (await connection.execute(user)).one_or_none()
        if found is None:
            raise no_user(name)
        if found.issuer is not None:
            raise Refused("USER_OF_PROVIDER", "groups", f"The groups of {name} are in the tokens of {found.issuer}.")
        await connection.execute(delete(UserGroup).where(UserGroup.user_id == found.id))
        await _join(connection, found.id, group_ids)
        await note(connection, by, Action.GROUPS_SET, name, ", ".join(groups))


async def _group_ids(connection: AsyncConnection, groups: Sequence[str]) -> list[int]:
    """Raises Refused for a group that is not there."""
    known = {group.name: group.id for group in await connection.execute(select(Group.id, Group.name))}
    for group in groups:
        if group not in known:
            message = f'There is no group "{group}". The groups are {", ".join(sorted(known))}.'
            raise Refused("NOT_FOUND", "groups", message)
    return [known[group] for group in dict.fromkeys(groups)]


async def _join(connection: AsyncConnection, user_id: int, group_ids: Sequence[int]) -> None:
    memberships = [{"user_id": user_id, "group_id": group_id} for group_id in group_ids]
    if memberships:
        await connection.execute(insert(UserGroup), memberships)


async def set_disabled(database: Database, name: str, is_disabled: bool, by: Actor = COMMAND_LINE) -> None:
    """Raises Refused where there is no such user."""
    async with database.write() as connection:
        changed = await connection.execute(update(User).where(User.name == name).values(is_disabled=is_disabled))
        if changed.rowcount == 0:
            raise no_user(name)
        await note(connection, by, Action.USER_DISABLED if is_disabled else Action.USER_ENABLED, name)


async def set_quota(database: Database, name: str, max_dams: int | None, by: Actor = COMMAND_LINE) -> None:
    """`max_dams` None: the inventory's quota applies; 0: no quota.

    Raises Refused where there is no such user.
    """
    async with database.write() as connection:
        changed = await connection.execute(update(User).where(User.name == name).values(max_dams=max_dams))
        if changed.rowcount == 0:
            raise no_user(name)
        await note(connection, by, Action.QUOTA_SET, name, "the inventory's" if max_dams is None else str(max_dams))


def no_user(name: str) -> Refused:
    return Refused("NOT_FOUND", "user", f'There is no user "{name}".')


async def list_users(database: Database) -> list[UserInfo]:
    """By name."""
    memberships = select(UserGroup.user_id, Group.name).join(Group, Group.id == UserGroup.group_id).order_by(Group.name)
    async with database.read() as connection:
        groups: dict[int, list[str]] = {}
        for user_id, group in await connection.execute(memberships):
            groups.setdefault(user_id, []).append(group)
        users = await connection.execute(
            select(User.id, User.name, User.max_dams, User.is_disabled).order_by(User.name)
        )
        return [UserInfo(user.name, tuple(groups.get(user.id, ())), user.max_dams, user.is_disabled) for user in users]


async def count_users(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(User)) or 0
