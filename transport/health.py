"""What watches the service asks: is the process up, and can it do its work."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from models import migrations
from models.database import Database
from models.errors import DatabaseUnavailable
from pubsub.hub import Hub

PATIENCE_S = 3.0
"""For the database. Whoever watches a service waits a few seconds at most."""


async def live(request: Request) -> Response:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """200 where requests can be served, 503 where not.

    Without Redis the service is degraded and stays up: dams of other processes arrive by polling.
    """
    checks = {"database": await database_check(request.state.database), "redis": redis_check(request.state.hub)}
    if checks["database"] != "ok":
        return JSONResponse({"status": "unavailable", "checks": checks}, 503)
    return JSONResponse({"status": "ok" if request.state.hub.bus_connected else "degraded", "checks": checks})


async def database_check(database: Database) -> str:
    """`ok`, or one sentence on what is wrong."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            revision = await migrations.current(database.following)
    except DatabaseUnavailable as error:
        return str(error)
    except TimeoutError:
        return f"The database did not answer within {PATIENCE_S:g} s."
    if revision != migrations.head():
        return f"The database is at revision {revision}, this version needs {migrations.head()}. Run: dams migrate"
    return "ok"


def redis_check(hub: Hub) -> str:
    """`ok`, `not used`, or one sentence on what is wrong."""
    if not hub.has_bus:
        return "not used"
    return "ok" if hub.bus_connected else "Redis cannot be reached; dams of other processes arrive within a second."
