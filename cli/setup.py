"""`dams init` and `dams migrate`: a database that is ready to serve."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from auth.tokens import create_token
from auth.users import add_user, count_users
from cli.app import SetupRequired, app, opened_database, out, require_tables
from cli.inventory import load_with_progress
from ingest.national import NATIONAL_FILE
from ingest.reading import open_source
from models import migrations
from models.database import Database
from resolvers.inventory import read_inventory
from settings import Settings

ADMINISTRATOR = "admin"


@app.command()
def migrate() -> None:
    """Bring the database to the revision that this version needs."""

    async def work() -> None:
        async with opened_database() as database:
            await bring_up_to_date(database)
            out.print(f"The database is at revision {migrations.head()}.")

    asyncio.run(work())


@app.command()
def init(
    empty: Annotated[bool, typer.Option(help="Leave the national inventory out.")] = False,
) -> None:
    """Make a new database ready: tables, the national inventory, an administrator. Does nothing twice."""

    async def work() -> None:
        async with opened_database() as database:
            await ensure_tables(database)
            if not empty and (await read_inventory(database)).last_sequence == 0:
                out.print("First start: loading the National Inventory of Dams.")
                await load_with_progress(database, open_source(NATIONAL_FILE), NATIONAL_FILE)
            await ensure_administrator(database)

    asyncio.run(work())


async def bring_up_to_date(database: Database) -> None:
    """Raises SetupRequired where PostGIS cannot be installed."""
    if file := Settings().embedded_file:
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        await migrations.migrate(database)
    except DBAPIError as error:
        if "extension" not in str(error.orig):
            raise
        raise SetupRequired(
            "PostGIS is missing. Install it (on Debian: apt install postgresql-postgis), and as a superuser run"
            " CREATE EXTENSION postgis in this database."
        ) from error


async def ensure_tables(database: Database) -> None:
    """The embedded file, and a database without tables, are brought up to date; others only checked.

    Raises SetupRequired.
    """
    if Settings().embedded_file or await migrations.current(database) is None:
        await bring_up_to_date(database)
    await require_tables(database)


async def ensure_administrator(database: Database) -> None:
    """Makes the first user and shows the token, where there is no user yet."""
    if await count_users(database):
        return
    settings = Settings()
    await add_user(database, ADMINISTRATOR, ["admin"])
    token = await create_token(database, user=ADMINISTRATOR, name="first", token=settings.admin_token)
    if settings.admin_token is not None:
        out.print(f"The token of DAMS_ADMIN_TOKEN belongs to the user {ADMINISTRATOR}.")
        return
    out.print(
        f"\nAdministrator's API token, shown only now:\n\n    {token}\n\n"
        f"Paste it into the token box of http://{settings.host}:{settings.port}/graphiql,\n"
        f'or send the header "Authorization: Bearer {token}".\n'
        "Another one: dams token create admin --name NAME\n"
        "To sign in with a password: dams user password admin\n"
    )
