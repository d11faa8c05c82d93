"""Names that are in use already, for those who type one."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models import Dam
from models.base import Key
from models.database import Database
from resolvers.filters import check_text

LAST_CHARACTER = "\U0010ffff"

Text = InstrumentedAttribute[str | None]


async def load_names(database: Database, name: Text, key: Text, prefix: str, limit: int) -> list[str]:
    """Each name that begins so, once, in the order of keys. One that is written in several ways, as it was first.

    Raises BadUserInput for a prefix that is too long.
    """
    async with database.read() as connection:
        statement = select_names(name, key, check_text("startingWith", prefix)).limit(limit)
        return list(await connection.scalars(statement))


def select_names(name: Text, key: Text, prefix: str) -> Select[tuple[str]]:
    """Jumps from key to key in the index, as neither engine does by itself for DISTINCT.

    So it reads no more than it gives, however many dams have a name.
    """
    end = key < prefix + LAST_CHARACTER
    keys = select(func.min(key, type_=Key()).label("key")).where(key >= prefix, end).cte("keys", recursive=True)
    following = select(func.min(key, type_=Key())).where(key > keys.c.key, end).scalar_subquery()
    keys = keys.union_all(select(following).where(keys.c.key.is_not(None)))
    written = select(name).where(key == keys.c.key).order_by(Dam.id).limit(1).scalar_subquery()
    return select(written).where(keys.c.key.is_not(None))
