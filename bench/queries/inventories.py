"""The national inventory on both engines, to be read and to be copied."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from tests.services import Postgres

DAMS = Path(sys.executable).parent / "dams"
TOKEN = "dams_token_of_the_benchmark"
FOR_PEERS = Path(__file__).parent / "peers" / "inventory.sql"
CAP = 1_000_000_000
"""Never reached, but kept by every server."""

NATIONAL = "national"


class DurablePostgres(Postgres):
    """Writes out what it commits, as in production."""

    settings = ("fsync=on", "max_connections=200", "listen_addresses=127.0.0.1")


class Inventories:
    """`url` for asyncpg and our own; Node's pg knows no driver in it."""

    def __init__(self, postgres: Postgres, *, engines: set[str]) -> None:
        self._postgres = postgres
        self._file = postgres.folder / f"{NATIONAL}.sqlite3"
        if "postgresql" in engines:
            postgres.create_database(NATIONAL)
            self._load(self.url("postgresql"))
            execute(self.url("postgresql"), FOR_PEERS.read_text())
            execute(self.url("postgresql"), "VACUUM ANALYZE")
        if "sqlite" in engines:
            self._load(self.url("sqlite"))

    def url(self, engine: str, name: str = NATIONAL) -> str:
        return f"sqlite:///{self._file.with_stem(name)}" if engine == "sqlite" else self._postgres.url(name)

    def copy(self, engine: str, name: str) -> str:
        """Nobody may be connected to the national one."""
        if engine == "sqlite":
            shutil.copy(self._file, self._file.with_stem(name))
        else:
            self._postgres.create_database(name, NATIONAL)
        return self.url(engine, name)

    @staticmethod
    def _load(url: str) -> None:
        for arguments in (["init"], ["settings", "set", "max_dams", str(CAP)]):
            environment = os.environ | {"DAMS_DATABASE_URL": url, "DAMS_ADMIN_TOKEN": TOKEN}
            subprocess.run([DAMS, *arguments], env=environment, check=True, capture_output=True)


def execute(url: str, statements: str) -> None:
    _run(url, lambda connection: connection.execute(statements))


def fetch(url: str, query: str) -> list[Any]:
    found: list[Any] = _run(url, lambda connection: connection.fetch(query))
    return found


def _run(url: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def connected() -> Any:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(connected())
