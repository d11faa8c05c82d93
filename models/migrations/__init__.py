"""Alembic's migrations, run on both engines."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from models.database import Database, Reader


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@cache
def head() -> str | None:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def current(database: Reader) -> str | None:
    """The revision of the database; None where it has no tables of ours."""
    async with database.read() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def migrate(database: Database) -> None:
    """Bring the database to `head()`, in one transaction."""

    def upgrade(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with database.write() as connection:
        if database.dialect == "sqlite":
            await connection.run_sync(_suspend_foreign_keys)
        await connection.run_sync(upgrade)
        if database.dialect == "sqlite":
            await connection.run_sync(_check_foreign_keys)


def _suspend_foreign_keys(connection: Connection) -> None:
    """To change a table is to drop it and make it anew on SQLite; the rows that refer to it would be deleted too.

    Only outside of a transaction: https://www.sqlite.org/lang_altertable.html#otheralter
    """
    connection.detach()  # so that no later writer gets it
    for statement in ("ROLLBACK", "PRAGMA foreign_keys=OFF", "BEGIN IMMEDIATE"):
        connection.exec_driver_sql(statement)


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"The migration would leave rows that refer to nothing: {broken[:5]}.")
