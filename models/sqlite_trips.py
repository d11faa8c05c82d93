"""aiosqlite, with one trip to its thread for each statement.

A connection of SQLite has a thread of its own, and SQLAlchemy goes there four times for a statement: for a cursor, to
execute, to fetch and to close. Each trip wakes two threads, which costs more than what most of our statements do.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import aiosqlite


class Cursor(aiosqlite.Cursor):
    """For one statement, whose rows are fetched as it is executed."""

    _rows: Sequence[sqlite3.Row] = ()

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "Cursor":
        try:
            await self._execute(self._execute_and_fetch, sql, parameters or ())  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            await self._conn.interrupt()  # no other statement is on this connection
            raise
        return self

    def _execute_and_fetch(self, sql: str, parameters: Any) -> None:
        self._cursor.execute(sql, parameters)
        if self._cursor.description:
            self._rows = self._cursor.fetchall()

    async def fetchall(self) -> Sequence[sqlite3.Row]:
        return await self.fetchmany(len(self._rows))

    async def fetchmany(self, size: int | None = None) -> Sequence[sqlite3.Row]:
        count = self.arraysize if size is None else size
        rows, self._rows = self._rows[:count], self._rows[count:]
        return rows

    async def fetchone(self) -> sqlite3.Row | None:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def close(self) -> None:
        """Nothing is left to close where all is fetched. To close it here could wait for a statement that goes on."""


class Connection(aiosqlite.Connection):
    def cursor(self) -> Any:
        return Cursor(self, self._conn.cursor())


def connect(path: str, **options: Any) -> Connection:
    """To be awaited, as SQLAlchemy does."""
    connector: Callable[[], sqlite3.Connection] = partial(sqlite3.connect, path, **options)
    connection = Connection(connector, iter_chunk_size=64)
    connection._thread.daemon = True
    return connection
