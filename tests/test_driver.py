"""Statements that go straight to the driver: what they give, whom they hold up, and what they do when something is
wrong."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Select, bindparam, func, literal_column, select, text, update

from auth.authentication import authenticate
from auth.viewer import Viewer
from models import Dam, Inventory, driver
from models.dam import DAM_COLUMNS
from models.database import CONNECTIONS, Database
from models.driver import PostgresDriver
from models.errors import DatabaseUnavailable
from models.statement import Script, Step
from models.vocabulary import Hazard, OwnerType, Purpose
from resolvers.inventory import read_inventory
from tests.conftest import ADMIN_TOKEN, Place, until
from tests.services import Postgres, running
from tests.shared import dam_values, fill

on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

ONE = ("one", lambda: select(literal_column("1")), {})
SLEEP = ("sleep", lambda: select(func.pg_sleep(30)), {})
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
LONG = {"postgresql": SLEEP, "sqlite": ("endless", lambda: select(literal_column(f"({ENDLESS})")), {})}
TIMEOUT_S = 20
"""Less than any of these takes."""


def every_type(count: int) -> list[dict[str, Any]]:
    """Dams that are known in all respects, and every third one in none."""
    return [
        dam_values(id=number)
        if number % 3 == 0
        else dam_values(
            id=number,
            name=f"Dam {number}",
            other_names=("Old Dam", f"Ø {number}"),
            purposes=tuple(Purpose)[: number % 4],
            owner_types=tuple(OwnerType)[:1],
            hazard=tuple(Hazard)[number % 3],
            built_first_day=date(1941, 1, 1),
            built_last_day=date(1941, 12, number % 31 + 1),
            height_ft=float(number),
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
async def other_cluster() -> AsyncIterator[Postgres]:
    """To be stopped and started."""
    with running(Postgres()) as server:
        yield server


async def test_rows_are_what_sqlalchemy_makes_of_them(database: Database) -> None:
    await fill(database, every_type(50))

    def dams() -> Select[Any]:
        return select(*DAM_COLUMNS).where(Dam.id > bindparam("after")).order_by(Dam.id)

    async with database.read() as connection:
        expected = (await connection.execute(dams(), {"after": 3})).all()
    found = await database.fetch("dams", dams, {"after": 3})
    assert list(map(tuple, found)) == list(map(tuple, expected))
    assert [type(value) for row in found for value in row] == [type(value) for row in expected for value in row]


async def test_parameters_are_sent_as_their_columns_keep_them(database: Database) -> None:
    await fill(database, every_type(50))
    for column in (Dam.purposes, Dam.hazard, Dam.built_first_day, Dam.name_key, Dam.height_ft):
        name = f"by_{column.key}"

        def counted(column: Any = column) -> Select[Any]:
            return select(func.count()).where(column == bindparam("value", type_=column.type))

        async with database.read() as connection:
            values = list(await connection.scalars(select(column).where(column.is_not(None)).distinct()))
            expected = [await connection.scalar(counted(), {"value": value}) for value in values]
        assert [(await database.fetch(name, counted, {"value": value}))[0][0] for value in values] == expected
        assert min(expected) > 0


async def test_what_is_committed_is_seen_at_once(database: Database) -> None:
    def count() -> Select[Any]:
        return select(func.count()).select_from(Dam)

    assert [tuple(row) for row in await database.fetch("count", count, {})] == [(0,)]
    await fill(database, every_type(7))
    assert [tuple(row) for row in await database.fetch("count", count, {})] == [(7,)]


async def test_a_mistake_of_ours_is_not_taken_for_a_lost_database(database: Database) -> None:
    def wrong() -> Select[Any]:
        return select(literal_column("nonsense"))

    with pytest.raises((asyncpg.UndefinedColumnError, sqlite3.OperationalError)):
        await database.fetch("wrong", wrong, {})
    assert len(await database.fetch(*ONE)) == 1


async def test_many_at_once_wait_for_each_other(database: Database) -> None:
    found = await asyncio.gather(*(database.fetch(*ONE) for _ in range(100)))
    assert [len(rows) for rows in found] == [1] * 100


async def test_long_searches_hold_up_neither_the_counter_row_nor_tokens(place: Place, admin: Viewer) -> None:
    database = Database(place.url, statement_timeout_s=60)
    connections = CONNECTIONS[place.engine]
    searches = [asyncio.create_task(database.fetch(*LONG[place.engine])) for _ in range(connections)]
    async with AsyncExitStack() as stack:
        pool: Any = database._engine.pool
        for _ in range(pool.size() + pool._max_overflow):
            await stack.enter_async_context(database.read())
        for _ in range(3):
            assert (await asyncio.wait_for(read_inventory(database), TIMEOUT_S)).last_sequence == 0
            assert (await asyncio.wait_for(authenticate(database, ADMIN_TOKEN), TIMEOUT_S)).name == "admin"
        assert not any(search.done() for search in searches)
    for search in searches:
        search.cancel()
    await asyncio.gather(*searches, return_exceptions=True)
    await database.close()


@on_sqlite
async def test_sqlite_stops_a_statement_whose_caller_is_gone(place: Place) -> None:
    database = Database(place.url, statement_timeout_s=60)
    for _ in range(2 * CONNECTIONS["sqlite"]):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await database.fetch(*LONG["sqlite"])
    assert len(await asyncio.wait_for(database.fetch(*ONE), TIMEOUT_S)) == 1
    async with database.read() as connection:
        thread = (await connection.get_raw_connection()).driver_connection._thread  # type: ignore[union-attr]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await connection.execute(text(ENDLESS))
    await until(lambda: not thread.is_alive(), TIMEOUT_S)
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await asyncio.wait_for(database.close(), TIMEOUT_S)


@on_postgresql
async def test_a_request_that_is_given_up_leaves_no_connection_in_the_middle_of_an_answer(database: Database) -> None:
    assert isinstance(database._driver, PostgresDriver)
    await database.fetch(*ONE)
    for _ in range(CONNECTIONS["postgresql"] + 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await database._driver.fetch("SELECT pg_sleep(30)", [])
    assert len(await database.fetch(*ONE)) == 1
    assert len(database._driver._idle) == 1
    await until(lambda: nothing_runs(database))


async def nothing_runs(database: Database) -> bool:
    """Whether the server has stopped what nobody waits for."""
    async with database.read() as connection:
        running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(3_)'"
        return not await connection.scalar(text(running))


@on_postgresql
async def test_who_waits_too_long_for_a_connection_is_told_to_try_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PATIENCE_S", 0.05)
    busy = [asyncio.create_task(database.fetch(*SLEEP)) for _ in range(CONNECTIONS["postgresql"])]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable):
        await database.fetch(*ONE)
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    assert len(await database.fetch(*ONE)) == 1


async def test_a_server_that_comes_again_is_found_again(other_cluster: Postgres) -> None:
    other_cluster.create_database("dams")
    database = Database(other_cluster.url("dams"))
    try:
        await asyncio.gather(*(database.fetch(*ONE) for _ in range(3)))
        await asyncio.to_thread(other_cluster.restart)
        assert len(await database.fetch(*ONE)) == 1
        await asyncio.to_thread(other_cluster.kill)
        with pytest.raises(DatabaseUnavailable):
            await database.fetch(*ONE)
        await asyncio.to_thread(other_cluster.start)
        assert len(await database.fetch(*ONE)) == 1
    finally:
        await database.close()


async def test_a_file_that_cannot_be_opened_is_a_lost_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'dams.sqlite3'}")
    with pytest.raises(DatabaseUnavailable):
        await database.fetch(*ONE)
    await database.close()


FAREWELL = b"SFATAL\x00VFATAL\x00C57P01\x00Mterminating connection due to administrator command\x00\x00"


@on_postgresql
async def test_a_connection_whose_farewell_alone_was_read_is_passed_over(database: Database) -> None:
    """The end of the connection comes a moment later, and a request may come between the two."""
    assert isinstance(database._driver, PostgresDriver)
    await database.fetch(*ONE)
    (connection,) = database._driver._idle
    connection._protocol.data_received(b"E" + (len(FAREWELL) + 4).to_bytes(4, "big") + FAREWELL)
    with pytest.raises(asyncpg.InternalClientError):
        await connection.fetch("SELECT 1")
    assert len(await database.fetch(*ONE)) == 1
    assert connection not in database._driver._idle


TAKE_NUMBER = update(Inventory).values(last_sequence=Inventory.last_sequence + 1)
LAST = select(Inventory.last_sequence)


def numbers(taken: int, error: type[Exception] | None = None) -> Script[int]:
    """The last number after so many."""
    yield Step(TAKE_NUMBER, [{}] * taken)
    ((last,),) = yield Step(LAST)
    if error is not None:
        raise error
    return int(last)


async def test_a_script_is_given_rows_and_is_one_transaction(database: Database) -> None:
    assert await database.transact(numbers(3)) == 3
    with pytest.raises(KeyError):
        await database.transact(numbers(2, KeyError))
    assert await database.transact(numbers(1)) == 4


async def test_a_script_with_a_mistake_of_ours_undoes_what_came_before(database: Database) -> None:
    def wrong() -> Script[None]:
        yield Step(TAKE_NUMBER)
        yield Step(select(literal_column("nonsense")))

    with pytest.raises((asyncpg.UndefinedColumnError, sqlite3.OperationalError)):
        await database.transact(wrong())
    assert await database.transact(numbers(1)) == 1


async def test_scripts_wait_for_other_writers_and_hold_none_up_when_they_are_given_up(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(TAKE_NUMBER)
        scripts = [asyncio.create_task(database.transact(numbers(1))) for _ in range(3)]
        await asyncio.sleep(0)
        scripts[0].cancel()
    assert sorted(await asyncio.gather(*scripts[1:])) == [2, 3]
    await asyncio.gather(scripts[0], return_exceptions=True)
    assert await database.transact(numbers(1)) == 4


async def backends(database: Database, what: str, condition: str) -> int:
    """Of our transactions: how many there are for which `what` holds where the condition does."""
    async with database.read() as connection:
        query = f"SELECT count(*) FILTER (WHERE {what}) FROM pg_stat_activity WHERE datname = current_database()"
        return int(await connection.scalar(text(f"{query} AND {condition}")) or 0)


WAITING = "wait_event_type = 'Lock'"


@on_postgresql
async def test_a_connection_that_is_ended_takes_its_transaction_along_and_no_other(database: Database) -> None:
    assert isinstance(database._writer, PostgresDriver)
    assert await database.transact(numbers(1)) == 1
    (idle,) = database._writer._idle
    terminated = "pg_terminate_backend(pid)"
    assert await backends(database, terminated, f"pid = {idle.get_server_pid()}") == 1
    await until(lambda: idle.is_closed())
    assert await database.transact(numbers(1)) == 2
    async with database.write() as connection:
        await connection.execute(TAKE_NUMBER)
        script = asyncio.create_task(database.transact(numbers(1)))
        await until(lambda: backends(database, "true", WAITING))
        assert await backends(database, terminated, WAITING) == 1
        with pytest.raises(DatabaseUnavailable):
            await script
    assert await database.transact(numbers(1)) == 4


async def test_a_database_that_is_not_there_is_a_lost_one_for_scripts_too(
    other_cluster: Postgres, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("This is no database. " * 100)
    for url in (other_cluster.url("nowhere"), f"sqlite:///{tmp_path / 'text'}"):
        database = Database(url)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await database.transact(numbers(1))
        await database.close()


@on_sqlite
async def test_a_database_is_closed_though_a_script_waits_for_another_process(place: Place) -> None:
    database = Database(place.url)
    assert await database.transact(numbers(1)) == 1
    with closing(sqlite3.connect(place.url.removeprefix("sqlite:///"), isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        script = asyncio.create_task(database.transact(numbers(1)))
        await asyncio.sleep(0)
        async with asyncio.timeout(TIMEOUT_S / 2):
            await database.close()
        script.cancel()
        another.execute("COMMIT")
    await asyncio.gather(script, return_exceptions=True)
