"""How many dams one user has added and may add."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, select

from models import Dam, Inventory, User
from models.database import Database
from models.statement import Script, Step, spread

MAX_DAMS = func.coalesce(User.max_dams, Inventory.max_dams_per_user)
USED = select(func.count()).where(Dam.added_by_id == User.id).scalar_subquery()


QUOTAS = select(User.id, MAX_DAMS).select_from(User).join(Inventory, Inventory.id == 1)
READ_QUOTA = QUOTAS.with_only_columns(MAX_DAMS, USED).where(User.id == bindparam("user_id"))


@lru_cache
def check_quotas(places: int) -> Select[Any]:
    """Counts only where there is a quota: all other writers wait meanwhile."""
    users = [bindparam(f"user_{place}", type_=User.id.type) for place in range(places)]
    return QUOTAS.add_columns(case((MAX_DAMS > 0, USED), else_=0)).where(User.id.in_(users))


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


def quotas_of(user_ids: Collection[int]) -> Script[dict[int, Quota]]:
    """Exact in a transaction that holds the counter row; `used` is 0 where there is no quota."""
    if not user_ids:
        return {}
    users = spread("user", user_ids)
    found = yield Step(check_quotas(len(users)), [users])
    return {user_id: Quota(max_dams, used) for user_id, max_dams, used in found}
