"""Private PostgreSQL and Redis servers for the tests, and the programs that the tests take from the machine.

Imports nothing outside the standard library: `make test` runs this file before it installs what is missing.
"""

import itertools
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

START_TIMEOUT_S = 60.0
"""A start takes a second; crash recovery on a loaded machine takes several."""

STOP_TIMEOUT_S = 10.0
"""A server that does not end by itself within this time is killed."""

POLL_S = 0.01

FIXED_PORTS = range(15_000, 32_000)
"""Below Linux's ephemeral ports, so that no outgoing connection takes one while its server is down."""

# The parent death signal comes when the thread ends that started a server, so one thread that stays starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="service-starter")


@cache
def find_postgres() -> Path | None:
    """The folder of the newest PostgreSQL programs that have PostGIS."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = [Path(program).resolve().parent for program in [shutil.which("postgres")] if program]
    return next((folder for folder in [*debian, *on_path] if _has_postgis(folder)), None)


def _has_postgis(folder: Path) -> bool:
    if not (folder / "postgres").exists() or not (folder / "pg_config").exists():
        return False
    sharedir = subprocess.check_output([folder / "pg_config", "--sharedir"], text=True).strip()
    return (Path(sharedir) / "extension" / "postgis.control").exists()


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def missing_packages() -> list[str]:
    """What the tests need and the machine lacks, by Debian's names."""
    programs = {
        "postgresql-postgis": find_postgres(),
        "redis-server": shutil.which("redis-server"),
        "chromium": find_chromium(),
    }
    return [package for package, program in programs.items() if program is None]


def _require(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode != 0:
        raise RuntimeError(f"{done.args[0]} ended with {done.returncode}: {done.stderr.strip()}")


def free_port() -> int:
    for port in random.sample(FIXED_PORTS, k=100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("None of 100 ports tried on 127.0.0.1 is free.")


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def process_table() -> dict[int, int]:
    """Parent by process id, of all processes that still run (zombies do not)."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # "pid (name) state parent ...", and a name may hold blanks and brackets.
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            parents[int(folder.name)] = int(parent)
    return parents


class Service(ABC):
    """A server of our own on 127.0.0.1, in a temporary folder. It ends when we end, however we end.

    It keeps its port and its folder over `stop`, `kill`, `start` and `restart`; `close` is for good. Every method
    returns when its work is done and may be called from any thread.
    """

    stop_signal = signal.SIGTERM
    death_signal = "KILL"

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"dams-{type(self).__name__.lower()}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []
        self.identity: list[str] = []
        """setpriv's options for the user to run as; ours when empty."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool:
        """Asked over a socket in the folder, because any server could answer on the port."""

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            # Its own session, because Ctrl-C in the terminal is for pytest, which then stops the services in order.
            self._process = _starter.submit(
                subprocess.Popen[bytes],
                self._guarded(self.command()),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ).result()
        wait_until(lambda: not self.is_running or self.is_ready(), START_TIMEOUT_S)
        if not self.is_running or not self.is_ready():
            log_text = (self.folder / "log").read_text(errors="replace")
            self.kill()
            raise RuntimeError(f"{type(self).__name__} did not start on port {self.port}:\n{log_text[-4000:]}")

    def stop(self) -> None:
        """An orderly end: what was committed stays. Nothing happens when it does not run."""
        self.resume()
        if self._process is not None and self.is_running:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL to all its processes, as a crash would end them."""
        self.freeze()
        processes, self._frozen = self._frozen, []
        self._signal(processes, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        if not wait_until(lambda: not process_table().keys() & set(processes), STOP_TIMEOUT_S):
            raise RuntimeError(f"{type(self).__name__} outlived a SIGKILL.")

    def freeze(self) -> None:
        """Connections stay open, the port takes new ones, and nothing is answered."""
        # The parent first, so that it makes no further children while these are listed.
        self._signal(self.processes()[:1], signal.SIGSTOP)
        self._frozen = self.processes()
        self._signal(self._frozen, signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(reversed(self._frozen), signal.SIGCONT)
        self._frozen = []

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _guarded(self, command: list[str]) -> list[str]:
        return ["setpriv", f"--pdeathsig={self.death_signal}", *self.identity, "--", *command]

    def processes(self) -> list[int]:
        """The server and its children, the server first."""
        if self._process is None or not self.is_running:
            return []
        server = self._process.pid
        return [server, *(pid for pid, parent in process_table().items() if parent == server)]

    @staticmethod
    def _signal(processes: Iterable[int], number: signal.Signals) -> None:
        for pid in processes:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


class Postgres(Service):
    """A cluster with PostGIS and the superuser `postgres`, made at the first start.

    `fsync` guards against a crash of the machine only: what a killed server wrote is in the kernel's page cache.
    `synchronous_commit` stays on, because without it a killed server forgets commits that it has acknowledged.
    """

    stop_signal = signal.SIGINT  # "fast": sessions are ended, the data is written out
    death_signal = "QUIT"  # "immediate": the children end too
    settings = ("fsync=off", "max_connections=200", "listen_addresses=127.0.0.1")

    def __init__(self) -> None:
        super().__init__()
        self.password = secrets.token_hex()
        self.data = self.folder / "data"
        if os.getuid() == 0:  # as whom PostgreSQL refuses to run
            account = pwd.getpwnam("postgres")
            self.identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
            os.chown(self.folder, account.pw_uid, account.pw_gid)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """A template must have no connections."""
        _require(self._client("createdb", name, *([f"--template={template}"] if template else [])))

    def drop_database(self, name: str) -> None:
        """Ends the connections that it still has."""
        _require(self._client("dropdb", "--force", "--if-exists", name))

    def start(self) -> None:
        if not self.data.exists():
            self._make_cluster()
        super().start()

    def command(self) -> list[str]:
        settings = (*self.settings, f"port={self.port}", f"unix_socket_directories={self.folder}")
        return [self._program("postgres"), "-D", str(self.data), *(f"--{setting}" for setting in settings)]

    def is_ready(self) -> bool:
        return self._client("pg_isready").returncode == 0

    def _make_cluster(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        initdb = [self._program("initdb"), "-D", str(self.data), "--no-sync", "--no-instructions"]
        # A locale that every machine has, for the same order of texts on each.
        initdb += ["--encoding=UTF8", "--locale=C.UTF-8"]
        # A password, because the superuser of a cluster may run programs as its owner, and others may use this machine.
        initdb += ["--username=postgres", "--auth=password", f"--pwfile={password_file}"]
        _require(subprocess.run(self._guarded(initdb), cwd=self.folder, capture_output=True, text=True))

    def _client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment |= {"PGHOST": str(self.folder), "PGPORT": str(self.port)}
        environment |= {"PGUSER": "postgres", "PGPASSWORD": self.password}
        return subprocess.run([self._program(program), *arguments], env=environment, capture_output=True, text=True)

    @staticmethod
    def _program(name: str) -> str:
        folder = find_postgres()
        if folder is None:
            raise RuntimeError("There is no PostgreSQL with PostGIS here; Debian's package is postgresql-postgis.")
        return str(folder / name)


class Redis(Service):
    """Keeps nothing over a stop."""

    def __init__(self, **options: str) -> None:
        """Of redis.conf, with `_` for `-`."""
        super().__init__()
        self._options = options

    @property
    def options(self) -> dict[str, str]:
        ours = {"bind": "127.0.0.1", "port": str(self.port), "unixsocket": self._socket, "save": ""}
        return ours | self._options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        arguments = ((f"--{name.replace('_', '-')}", *value.split(" ")) for name, value in self.options.items())
        return ["redis-server", *itertools.chain.from_iterable(arguments)]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(self._socket)
                connection.sendall(b"PING\r\n")
                return connection.recv(16) == b"+PONG\r\n"
            except OSError:
                return False

    @property
    def _socket(self) -> str:
        return str(self.folder / "socket")


AnyService = TypeVar("AnyService", bound=Service)


@contextmanager
def running(service: AnyService) -> Iterator[AnyService]:
    try:
        service.start()
        yield service
    finally:
        service.close()


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()))
