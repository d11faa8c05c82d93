"""How many dams one user has added and may add."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Dam, Inventory, User
from models.database import Database

MAX_DAMS = func.coalesce(User.max_dams, Inventory.max_dams_per_user)
USED = select(func.count()).where(Dam.added_by_id == User.id).scalar_subquery()


QUOTAS = select(User.id, MAX_DAMS).select_from(User).join(Inventory, Inventory.id == 1)
READ_QUOTA = QUOTAS.with_only_columns(MAX_DAMS, USED).where(User.id == bindparam("user_id"))
CHECK_QUOTAS = QUOTAS.add_columns(case((MAX_DAMS > 0, USED), else_=0)).where(
    User.id.in_(bindparam("user_ids", expanding=True))
)
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


async def quotas_of(connection: AsyncConnection, user_ids: Iterable[int]) -> dict[int, Quota]:
    """Exact in a transaction that holds the counter row; `used` is 0 where there is no quota."""
    found = await connection.execute(CHECK_QUOTAS, {"user_ids": list(user_ids)})
    return {user_id: Quota(max_dams, used) for user_id, max_dams, used in found}
