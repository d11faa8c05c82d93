"""`dams serve`, `dams check` and `dams schema`."""

import asyncio
import sys

import typer
import uvicorn
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cli.app import SetupRequired, app, opened_database, out, require_tables
from cli.setup import bring_up_to_date
from models.database import Database
from models.errors import DatabaseUnavailable
from schema import schema
from settings import Settings

SHUTDOWN_S = 5
"""One open stream keeps uvicorn up for ever where no limit is set."""


@app.command()
def serve() -> None:
    """Serve the inventory. The settings are in the environment: see docs/settings.md."""
    settings = Settings()

    async def prepare() -> None:
        async with opened_database() as database:
            if settings.embedded_file:
                await bring_up_to_date(database)
            await require_tables(database)

    asyncio.run(prepare())
    uvicorn.run(
        "gateway:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        # uvicorn's own ping closes a sleeping laptop with 1011, which graphql-ws never retries.
        ws_ping_interval=None,
        # Deflate doubles the cost of a message and adds 37 KB a socket.
        ws_per_message_deflate=False,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )


@app.command()
def check() -> None:
    """Say what of the database, PostGIS, the migrations and Redis is wrong; exit code 1 where something is."""
    problems = asyncio.run(find_problems())
    for problem in problems:
        out.print(f"✗ {problem}")
    if problems:
        raise typer.Exit(1)
    out.print("✓ Everything is in order.")


async def find_problems() -> list[str]:
    """One sentence each."""
    return [*await database_problems(), *await redis_problems(Settings().redis_url)]


async def database_problems() -> list[str]:
    async with opened_database() as database:
        try:
            if database.dialect == "postgresql":
                await require_postgis(database)
            await require_tables(database)
        except DatabaseUnavailable as error:
            reason = getattr(error.__cause__, "orig", None) or error.__cause__
            return [f"The database cannot be reached: {reason}. Is DAMS_DATABASE_URL right?"]
        except SetupRequired as error:
            return [str(error)]
    return []


async def require_postgis(database: Database) -> None:
    """Raises SetupRequired."""
    try:
        async with database.read() as connection:
            await connection.execute(text("SELECT postgis_version()"))
    except DBAPIError:
        raise SetupRequired("PostGIS is not in this database. As a superuser run: CREATE EXTENSION postgis") from None


async def redis_problems(url: str | None) -> list[str]:
    if url is None:
        return []
    try:
        async with Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as redis:
            await redis.ping()
    except (RedisError, OSError, ValueError) as error:
        return [f"Redis cannot be reached: {error}. Is DAMS_REDIS_URL right?"]
    return []


@app.command("schema")
def show_schema() -> None:
    """Print the GraphQL schema."""
    sys.stdout.write(schema.as_str() + "\n")
