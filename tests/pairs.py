"""Two servers on one database, and how they see their Redis.

Two in this process are as good as two processes: each has its own hub, its own bus and its own connections.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.conftest import Serve, Server, until

DEGRADED = "Redis cannot be reached; dams of other processes arrive within a second."


@asynccontextmanager
async def pair(serve: Serve, redis_url: str | None) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers that know of each other."""
    async with serve(redis_url=redis_url) as one, serve(redis_url=redis_url) as other:
        await until(lambda: is_ready(one))
        await until(lambda: is_ready(other))
        yield one, other


async def readiness(server: Server) -> Any:
    answer = await server.http.get("/readyz")
    return answer.status_code, answer.json()


async def is_ready(server: Server) -> Any:
    status, answer = await readiness(server)
    return (status, answer["status"]) == (200, "ok") and answer["checks"]["redis"] in {"ok", "not used"}


async def is_degraded(server: Server) -> Any:
    return await readiness(server) == (200, {"status": "degraded", "checks": {"database": "ok", "redis": DEGRADED}})
