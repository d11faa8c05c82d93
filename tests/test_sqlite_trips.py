"""SQLite by way of SQLAlchemy, whose statements take one trip to the connection's thread each."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from models.sqlite_trips import connect


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'test'}", connect_args={"async_creator_fn": connect})
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE dams (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        dams = [{"name": f"Dam {number}"} for number in range(1, 251)]
        await connection.execute(text("INSERT INTO dams (name) VALUES (:name)"), dams)
    yield engine
    await engine.dispose()


async def count(connection: AsyncConnection) -> Any:
    return await connection.scalar(text("SELECT count(*) FROM dams"))


async def test_a_statement_takes_one_trip(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[object] = []
    execute = aiosqlite.Connection._execute

    async def noted(self: aiosqlite.Connection, function: Any, *args: Any, **options: Any) -> Any:
        trips.append(function)
        return await execute(self, function, *args, **options)  # type: ignore[no-untyped-call]

    async with engine.connect() as connection:
        await count(connection)
        monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
        assert (await connection.execute(text("SELECT id FROM dams"))).scalars().all() == list(range(1, 251))
        assert len(trips) == 1


async def test_rows_come_whole_one_by_one_and_in_parts(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        result = await connection.execute(text("SELECT id FROM dams ORDER BY id"))
        assert (result.fetchone(), result.fetchmany(2), len(result.fetchall())) == ((1,), [(2,), (3,)], 247)
        streamed = await connection.stream(text("SELECT id FROM dams ORDER BY id"))
        assert [row.id async for row in streamed] == list(range(1, 251))


async def test_what_a_statement_changed_is_told(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert (await connection.execute(text("DELETE FROM dams WHERE id <= 7"))).rowcount == 7
        added = await connection.execute(text("INSERT INTO dams (name) VALUES ('Echo') RETURNING id"))
        assert added.scalar_one() == 251
    async with engine.connect() as connection:
        assert await count(connection) == 244


async def test_a_statement_that_fails_leaves_the_connection_as_it_was(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO dams (name) VALUES ('Dam 1')"))
        assert await count(connection) == 250
