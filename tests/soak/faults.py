"""What may go wrong, and the script of a run: which of it happens when, to whom and for how long.

The script comes from the seed alone, so the same seed gives the same faults at the same times. What else happens at
these times, and how long a server takes to start, is not decided here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from random import Random
from typing import Any, NamedTuple

from tests.services import Service
from tests.soak.services import Clients, Importer, Server, TokenHolder, cut_subscribers

MEAN_GAP_S = 3.0
FAULTS_OF_A_SHORT_RUN = 12
"""About; its gaps are shorter."""

SUPERVISION_S = 1.0


class Fault(NamedTuple):
    name: str
    targets: str
    """The kind of what it happens to."""
    weight: int
    begin: Callable[[Any], object]
    """Begin and end work until they are done, in a thread."""
    end: Callable[[Any], object] | None = None
    seconds: tuple[float, float] = (0, 0)
    """Between them."""


FAULTS = (
    Fault("Redis is killed", "redis", 4, Service.kill, Service.start, (0.5, 8)),
    Fault("Redis is frozen", "redis", 4, Service.freeze, Service.resume, (1, 10)),
    Fault("Redis cuts off the servers", "redis", 3, cut_subscribers),
    Fault("PostgreSQL is restarted", "postgresql", 2, Service.stop, Service.start, (0, 2)),
    Fault("PostgreSQL is killed", "postgresql", 2, Service.kill, Service.start, (0, 2)),
    Fault("PostgreSQL is frozen", "postgresql", 1, Service.freeze, Service.resume, (1, 4)),
    Fault("server is restarted", "mortal server", 5, Server.end, Server.start, (0, 3)),
    Fault("server is killed", "mortal server", 5, Service.kill, Server.start, (0, 3)),
    Fault("server is frozen", "server", 3, Service.freeze, Service.resume, (1, 8)),
    Fault("server is frozen for long", "server", 1, Service.freeze, Service.resume, (22, 30)),
    Fault("clients are killed", "clients", 5, Service.kill, Service.start, (0, 4)),
    Fault("clients are frozen", "clients", 5, Service.freeze, Service.resume, (1, 10)),
    Fault("clients are frozen for long", "clients", 2, Service.freeze, Service.resume, (42, 50)),
    Fault("clients are frozen and a file is imported", "clients", 2, Clients.oversleep, Service.resume, (1, 5)),
    Fault("token is revoked", "user", 5, TokenHolder.revoke),
    Fault("token expires", "user", 5, TokenHolder.expire),
    Fault("file is imported", "importer", 2, Importer.add),
)


class Planned(NamedTuple):
    at: float
    """Seconds after the start."""
    fault: Fault
    target: str
    seconds: float

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.fault.name}: {self.target}{lasting}, as planned for {self.at:.1f} s"


def script(random: Random, run_s: float, targets: Mapping[str, Sequence[str]]) -> list[Planned]:
    """In the order of time. `targets` are names by kind; a kind that is missing is spared."""
    possible = [fault for fault in FAULTS if fault.targets in targets]
    weights = [fault.weight for fault in possible]
    planned: list[Planned] = []
    free_at: dict[str, float] = {}
    mean_gap_s = min(MEAN_GAP_S, run_s / FAULTS_OF_A_SHORT_RUN)
    at = 0.0
    while (at := at + random.expovariate(1 / mean_gap_s)) < run_s:
        (fault,) = random.choices(possible, weights)
        target = random.choice(targets[fault.targets])
        seconds = min(random.uniform(*fault.seconds), run_s / 4)
        if free_at.get(target, 0.0) <= at:
            planned.append(Planned(at, fault, target, seconds))
            free_at[target] = at + seconds
    return planned


class Faults:
    """The script, as it is carried out."""

    def __init__(self, targets: Mapping[str, Any], threads: Executor, say: Callable[[str], None]) -> None:
        """`targets` are by name."""
        self._targets = targets
        self._threads = threads
        self._say = say
        self.problems: list[str] = []
        self._turns = {name: asyncio.Lock() for name in targets}
        self._begun = time.monotonic()
        self._stopped = False

    def stop(self) -> None:
        """All servers run when `supervise` has returned."""
        self._stopped = True

    async def cause(self, planned: Sequence[Planned]) -> None:
        """Returns when all is healed."""
        self._begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for each in planned:
                group.create_task(self._cause(each))

    async def supervise(self, name: str) -> None:
        """Starts a server again that ended by itself, until `stop`: one ends where a worker of it finds no database."""
        while not self._stopped:
            await asyncio.sleep(SUPERVISION_S)
            async with self._turns[name]:
                server: Server = self._targets[name]
                if not server.is_running:
                    self._tell(f"{name} has ended by itself")
                    if not server.ended_without_database():
                        self.problems.append(f"{name} has ended by itself")
                    await asyncio.get_running_loop().run_in_executor(self._threads, server.start)

    async def _cause(self, planned: Planned) -> None:
        await asyncio.sleep(planned.at - (time.monotonic() - self._begun))
        fault, target = planned.fault, self._targets[planned.target]
        async with self._turns[planned.target]:  # the fault before may take longer than planned
            self._tell(str(planned))
            await self._carry_out(planned, fault.begin, target)
            if fault.end is not None:
                await asyncio.sleep(planned.seconds)
                await self._carry_out(planned, fault.end, target)
            self._tell(f"{planned} - over")

    def _tell(self, what: str) -> None:
        self._say(f"{time.monotonic() - self._begun:6.1f} s  {what}")

    async def _carry_out(self, planned: Planned, work: Callable[[Any], object], target: object) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, work, target)
        except RuntimeError as error:
            self.problems.append(f"{planned}: {error}")
