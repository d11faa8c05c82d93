"""The database's own driver, for statements that are compiled already, and nothing around it.

A statement that reads is a transaction of its own and sees all that was committed before it. A transaction that writes
is a script: a generator that yields statements and is given their rows. So what is decided between two statements is
told once, while PostgreSQL is awaited for each of them, and on SQLite the whole script runs in one trip to a thread.
"""

import asyncio
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import aiosqlite
import asyncpg

from models.bound_sqlite import BoundConnection
from models.statement import Record

Result = TypeVar("Result")

PATIENCE_S = 10.0
"""For a connection that is free."""

CLOSE_S = 1.0

ENDED = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)
"""What asyncpg raises on a connection that the server has ended. The last one where it has read the farewell of the
server and not yet the end of the connection."""


class Call(NamedTuple):
    """A step of a script, compiled."""

    text: str
    parameters: Sequence[Sequence[Any]]


Calls: TypeAlias = Generator[Call, Sequence[Record], Result]


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
        await self._turn()
        try:
            connection, records = await self._first(lambda connection: connection.fetch(text, *parameters))
        finally:
            self._free.release()
        self._idle.append(connection)
        return cast("Sequence[Record]", records)

    async def transact(self, calls: Calls[Result]) -> Result:
        """Raises what the driver raises, TimeoutError, and ConnectionError where nothing could be begun.

        Nothing is written then, unless it was the commit.
        """
        await self._turn()
        try:
            with _nothing_begun(asyncpg.PostgresError):
                connection, _ = await self._first(lambda connection: connection.execute("BEGIN"))
            result = await self._on(connection, partial(_run, calls=calls))
        finally:
            self._free.release()
        self._idle.append(connection)
        return result

    async def _turn(self) -> None:
        if self._free.locked():
            async with asyncio.timeout(PATIENCE_S):
                await self._free.acquire()
        else:
            await self._free.acquire()

    async def _first(self, call: Callable[[Any], Awaitable[Result]]) -> tuple[Any, Result]:
        """A connection that works, and what the first call on it gave."""
        while self._idle:
            connection = self._idle.pop()
            try:
                return connection, await self._on(connection, call)
            except ENDED:
                pass  # a new connection tells whether the server is there again
        connection = await asyncpg.connect(**self._options)
        return connection, await self._on(connection, call)

    async def _on(self, connection: Any, call: Callable[[Any], Awaitable[Result]]) -> Result:
        try:
            return await call(connection)
        except BaseException:  # also where the caller hangs up in the middle of an answer
            closing = asyncio.create_task(_close(connection))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            raise

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *map(_close, self._idle))
        self._idle.clear()


async def _close(connection: Any) -> None:
    """Has the server stop what it may be doing for it."""
    with suppress(OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
        await connection.close(timeout=CLOSE_S)


@contextmanager
def _nothing_begun(error: type[Exception]) -> Iterator[None]:
    """Raises ConnectionError: whatever the driver says of it, there is no database to write to."""
    try:
        yield
    except error as problem:
        raise ConnectionError("No transaction could be begun.") from problem


async def _run(connection: Any, calls: Calls[Result]) -> Result:
    records: Any = None
    while True:
        try:
            text, parameters = calls.send(records)
        except StopIteration as end:
            await connection.execute("COMMIT")
            return cast("Result", end.value)
        if len(parameters) == 1:
            records = await connection.fetch(text, *parameters[0])
        else:
            records = await connection.executemany(text, parameters)


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


class SqliteWriter:
    """One connection, whose thread keeps no process from ending."""

    def __init__(self, connect: Callable[[], Awaitable[aiosqlite.Connection]]) -> None:
        self._connect = connect
        self._connection: aiosqlite.Connection | None = None

    async def transact(self, calls: Calls[Result]) -> Result:
        """Raises what the driver raises, and ConnectionError where nothing could be begun; nothing is written then."""
        if self._connection is None:
            with _nothing_begun(sqlite3.Error):
                self._connection = await self._connect()
        trip = self._connection._execute(_run_at_once, self._connection._conn, calls)  # type: ignore[no-untyped-call]
        return cast("Result", await trip)

    async def close(self) -> None:
        """Without a wait for another process, for which a transaction may be waiting."""
        if self._connection is not None and (stopped := self._connection.stop()) is not None:
            await asyncio.wait([stopped], timeout=CLOSE_S)


def _run_at_once(connection: sqlite3.Connection, calls: Calls[Result]) -> Result:
    if connection.in_transaction:  # of one that could not be undone
        connection.rollback()
    with _nothing_begun(sqlite3.Error):
        connection.execute("BEGIN IMMEDIATE")
    try:
        records: Any = None
        while True:
            try:
                text, parameters = calls.send(records)
            except StopIteration as end:
                connection.execute("COMMIT")
                return cast("Result", end.value)
            if len(parameters) == 1:
                records = connection.execute(text, parameters[0]).fetchall()
            else:
                records = connection.executemany(text, parameters).fetchall()
    except BaseException:
        connection.rollback()
        raise
