"""aiosqlite, with one trip to its thread for each statement.

A connection of SQLite has a thread of its own, and SQLAlchemy goes there four times for a statement: for a cursor, to
execute, to fetch and to close. Each trip wakes two threads, which costs more than what most of our statements do.
"""

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import aiosqlite


class Cursor(aiosqlite.Cursor):
    """For one statement, whose rows are fetched as it is executed."""

    _rows: Iterable[sqlite3.Row] = ()

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "Cursor":
        await self._execute(self._execute_and_fetch, sql, parameters or ())  # type: ignore[no-untyped-call]
        return self

    def _execute_and_fetch(self, sql: str, parameters: Any) -> None:
        self._cursor.execute(sql, parameters)
        if self._cursor.description:
            self._rows = self._cursor.fetchall()

    async def fetchall(self) -> Iterable[sqlite3.Row]:
        return self._rows

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
