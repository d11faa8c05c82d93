"""Both engines: what goes away by itself is DatabaseUnavailable, nothing else is, and nothing is half-written."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError

from auth.viewer import Viewer
from models import Event, EventKind, Inventory
from models.database import ENGINE_OPTIONS, WRITERS, Database
from models.errors import DatabaseUnavailable, OperationTimeout
from pubsub.log import last_sequence, read_log
from resolvers.inventory import read_inventory
from tests.conftest import Place, Serve, until
from tests.services import Postgres
from tests.streaming import ADD, TIMEOUT_S, add, dam_input

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


async def execute(database: Database, statement: str) -> None:
    async with database.write() as connection:
        await connection.execute(text(statement))


def connections_in_use(database: Database) -> int:
    engines = (database._engine, database._writers)
    return sum(engine.pool.checkedout() for engine in engines)  # type: ignore[attr-defined]


@asynccontextmanager
async def half_done(database: Database) -> AsyncIterator[None]:
    """Inside a transaction that has taken a number."""
    async with database.write() as connection:
        await connection.execute(update(Inventory).values(last_sequence=Inventory.last_sequence + 1))
        yield


async def test_an_exception_undoes_the_transaction_and_passes(database: Database, admin: Viewer) -> None:
    for error in (FileNotFoundError("an import file"), ValueError("anything")):
        with pytest.raises(type(error), match=str(error)):
            async with half_done(database):
                raise error
    assert await last_sequence(database) == 0
    assert await add(database, admin) == 1


async def test_a_mistake_of_ours_is_not_taken_for_a_lost_database(database: Database) -> None:
    for statement in ("SELECT * FROM nowhere", "SELEC 1", "INSERT INTO inventory (id) VALUES (2)"):
        with pytest.raises(DBAPIError):
            await execute(database, statement)
    assert connections_in_use(database) == 0


async def test_a_write_that_is_cancelled_leaves_nothing_behind(database: Database, admin: Viewer) -> None:
    async def stay() -> None:
        async with half_done(database):
            begun.set()
            await asyncio.sleep(3_600)

    for _ in range(3):
        begun = asyncio.Event()
        writer = asyncio.create_task(stay())
        await begun.wait()
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writer
    assert connections_in_use(database) == 0
    assert await last_sequence(database) == 0
    assert await add(database, admin) == 1


async def test_a_write_that_fails_late_leaves_nothing_behind(database: Database, admin: Viewer) -> None:
    """The event cannot be written, so the dam is not there either, and its number is given to the next one."""
    blocking = {"sequence": 1, "kind": EventKind.DAM_REMOVED, "dam_id": 1, "actor": "test"}
    async with database.write() as connection:
        await connection.execute(insert(Event), blocking | {"at": datetime.now(UTC)})
    with pytest.raises((asyncpg.UniqueViolationError, sqlite3.IntegrityError)):
        await add(database, admin)
    assert await last_sequence(database) == 0
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM dams")) == 0


@on_sqlite
async def test_a_file_locked_by_another_process_is_told_and_nothing_is_half_written(
    place: Place, serve: Serve, admin: Viewer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINE_OPTIONS["sqlite"]["connect_args"], "timeout", 0.1)
    async with serve() as server:
        with closing(sqlite3.connect(place.url.removeprefix("sqlite:///"), isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            refused = await asyncio.gather(*(server.post(ADD, input=dam_input("Deer Creek")) for _ in range(5)))
            for answer in refused:
                assert answer["errors"][0]["extensions"] == {"code": "DATABASE_UNAVAILABLE"}
            assert await server.query("{ inventory { damCount } }") == {"inventory": {"damCount": 0}}
            another.execute("COMMIT")
        await server.query(ADD, input=dam_input("Jordanelle"))
    assert [event.sequence for event in await read_log(database, 0)] == [1]


async def test_writers_do_not_queue_for_ever(
    engine: str, place: Place, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WRITERS, engine, 1)
    monkeypatch.setattr("models.database.TURN_S", 0.05)
    database = Database(place.url)
    async with asyncio.timeout(TIMEOUT_S), half_done(database):
        waiting = await asyncio.gather(*(add(database, admin) for _ in range(20)), return_exceptions=True)
    assert {type(error) for error in waiting} == {DatabaseUnavailable}
    assert await add(database, admin) == 2
    await database.close()


async def test_waiting_writers_hold_no_reader_up(database: Database) -> None:
    async def write() -> None:
        async with half_done(database):
            pass

    async with half_done(database):
        writers = [asyncio.create_task(write()) for _ in range(30)]
        await until(lambda: connections_in_use(database) == database._writers.pool.size())  # type: ignore[attr-defined]
        async with asyncio.timeout(TIMEOUT_S):
            assert [await last_sequence(database) for _ in range(20)] == [0] * 20
    await asyncio.gather(*writers)
    assert await last_sequence(database) == 31


async def test_a_client_that_hangs_up_during_an_add_holds_nobody_up(
    place: Place, engine: str, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled after each number of turns of the loop, so at each of its statements."""
    monkeypatch.setitem(WRITERS, engine, 1)
    monkeypatch.setattr("models.database.TURN_S", 2)
    database = Database(place.url)
    for turns in range(1, 60):
        adding = asyncio.create_task(database.finish(add(database, admin)))
        for _ in range(turns):
            await asyncio.sleep(0)
        adding.cancel()
        with suppress(asyncio.CancelledError):
            await adding
        await add(database, admin)
    await database.close()
    reopened = Database(place.url)
    state = await read_inventory(reopened)
    events = await read_log(reopened, 0)
    await reopened.close()
    assert state.dam_count == state.last_sequence == len(events) >= 59
    assert all(event.dam for event in events)


@on_sqlite
async def test_a_file_that_cannot_be_opened_is_unavailable(engine: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is no database. " * 100)
    for path in (tmp_path / "nowhere" / "dams.sqlite3", tmp_path / "text"):
        database = Database(f"sqlite:///{path}")
        with pytest.raises(DatabaseUnavailable):
            await last_sequence(database)
        await database.close()


@on_postgresql
async def test_sslmode_is_understood(place: Place) -> None:
    for mode, fails in (("disable", False), ("require", True)):  # the server of the tests has no certificate
        database = Database(f"{place.url}?sslmode={mode}")
        with pytest.raises(DatabaseUnavailable) if fails else nullcontext():
            assert await last_sequence(database) == 0
        await database.close()


@on_postgresql
async def test_a_statement_that_takes_too_long_is_stopped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINE_OPTIONS["postgresql"]["connect_args"], "command_timeout", 0.1)
    database = Database(place.url)
    with pytest.raises(DatabaseUnavailable):
        await execute(database, "SELECT pg_sleep(60)")
    assert await last_sequence(database) == 0
    assert connections_in_use(database) == 0
    await database.close()


@on_postgresql
async def test_a_connection_that_is_ended_by_the_server_is_unavailable_once(database: Database) -> None:
    for function, error in (("terminate", DatabaseUnavailable), ("cancel", OperationTimeout)):
        with pytest.raises(error):
            await execute(database, f"SELECT pg_{function}_backend(pg_backend_pid())")
        assert await last_sequence(database) == 0
    assert connections_in_use(database) == 0


@on_postgresql
async def test_a_database_that_lets_nobody_in_is_unavailable(engine: str, postgres: Postgres) -> None:
    for url in (postgres.url("nowhere"), postgres.url("postgres").replace(postgres.password, "wrong")):
        database = Database(url)
        with pytest.raises(DatabaseUnavailable):
            await last_sequence(database)
        await database.close()


@on_postgresql
async def test_a_lock_that_is_not_to_be_had_is_unavailable(database: Database, admin: Viewer) -> None:
    async with half_done(database):
        with pytest.raises(DatabaseUnavailable):
            await execute(database, "SELECT 1 FROM inventory FOR UPDATE NOWAIT")
    assert await add(database, admin) == 2
