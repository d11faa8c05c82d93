"""How many dams one user has added and may add."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Dam, Inventory, User
from models.database import Database

MAX_DAMS = func.coalesce(User.max_dams, Inventory.max_dams_per_user)
USED = select(func.count()).where(Dam.added_by_id == User.id).scalar_subquery()


def _select(used: ColumnElement[int]) -> Select[int, int]:
    return (
        select(MAX_DAMS, used)
        .select_from(User)
        .join(Inventory, Inventory.id == 1)
        .where(User.id == bindparam("user_id"))
    )


READ_QUOTA = _select(USED)
CHECK_QUOTA = _select(case((MAX_DAMS > 0, USED), else_=0))
"""Counts only where there is a quota: all other writers wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Quota:
    max_dams: int
    """0 means no quota."""
    used: int

    @property
    def is_used_up(self) -> bool:
        return 0 < self.max_dams <= self.used


async def read_quota(database: Database, user_id: int) -> Quota:
    async with database.read() as connection:
        return Quota(*(await connection.execute(READ_QUOTA, {"user_id": user_id})).one())


async def quota_of(connection: AsyncConnection, user_id: int | None) -> Quota:
    """Exact in a transaction that holds the counter row; `used` is 0 where there is no quota."""
    return Quota(*(await connection.execute(CHECK_QUOTA, {"user_id": user_id})).one())
