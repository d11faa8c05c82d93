"""The two database engines behind one door: PostgreSQL with PostGIS, or a SQLite file."""

import asyncio
import sqlite3
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import aiosqlite
import asyncpg
from sqlalchemy import URL, Connection, Dialect, Select, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from models.bound_sqlite import BoundConnection
from models.driver import Call, Calls, Driver, PostgresDriver, SqliteDriver, SqliteWriter
from models.errors import DatabaseUnavailable, OperationTimeout
from models.geodesy import in_area, metres_between
from models.sqlite_trips import connect as connect_sqlite
from models.statement import Record, Script, Statement
from models.together import Together

Item = TypeVar("Item")
Result = TypeVar("Result")

ASYNC_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}

BUSY_TIMEOUT_S = 20.0
"""How long SQLite waits for another process that writes. A national import takes about 10 s."""

TURN_S = 20.0
"""How long a writer waits for others of its process."""

MAX_STATEMENTS = 1_000
"""Compiled ones that are kept, some 10 KB each."""

LAST_WRITES_S = 2.0
"""For writes that are under way when the process ends. One that waits for a lock by then is given up."""

STATEMENT_TIMEOUT_S = 10.0
"""The longest that one statement may take, by default."""

UNANSWERED_S = 5.0
"""After which a PostgreSQL that has not ended a statement in time by itself counts as away."""

PATIENCE_S = 30.0
"""With statements that may have to wait for others; imports set their own."""

IDLE_IN_TRANSACTION_S = 10.0
"""After which PostgreSQL ends a transaction whose process does nothing: a frozen one would stop every add."""


class Reader:
    """Connections for reading: a pool of SQLAlchemy's, and some of the driver's own."""

    def __init__(self, engine: AsyncEngine, driver: Driver) -> None:
        self._engine = engine
        self._driver = driver
        self._statements: dict[Hashable, Statement] = {}

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement sees all that was committed before it.

        Raises DatabaseUnavailable.
        """
        async with _available(self._engine.connect()) as connection:
            yield connection

    async def fetch(
        self, shape: Hashable, build: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> Sequence[Record]:
        """The rows of a SELECT, straight from the driver. `build` makes the one for a `shape`, once.

        What differs from time to time is a `bindparam`, and in `values` by its name.
        Raises DatabaseUnavailable.
        """
        statement = self._statement(shape, build)
        with _unavailable(asyncpg.InterfaceError, OSError, TimeoutError):
            return statement.rows(await self._driver.fetch(statement.text, statement.parameters(values)))

    def _statement(self, shape: Hashable, build: Callable[[], Any], columns: Collection[str] = ()) -> Statement:
        if (statement := self._statements.get(shape)) is None:
            if len(self._statements) >= MAX_STATEMENTS:
                self._statements.clear()  # nobody has so many but who makes them up
            statement = self._statements[shape] = Statement(build(), self._engine.dialect, columns)
        return statement

    async def close(self) -> None:
        await self._driver.close()
        await self._engine.dispose()


class Database(Reader):
    """Connections for reading and for writing. `url` may name the engine alone (`postgresql://`, `sqlite:///`).

    Each has a pool of its own: writers that wait for the counter row hold no reader up, nor readers a writer.
    """

    def __init__(self, url: str, statement_timeout_s: float = STATEMENT_TIMEOUT_S) -> None:
        parsed = make_url(url)
        parsed = parsed.set(drivername=ASYNC_DRIVERS.get(parsed.drivername, parsed.drivername))
        if mode := parsed.query.get("sslmode"):  # as libpq has it; asyncpg calls it ssl
            parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
        options = ENGINE_OPTIONS[parsed.get_backend_name()]
        writers = WRITERS[parsed.get_backend_name()]
        reading = READING[parsed.get_backend_name()](statement_timeout_s)
        # They begin no transaction, so there is none to be rolled back.
        readers = create_async_engine(parsed, **reading, skip_autocommit_rollback=True)
        followers = create_async_engine(parsed, **{**options, **FOLLOWER_POOL}, skip_autocommit_rollback=True)
        self._writers = create_async_engine(parsed, **{**options, "pool_size": writers, "max_overflow": 0})
        self._writer = _writer(parsed, self._writers.dialect, options["connect_args"])
        self._turns = asyncio.Semaphore(writers)
        self._unfinished: set[asyncio.Task[Any]] = set()
        self._together: dict[Callable[..., Any], Together[Any, Any]] = {}
        self.dialect = readers.dialect.name
        if self.dialect == "sqlite":
            event.listen(readers.sync_engine, "connect", _prepare_sqlite)
            event.listen(followers.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._writers.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._writers.sync_engine, "begin", _begin_sqlite)
        else:
            readers = readers.execution_options(isolation_level="AUTOCOMMIT")
            followers = followers.execution_options(isolation_level="AUTOCOMMIT")
        driver = partial(_driver, parsed, readers.dialect, reading["connect_args"])
        super().__init__(readers, driver(CONNECTIONS[self.dialect]))
        self.following = Reader(followers, driver(FOLLOWER_CONNECTIONS))
        """For what keeps everybody up to date and what answers wait for: long requests of others do not hold it up."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end, rolled back on an exception.

        Raises DatabaseUnavailable.
        """
        async with self._turn(), _available(self._writers.begin()) as connection:
            yield connection

    async def transact(self, script: Script[Result]) -> Result:
        """What a script returns, whose steps are one transaction, straight to the driver.

        Raises DatabaseUnavailable, and what the driver raises.
        """
        async with self._turn():
            with _unavailable(asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
                return await self._writer.transact(self._calls(script))

    def _calls(self, script: Script[Result]) -> Calls[Result]:
        """Its steps, compiled."""
        records: Any = None
        while True:
            try:
                step = script.send(records)
            except StopIteration as end:
                return cast("Result", end.value)
            statement = self._statement(step.statement, partial(_itself, step.statement), step.values[0])
            records = statement.rows((yield Call(statement.text, list(map(statement.parameters, step.values)))))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Of one who writes. They wait for each other here, in order, and for other processes in the database."""
        with _unavailable(TimeoutError):
            async with asyncio.timeout(TURN_S):
                await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    async def finish(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Awaits work that goes on to its end though its caller is cancelled, as when a client hangs up.

        A write that is cancelled in a statement leaves its connection, and with it the lock, to the garbage collector.
        """
        return await asyncio.shield(self._started(work))

    async def together(
        self,
        work: "Callable[[Database, Sequence[Item]], Awaitable[Sequence[Result | Exception]]]",
        item: Item,
    ) -> Result:
        """The result of the item, from work that may be done for others at once: see `Together`."""
        if work not in self._together:
            self._together[work] = Together(partial(work, self), self._started)
        result: Result = await self._together[work](item)
        return result

    def _started(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """It goes on to its end, for which `close` waits."""
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled():
            task.exception()  # seen, though nobody may be left to raise it for

    async def close(self) -> None:
        if self._unfinished:
            await asyncio.wait(self._unfinished, timeout=LAST_WRITES_S)
        await super().close()
        await self.following.close()
        await self._writer.close()
        await self._writers.dispose()


def _driver(url: URL, dialect: Dialect, connect_args: Mapping[str, Any], connections: int) -> Driver:
    places, options = dialect.create_connect_args(url)
    if dialect.name == "postgresql":
        return PostgresDriver({**options, **connect_args}, connections)
    arguments: Any = {**options, **connect_args, "check_same_thread": False}
    del arguments["async_creator_fn"]

    def connect() -> BoundConnection:
        connection: BoundConnection = sqlite3.connect(places[0], **arguments)
        _prepare_sqlite(connection, None)
        return connection

    return SqliteDriver(connect, connections)


def _writer(url: URL, dialect: Dialect, connect_args: Mapping[str, Any]) -> PostgresDriver | SqliteWriter:
    places, options = dialect.create_connect_args(url)
    if dialect.name == "postgresql":
        return PostgresDriver({**options, **connect_args}, 1)

    arguments = {**options, **connect_args}
    del arguments["async_creator_fn"]

    async def connect() -> aiosqlite.Connection:
        connection = await connect_sqlite(places[0], **arguments)
        try:
            await connection._execute(_prepare_sqlite, connection._conn, None)  # type: ignore[no-untyped-call]
        except Exception:
            connection.stop()
            raise
        return connection

    return SqliteWriter(connect)


def _itself(statement: Result) -> Result:
    return statement


@asynccontextmanager
async def _available(opening: AbstractAsyncContextManager[AsyncConnection]) -> AsyncIterator[AsyncConnection]:
    """Raises DatabaseUnavailable where no connection can be had, for any reason, and where it is lost in use."""
    with _unavailable(TimeoutError, ConnectionError):  # asyncpg's own, which SQLAlchemy passes on
        async with AsyncExitStack() as stack:
            with _unavailable(DBAPIError, PoolTimeoutError, OSError):
                connection = await stack.enter_async_context(opening)
            yield connection


@contextmanager
def _unavailable(*kinds: type[Exception]) -> Iterator[None]:
    """Turns these errors, and those of the database that pass by themselves, into DatabaseUnavailable."""
    try:
        yield
    except Exception as error:
        if _is_overdue(error):
            raise OperationTimeout("The database took too long for this. Ask for less, or a smaller area.") from error
        if isinstance(error, kinds) or _is_passing(error):
            raise DatabaseUnavailable("The database cannot be reached at the moment. Try again.") from error
        raise


PASSING_SQLSTATES = ("08", "25P03", "40", "53", "55P03", "57")
"""Connection lost, idle in a transaction for too long, transaction to be repeated, out of resources, lock not to be
had, stopped by an operator."""

QUERY_CANCELED = "57014"
INTERRUPTED_IN_SQLITE = "SQLITE_INTERRUPT"

PASSING_IN_SQLITE = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN"}


def _cause(error: Exception) -> object:
    """Of a driver, where SQLAlchemy may be around it."""
    return error.orig if isinstance(error, DBAPIError) else error


def _is_overdue(error: Exception) -> bool:
    """By codes, as PostgreSQL's words are in the language of its operator.

    What an operator stops by pg_cancel_backend has the same code; it took too long for them.
    """
    cause = _cause(error)
    return (
        getattr(cause, "sqlstate", None) == QUERY_CANCELED
        or getattr(cause, "sqlite_errorname", None) == INTERRUPTED_IN_SQLITE
    )


def _is_passing(error: Exception) -> bool:
    cause = _cause(error)
    sqlstate = getattr(cause, "sqlstate", None) or ""
    return bool(
        (isinstance(error, DBAPIError) and error.connection_invalidated)
        or sqlstate.startswith(PASSING_SQLSTATES)
        or getattr(cause, "sqlite_errorname", None) in PASSING_IN_SQLITE
    )


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.create_function("geo_metres", 4, metres_between, deterministic=True)
    connection.create_function("in_area", 3, in_area, deterministic=True)
    # FULL: a dam that was acknowledged survives a power cut, and its number is not given again.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.isolation_level = None  # we say BEGIN ourselves, and only for writers


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _sqlite(**options: Any) -> dict[str, Any]:
    return {"connect_args": {"timeout": BUSY_TIMEOUT_S, "async_creator_fn": connect_sqlite, **options}}


def _sqlite_reading(statement_timeout_s: float) -> dict[str, Any]:
    factory = partial(BoundConnection, timeout_s=statement_timeout_s)
    return _sqlite(factory=factory)


def _postgresql(command_timeout_s: float, **settings: str) -> dict[str, Any]:
    """A database that gives no answer for `command_timeout_s` counts as away."""
    return {
        "pool_pre_ping": True,
        "pool_timeout": 10,
        "connect_args": {
            "timeout": 5,
            "command_timeout": command_timeout_s,
            # Just-in-time compilation costs more than it gives for statements of a few milliseconds.
            "server_settings": {"application_name": "dam-inventory", "jit": "off", **settings},
        },
    }


def _postgresql_reading(statement_timeout_s: float) -> dict[str, Any]:
    milliseconds = f"{statement_timeout_s * 1000:.0f}"
    return _postgresql(statement_timeout_s + UNANSWERED_S, statement_timeout=milliseconds)


READING = {"sqlite": _sqlite_reading, "postgresql": _postgresql_reading}
"""Options of an engine that reads for clients, by the longest that a statement may take."""

ENGINE_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": _sqlite(),
    "postgresql": _postgresql(PATIENCE_S, idle_in_transaction_session_timeout=f"{IDLE_IN_TRANSACTION_S * 1000:.0f}"),
}

CONNECTIONS = {"sqlite": 4, "postgresql": 10}
"""The driver's own, for pages and counts, which take a millisecond of one. SQLite's are threads, of which Python runs
one at a time; several, so that a long search does not hold up the others."""

FOLLOWER_POOL: dict[str, Any] = {"pool_size": 2, "max_overflow": 0}
"""For readiness, the place where the log ends, and users of the OpenID provider."""

FOLLOWER_CONNECTIONS = 3
"""The driver's own, for what is looked up for many at once: the counter row, the log for the hub, and tokens."""

WRITERS = {"sqlite": 1, "postgresql": 5}
"""At a time. SQLite's own retries gave a p99 of 3 s where waiting for one's turn gives 0.2 s; on PostgreSQL they wait
for one row anyway."""
