"""What faults happen to, besides PostgreSQL and Redis: servers, processes of clients, tokens; and the importer."""

import asyncio
import csv
import http.client
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

from redis import Redis as RedisClient
from sqlalchemy import select, update

from auth.tokens import create_token, revoke_token
from models import ApiToken, User
from models.database import Database
from models.errors import DatabaseUnavailable
from tests.services import START_TIMEOUT_S, STOP_TIMEOUT_S, Redis, Service
from tests.soak.dams import random_dam

ROOT = Path(__file__).parents[2]
DAMS = Path(sys.executable).with_name("dams")
AGAIN_S = 0.5

TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n)*.*")
FAILED_START = re.compile(r"ERROR:    Traceback.*?DatabaseUnavailable.*?Application startup failed", re.DOTALL)
CUT_SHORT = "Task cancelled, timeout graceful shutdown exceeded"
"""What uvicorn says of a request that outlasts the end of its server, as one does that waits for the database."""

Result = TypeVar("Result")


def with_environment(variables: Mapping[str, str], *command: str | Path) -> list[str]:
    return ["env", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)]


class Server(Service):
    """`dams serve`, kept up as a supervisor does."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self._settings = settings | {"DAMS_PORT": str(self.port)}

    def command(self) -> list[str]:
        return with_environment(self._settings, DAMS, "serve")

    def is_ready(self) -> bool:
        """It may be that Redis is away."""
        try:
            return self._get("/livez")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def start(self) -> None:
        """Again and again while the database is away, without which a server does not start."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                super().start()
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def end(self) -> None:
        """Raises RuntimeError where it does not end by itself."""
        self.stop()
        if self._process is not None and self._process.returncode == -signal.SIGKILL:
            raise RuntimeError(f"A server did not end within {STOP_TIMEOUT_S:g} s of a SIGTERM.")

    def tracebacks(self) -> list[str]:
        """In its log, but for starts that failed for want of the database and requests that were cut short."""
        log = FAILED_START.sub("", (self.folder / "log").read_text())
        return [found for found in TRACEBACK.findall(log) if CUT_SHORT not in found]

    def ended_without_database(self) -> bool:
        return "failed to start, stopping the parent process" in (self.folder / "log").read_text()[-1000:]

    def serving(self) -> list[int]:
        """Processes that answer: the workers where there are several."""
        server, *children = self.processes()
        return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()] or [server]

    def metrics(self) -> dict[str, float]:
        """The sum over its processes. While the others are frozen only one of them can answer."""
        total: dict[str, float] = {}
        for pid in self.serving():
            others = [other for other in self.serving() if other != pid]
            self._signal(others, signal.SIGSTOP)
            try:
                lines = self._get("/metrics")[1].splitlines()
            finally:
                self._signal(others, signal.SIGCONT)
            for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#"):
                total[name] = total.get(name, 0.0) + float(value)
        return total

    def memory_mb(self) -> float:
        """Resident, of all processes that answer."""
        texts = [Path(f"/proc/{pid}/statm").read_text() for pid in self.serving()]
        return sum(int(text.split()[1]) for text in texts) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _get(self, path: str) -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()


def cut_subscribers(redis: Redis) -> None:
    with RedisClient.from_url(redis.url, socket_timeout=5) as client:
        client.client_kill_filter(_type="pubsub")


def insisting(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """For a thread without a loop: again and again while the database is away."""

    async def attempt() -> Result:
        database = Database(url)
        try:
            return await work(database)
        finally:
            await database.close()

    while True:
        try:
            return asyncio.run(attempt())
        except DatabaseUnavailable:
            time.sleep(AGAIN_S)


class TokenHolder:
    """A user whose clients find their token in a file. It has a fresh one before the last one ends."""

    def __init__(self, url: str, user: str, folder: Path) -> None:
        self._url = url
        self._user = user
        self._file = folder / user
        self._numbers = itertools.count()
        self._name = ""

    def renew(self) -> str:
        """The name of the token before."""
        names: list[str] = []

        async def create(database: Database) -> str:
            names.append(f"soak {next(self._numbers)}")  # another one each time, for a lost connection tells nothing
            return await create_token(database, user=self._user, name=names[-1])

        fresh = self._file.with_suffix(".new")
        fresh.write_text(insisting(self._url, create))
        fresh.rename(self._file)
        before, self._name = self._name, names[-1]
        return before

    def revoke(self) -> None:
        before = self.renew()
        insisting(self._url, lambda database: revoke_token(database, user=self._user, name=before))

    def expire(self) -> None:
        before = self.renew()
        user_id = select(User.id).where(User.name == self._user).scalar_subquery()
        token = update(ApiToken).where(ApiToken.user_id == user_id, ApiToken.name == before)

        async def end(database: Database) -> None:
            async with database.write() as connection:
                await connection.execute(token.values(expires_at=datetime.now(UTC)))

        insisting(self._url, end)


class Importer:
    """`dams import` of files that are made for it."""

    ROWS = 2_500
    """More than a server keeps in memory."""

    def __init__(self, random: Random, folder: Path, settings: Mapping[str, str]) -> None:
        self._random = random
        self._folder = folder
        self._settings = settings
        self._numbers = itertools.count(1)

    def add(self) -> None:
        """Again and again while the database is away: what was imported already is passed over."""
        file = self._folder / f"import-{next(self._numbers)}.csv"
        dams = [random_dam(self._random, f"{file.stem} row {row}") for row in range(self.ROWS)]
        with file.open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(["external_id", "name", "owner", "river", "latitude", "longitude"])
            writer.writerows([dam.name, dam.name, dam.owner, dam.river, dam.latitude, dam.longitude] for dam in dams)
        command = with_environment(self._settings, DAMS, "import", file)
        deadline = time.monotonic() + START_TIMEOUT_S
        while (done := subprocess.run(command, capture_output=True, text=True)).returncode != 0:
            if time.monotonic() > deadline:  # as where the run has failed, and nothing is there any more
                raise RuntimeError(f"dams import failed: {done.stdout}{done.stderr}")
            time.sleep(AGAIN_S)


class Clients(Service):
    """A process of subscribers. Their journals are in its folder, so they live on when it is killed."""

    def __init__(self, importer: Importer) -> None:
        super().__init__()
        self._importer = importer

    def command(self) -> list[str]:
        return with_environment({"PYTHONPATH": str(ROOT)}, sys.executable, "-m", "tests.soak.client", self.folder)

    def is_ready(self) -> bool:
        return self.is_running

    def oversleep(self) -> None:
        """Freezes it until more has come than buffers take and than may wait for a subscriber."""
        self.freeze()
        self._importer.add()
