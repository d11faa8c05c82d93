"""How many dams one user has added and may add."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Dam, Inventory, User
from models.database import Database

READ_QUOTA = (
    select(
        func.coalesce(User.max_dams, Inventory.max_dams_per_user),
        select(func.count()).where(Dam.added_by_id == User.id).scalar_subquery(),
    )
    .select_from(User)
    .join(Inventory, Inventory.id == 1)
    .where(User.id == bindparam("user_id"))
)


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
        return await quota_of(connection, user_id)


async def quota_of(connection: AsyncConnection, user_id: int | None) -> Quota:
    """Exact in a transaction that holds the counter row."""
    return Quota(*(await connection.execute(READ_QUOTA, {"user_id": user_id})).one())
