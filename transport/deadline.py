"""How long a query or a mutation may take: until its time is over, or its client is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect

from models.errors import OperationTimeout
from transport.connections.http import HttpConnection


def overdue(timeout_s: float) -> OperationTimeout:
    """What is said then. A write that is under way goes on to its end."""
    return OperationTimeout(
        f"This took longer than {timeout_s:g} s. Ask for less. An add may have been done: send it again with the same"
        " idempotencyKey."
    )


@asynccontextmanager
async def in_time(timeout_s: float, connection: HttpConnection) -> AsyncIterator[None]:
    """Cancels what is done within. Raises OperationTimeout, or ClientDisconnect where nobody waits for an answer."""
    if connection.transport.is_closing():
        raise ClientDisconnect
    try:
        async with asyncio.timeout(timeout_s) as time:

            def end() -> None:
                if not time.expired():
                    time.reschedule(0)

            connection.when_gone = end
            try:
                yield
            finally:
                connection.when_gone = None
    except TimeoutError:
        if connection.transport.is_closing():
            raise ClientDisconnect from None
        raise overdue(timeout_s) from None
