"""`dams serve`, `dams check` and `dams schema`."""

import asyncio
import gc
import resource
import sys
from contextlib import suppress

import typer
import uvicorn
from redis.exceptions import RedisClusterException, RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from auth.openid import UNREADABLE, OpenIdConfig, Provider, published_keys
from cli.app import SetupRequired, app, opened_database, out, require_tables
from cli.setup import bring_up_to_date
from gateway import create_app
from models.database import Database
from models.errors import DatabaseUnavailable
from pubsub.redis_url import connect
from schema import schema
from settings import Settings
from transport.server import UVICORN

GC_THRESHOLDS = 20_000, 20, 10
"""A full collection after some millions of objects more. By default a thousand new sockets bring several of them, of up
to 170 ms, while events wait. What has no cycles, nearly everything, is freed at once in any case."""


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
    _raise_file_limit()
    uvicorn.run(
        "cli.server:create_app_of_process",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if settings.workers > 1 else None,
        ws_max_size=settings.max_request_bytes,
        **UVICORN,
    )


def create_app_of_process() -> Starlette:
    """With what it has loaded out of the garbage collector's sight, whose full collections hold everything up."""
    app = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return app


def _raise_file_limit() -> None:
    """A socket is a file, and many systems begin with 1,024 of them. The processes that are started inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS knows "no limit" and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@app.command()
def check() -> None:
    """Say what of database, PostGIS, migrations, Redis and OpenID provider is wrong; exit code 1 where something is."""
    problems = asyncio.run(find_problems())
    for problem in problems:
        out.print(f"✗ {problem}")
    if problems:
        raise typer.Exit(1)
    out.print("✓ Everything is in order.")


async def find_problems() -> list[str]:
    """One sentence each."""
    settings = Settings()
    return [
        *await database_problems(),
        *await redis_problems(settings.redis_url),
        *await provider_problems(settings.open_id),
    ]


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
    redis = connect(url, timeout_s=3)
    try:
        await redis.publish("dams:check", 0)  # nobody listens; a ping would be allowed to users that may not publish
    except (RedisError, RedisClusterException, OSError) as error:
        return [f"Redis cannot be reached: {str(error).rstrip('.')}. Is DAMS_REDIS_URL right?"]
    finally:
        await redis.close()
    return []


async def provider_problems(config: OpenIdConfig | None) -> list[str]:
    if config is None:
        return []
    try:
        async with Provider.client() as client:
            await published_keys(config.issuer, client)
    except UNREADABLE as error:
        return [f"The keys of the OpenID provider cannot be read: {error!r}. Is DAMS_OIDC_ISSUER right?"]
    return []


@app.command("schema")
def show_schema() -> None:
    """Print the GraphQL schema."""
    sys.stdout.write(schema.as_str() + "\n")
