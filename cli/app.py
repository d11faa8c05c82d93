"""The root of the command, and the database that each command works on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import typer
from rich.console import Console

from models import migrations
from models.database import Database
from models.errors import InventoryError
from settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An inventory of dams that tells of each new one.",
)
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)


def visible(text: str) -> str:
    """Control characters written as escapes: a terminal would obey those of a file."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class SetupRequired(InventoryError):
    """Says which command to run."""

    code = "SETUP_REQUIRED"


@asynccontextmanager
async def opened_database() -> AsyncIterator[Database]:
    database = Database(Settings().database_url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def ready_database() -> AsyncIterator[Database]:
    """Raises SetupRequired where the tables are missing or old."""
    async with opened_database() as database:
        await require_tables(database)
        yield database


async def require_tables(database: Database) -> None:
    """Raises SetupRequired where the tables are missing or old."""
    file = Settings().embedded_file
    if file and not file.is_file():
        raise SetupRequired("There is no inventory yet. Run: dams init")
    revision = await migrations.current(database)
    if revision is None:
        raise SetupRequired("There is no inventory in the database yet. Run: dams init")
    if revision != migrations.head():
        raise SetupRequired(f"The database is at revision {revision}, not {migrations.head()}. Run: dams migrate")
