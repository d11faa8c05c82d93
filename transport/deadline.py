"""How long a query or a mutation may take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.errors import OperationTimeout


@asynccontextmanager
async def in_time(timeout_s: float) -> AsyncIterator[None]:
    """Raises OperationTimeout. A write that is under way goes on to its end."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise OperationTimeout(
            f"This took longer than {timeout_s:g} s. Ask for less. An add may have been done: send it again with the"
            " same idempotencyKey."
        ) from None
