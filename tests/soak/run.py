"""One run: everything is started, dams are added while the script of faults goes on, all heals, all is compared."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from statistics import median

from models.database import Database
from tests.services import Service, wait_until
from tests.soak.adding import Writer
from tests.soak.dams import FILTERS, WANTED_BY_ALL
from tests.soak.faults import Faults, script
from tests.soak.journal import has_received, read_journal
from tests.soak.judge import differences, lost_adds, read_log
from tests.soak.services import ROOT
from tests.soak.settings import SoakSettings
from tests.soak.world import World, running_world

HEALED_WITHIN_S = 90.0
"""After the last fault; each subscriber has the last dam by then. The client of a frozen server waits some 30 s."""

SETTLED_WITHIN_S = 10.0
"""Whatever a server has to let go of is gone by then."""

SAMPLE_S = 1.0

MAX_GROWTH_MB = 25.0
"""Of a server, from the middle third of the run to the last. A burst may raise it once, by some 20 MB; a leak of 100
bytes a message raises it by more in ten minutes."""

KEPT = ROOT / "build" / "soak"
"""Where journals and logs of a run with problems are left."""

SENTENCES = 5
"""About the first wrong subscriber; more would say the same."""

Say = Callable[[str], None]


async def soak(settings: SoakSettings, say: Say) -> list[str]:
    """What went wrong; nothing where every promise was kept.

    All random choices come from the seed. How long things take, and so the order of events, does not: the same seed
    brings the same subscribers, the same dams and the same faults at the same times.
    """
    random = Random(settings.seed)
    say(" ".join(f"SOAK_{name.upper()}={value}" for name, value in settings.model_dump().items()))
    with ThreadPoolExecutor(max_workers=32) as threads:  # faults wait for each other
        async with running_world(settings, random) as world:
            run = Run(settings, random, world, threads, say)
            await run.go_through()
            await run.compare()
            if run.problems:
                run.keep()
            return run.problems


class Run:
    def __init__(
        self, settings: SoakSettings, random: Random, world: World, threads: ThreadPoolExecutor, say: Say
    ) -> None:
        self.problems: list[str] = []
        self._world = world
        self._threads = threads
        self._say = say
        self._seconds = settings.seconds
        self._planned = script(random, settings.seconds, {kind: list(names) for kind, names in world.targets.items()})
        self._targets = {name: target for targets in world.targets.values() for name, target in targets.items()}
        self._faults = Faults(self._targets, threads, say)
        ports = [server.port for server in world.servers]
        self._writer = Writer(Random(random.getrandbits(64)), ports, world.writer_token)
        self._memory: list[float] = []

    async def go_through(self) -> None:
        """Faults and adds, and then the end of both. Raises nothing for a promise that is not kept."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch_memory())
            writing = group.create_task(self._writer.run())
            for name in self._world.targets["server"]:
                group.create_task(self._faults.supervise(name))
            await asyncio.gather(self._faults.cause(self._planned), asyncio.sleep(self._seconds))
            self._say("no more faults")
            self._writer.stop()
            await writing
            self._faults.stop()
            watching.cancel()
        self.problems += self._faults.problems + self._writer.problems
        self._require_flat_memory()
        await self._in_thread(self._require_all_caught_up)
        await self._in_thread(self._require_only_the_subscribers)
        await self._in_thread(self._require_nothing_after_the_clients)
        await self._in_thread(self._require_orderly_ends)

    async def compare(self) -> None:
        """What came with what is in the database."""
        database = Database(self._world.database_url)
        try:
            log = await read_log(database)
        finally:
            await database.close()
        added = self._writer.added
        self.problems += lost_adds(log, added)
        ends: Counter[str] = Counter()
        received = wrong = 0
        for subscriber, path in self._world.subscribers:
            streams = read_journal(path)
            ends.update(str(stream.end) for stream in streams)
            received += sum(len(stream.dams) for stream in streams)
            found = list(differences(streams, FILTERS[subscriber.filter], log, added))
            if found and not wrong:
                self.problems += [f"{subscriber}: {sentence}" for sentence in found[:SENTENCES]]
            wrong += bool(found)
        if wrong:
            self.problems.append(f"{wrong} of {len(self._world.subscribers)} subscribers are wrong; above is the first")
        self._say(
            f"{len(log.there) + len(log.removed):,} dams added, {len(log.removed):,} of them removed again,"
            f" {self._writer.retries:,} changes sent anew"
        )
        self._say(
            f"{received:,} dams received by {len(self._world.subscribers)} subscribers on {ends.total():,} streams"
        )
        self._say("ends: " + ", ".join(f"{end} {count:,}" for end, count in ends.most_common()))

    def keep(self) -> None:
        """Journals and logs, for whoever looks for the cause."""
        shutil.rmtree(KEPT, ignore_errors=True)
        for name, service in self._services().items():
            shutil.copytree(service.folder, KEPT / name, ignore=shutil.ignore_patterns("data", "socket", ".s.*"))
        self._say(f"journals and logs are in {KEPT.relative_to(ROOT)}")

    def _services(self) -> dict[str, Service]:
        return {name: target for name, target in self._targets.items() if isinstance(target, Service)}

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _watch_memory(self) -> None:
        while True:
            self._memory.append(self._world.lasting_server.memory_mb())
            await asyncio.sleep(SAMPLE_S)

    def _require_flat_memory(self) -> None:
        """A server fills its memory of latest events in the first third."""
        third = len(self._memory) // 3
        middle, last = median(self._memory[third:-third]), median(self._memory[-third:])
        self._say(f"memory of the server that was never ended: {middle:.0f} MB, later {last:.0f} MB")
        if last - middle > MAX_GROWTH_MB:
            self.problems.append(f"the memory of a server grew from {middle:.0f} to {last:.0f} MB")

    def _require_all_caught_up(self) -> None:
        begun = time.monotonic()
        waiting = list(self._world.subscribers)

        def all_have_the_last() -> bool:
            waiting[:] = [(each, path) for each, path in waiting if not has_received(path, WANTED_BY_ALL.name)]
            time.sleep(0.1)
            return not waiting

        if wait_until(all_have_the_last, HEALED_WITHIN_S):
            self._say(f"all have the last dam {time.monotonic() - begun:.1f} s after it was added")
        else:
            self.problems.append(
                f"{len(waiting)} subscribers have not the last dam after {HEALED_WITHIN_S:g} s, first {waiting[0][0]}"
            )

    def _require_only_the_subscribers(self) -> None:
        subscribers = [subscriber for subscriber, _ in self._world.subscribers]
        sockets = sum(subscriber.transport == "websocket" for subscriber in subscribers)
        self._require_open("with all healed", sockets, len(subscribers))

    def _require_nothing_after_the_clients(self) -> None:
        for clients in self._world.clients:
            clients.kill()
        self._require_open("after the clients were killed", 0, 0)

    def _require_open(self, when: str, sockets: int, subscriptions: int) -> None:
        wanted = {"dams_sockets_open": sockets, "dams_subscriptions_open": subscriptions, "dams_results_waiting": 0}
        if not subscriptions:
            wanted["dams_subscription_groups"] = 0
        found: dict[str, float] = {}

        def is_so() -> bool:
            metrics = [server.metrics() for server in self._world.servers]
            found.update({name: sum(each[name] for each in metrics) for name in wanted})
            return found == wanted

        if not wait_until(is_so, SETTLED_WITHIN_S):
            self.problems.append(f"{when} the servers have {found}, and not {wanted}")

    def _require_orderly_ends(self) -> None:
        for server in self._world.servers:
            try:
                server.end()
            except RuntimeError as error:
                self.problems.append(str(error))
        tracebacks = Counter(found for server in self._world.servers for found in server.tracebacks())
        self.problems += [f"{count} times in the logs of servers: {found}" for found, count in tracebacks.items()]
