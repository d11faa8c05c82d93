"""The database's own driver, for statements that are compiled already: connections that read, and nothing around them.

Each statement is a transaction of its own and sees all that was committed before it.
"""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import asyncpg

from models.bound_sqlite import BoundConnection
from models.statement import Record

PATIENCE_S = 10.0
"""For a connection that is free."""

CLOSE_S = 1.0

ENDED = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)
"""What asyncpg raises on a connection that the server has ended. The last one where it has read the farewell of the
server and not yet the end of the connection."""


class Driver(ABC):
    @abstractmethod
    async def fetch(self, text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        """A statement whose caller is cancelled is stopped.

        Raises what the driver raises, and TimeoutError.
        """

    @abstractmethod
    async def close(self) -> None: ...


class PostgresDriver(Driver):
    """Opens connections as they are needed, and takes the one that was used last."""

    def __init__(self, options: Mapping[str, Any], connections: int) -> None:
        self._options = options
        self._idle: list[Any] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(connections)

    async def fetch(self, text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        if self._free.locked():
            async with asyncio.timeout(PATIENCE_S):
                await self._free.acquire()
        else:
            await self._free.acquire()
        try:
            return await self._fetch(text, parameters)
        finally:
            self._free.release()

    async def _fetch(self, text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._fetch_on(connection, text, parameters)
            except ENDED:
                pass  # a new connection tells whether the server is there again
        return await self._fetch_on(await asyncpg.connect(**self._options), text, parameters)

    async def _fetch_on(self, connection: Any, text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        try:
            records: Sequence[Record] = await connection.fetch(text, *parameters)
        except BaseException:  # also where the caller hangs up in the middle of an answer
            closing = asyncio.create_task(_close(connection))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            raise
        self._idle.append(connection)
        return records

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *map(_close, self._idle))
        self._idle.clear()


async def _close(connection: Any) -> None:
    """Has the server stop what it may be doing for it."""
    with suppress(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
        await connection.close(timeout=CLOSE_S)


class SqliteDriver(Driver):
    """A connection for each of a few threads."""

    def __init__(self, connect: Callable[[], BoundConnection], threads: int) -> None:
        self._connect = connect
        self._local = threading.local()
        self._connections: list[BoundConnection] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sqlite-reader")

    async def fetch(self, text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        gone = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch, text, parameters, gone)
        except asyncio.CancelledError:
            gone.set()
            raise

    def _fetch(self, text: str, parameters: Sequence[Any], gone: threading.Event) -> Sequence[Record]:
        connection: BoundConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            self._connections.append(connection)
        connection.gone = gone  # of this statement alone, where interrupt() could come to the next one
        records: Sequence[Record] = connection.execute(text, parameters).fetchall()
        return records

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        while self._connections:
            self._connections.pop().close()
