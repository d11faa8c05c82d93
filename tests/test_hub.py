"""The hub: every event once and in order, whatever happens meanwhile."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.users import add_user
from auth.viewer import Viewer
from models import Event, EventKind, Inventory, migrations
from models.database import Database
from models.errors import CursorAhead, DatabaseUnavailable
from models.identity import Permission
from pubsub import hub as hub_module
from pubsub.hub import EVENTS_A_TURN, Hub
from pubsub.hub import Place as LogPlace
from pubsub.log import PAGE, LoggedEvent
from resolvers.adding import remove_dam
from tests.conftest import Place, until
from tests.services import Postgres, running
from tests.streaming import TIMEOUT_S, add

COMMITS = 2_000
WRITERS = 4
READERS = 3


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    async with Hub(database, None).running() as hub:
        yield hub


async def take(events: AsyncGenerator[LoggedEvent], count: int) -> list[int]:
    """Sequence numbers of the next events."""
    async with asyncio.timeout(TIMEOUT_S):
        return [(await anext(events)).sequence for _ in range(count)]


def anything(event: LoggedEvent) -> bool:
    return True


def following(hub: Hub, after: int | None) -> AsyncGenerator[LoggedEvent]:
    return hub.events(LogPlace(hub.position if after is None else after), anything)


async def read(hub: Hub, after: int | None, count: int) -> list[int]:
    async with aclosing(following(hub, after)) as events:
        return await take(events, count)


async def write_events(database: Database, count: int) -> None:
    """Events of dams that are no longer there, the cheapest there are."""
    now = datetime.now(UTC)
    async with database.write() as connection:
        changed = update(Inventory).values(last_sequence=Inventory.last_sequence + count)
        last = (await connection.execute(changed.returning(Inventory.last_sequence))).scalar_one()
        events = [
            {"sequence": sequence, "kind": EventKind.DAM_ADDED, "dam_id": sequence, "at": now, "actor": "import"}
            for sequence in range(last - count + 1, last + 1)
        ]
        await connection.execute(insert(Event), events)


async def test_a_reader_gets_what_was_before_and_then_what_comes(hub: Hub, database: Database, admin: Viewer) -> None:
    for _ in range(3):
        await add(database, admin)
    reader = asyncio.create_task(read(hub, 1, 4))
    for _ in range(2):
        hub.announce(await add(database, admin))
    assert await reader == [2, 3, 4, 5]


async def test_a_reader_without_a_cursor_gets_what_comes(hub: Hub, database: Database, admin: Viewer) -> None:
    hub.announce(await add(database, admin))
    await until(lambda: hub.position == 1)
    async with aclosing(following(hub, None)) as events:
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)  # it runs as far as it can: it waits
        hub.announce(await add(database, admin))
        async with asyncio.timeout(TIMEOUT_S):
            assert (await first).sequence == 2


class HesitantDatabase(Database):
    """Pauses before some commits, and gives some up."""

    chance = random.Random(20)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with super().write() as connection:
            yield connection
            if self.chance.random() < 0.1:
                await asyncio.sleep(self.chance.uniform(0, 0.02))
            if self.chance.random() < 0.02:
                raise GivenUpError


class GivenUpError(Exception):
    pass


async def test_readers_that_come_and_go_miss_nothing_of_2000_commits(
    place: Place, database: Database, admin: Viewer
) -> None:
    """One hub is told of each commit, as in one process; the other finds out by itself, as in another process."""
    todo = iter(range(COMMITS))
    elsewhere, writing = Database(place.url), HesitantDatabase(place.url)
    async with Hub(database, None).running() as told, Hub(elsewhere, None).running() as untold:

        async def keep_writing() -> None:
            for _ in todo:
                added = None
                while added is None:
                    with suppress(GivenUpError):
                        added = await add(writing, admin)
                told.announce(added)

        async def follow(hub: Hub, chance: random.Random) -> list[int]:
            seen: list[int] = []
            while len(seen) < COMMITS:
                with suppress(TimeoutError):
                    async with asyncio.timeout(chance.uniform(0, 0.1)), aclosing(following(hub, len(seen))) as events:
                        async for event in events:
                            seen.append(event.sequence)  # noqa: PERF401  # each one before the time is up
            return seen

        readers = [
            asyncio.create_task(follow(hub, random.Random(seed))) for hub in (told, untold) for seed in range(READERS)
        ]
        await asyncio.gather(*(keep_writing() for _ in range(WRITERS)))
        for seen in await asyncio.gather(*readers):
            assert seen == list(range(1, COMMITS + 1))
    await elsewhere.close()
    await writing.close()


async def test_a_reader_behind_the_kept_events_reads_the_log(
    monkeypatch: pytest.MonkeyPatch, database: Database, admin: Viewer
) -> None:
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", 10)
    async with Hub(database, None).running() as hub:
        await write_events(database, PAGE + 50)
        hub.announce(PAGE + 50)
        await until(lambda: hub.position == PAGE + 50)
        assert await read(hub, 0, PAGE + 50) == list(range(1, PAGE + 51))
        assert await read(hub, PAGE + 45, 5) == list(range(PAGE + 46, PAGE + 51))


async def test_a_number_without_an_event_shifts_nothing(hub: Hub, database: Database) -> None:
    await write_events(database, 10)
    async with database.write() as connection:
        await connection.execute(delete(Event).where(Event.sequence == 4))
    hub.announce(10)
    await until(lambda: hub.position == 10)
    assert await read(hub, 0, 9) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert await read(hub, 6, 4) == [7, 8, 9, 10]


async def test_a_cursor_of_the_future_is_refused(hub: Hub, database: Database, admin: Viewer) -> None:
    await add(database, admin)  # the hub has not heard of it yet, which makes no difference
    with pytest.raises(CursorAhead, match="later than the last change"):
        await read(hub, 2, 1)
    reader = asyncio.create_task(read(hub, 1, 1))
    await add(database, admin)
    assert await reader == [2]


async def test_a_removed_dam_is_replayed_to_nobody(hub: Hub, database: Database, admin: Viewer) -> None:
    hub.announce(await add(database, admin))
    await until(lambda: hub.position == 1)  # and the dam is kept
    hub.announce(await remove_dam(database, 1, admin) or 0)
    await until(lambda: hub.position == 2)
    async with Hub(database, None).running() as fresh:  # which keeps nothing yet and reads the log
        for reads in (hub, fresh):
            async with aclosing(following(reads, 0)) as events:
                added, removed = await anext(events), await anext(events)
            assert (added.kind, added.dam) == (EventKind.DAM_ADDED, None)
            assert (removed.kind, removed.dam) == (EventKind.DAM_REMOVED, None)


async def test_other_tasks_have_their_turn_during_a_replay(hub: Hub, database: Database) -> None:
    await write_events(database, 3_000)
    turn = 0

    async def take_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    turns = []
    async with aclosing(following(hub, 0)) as events:
        async for event in events:
            turns.append(turn)
            if event.sequence == 3_000:
                break
    other.cancel()
    assert max(Counter(turns).values()) <= EVENTS_A_TURN


async def test_readers_that_end_leave_nothing_behind(hub: Hub, database: Database, admin: Viewer) -> None:
    await write_events(database, 1_000)
    before = asyncio.all_tasks()
    seen: list[int] = []

    async def follow() -> None:
        async for event in following(hub, 0):
            seen.append(event.sequence)  # noqa: PERF401  # looked at while it grows

    waiting = [asyncio.create_task(read(hub, None, 1)) for _ in range(50)]
    reading = [asyncio.create_task(follow()) for _ in range(50)]
    await until(lambda: len(seen) > 1_000)
    for task in waiting + reading:
        task.cancel()
    await asyncio.gather(*waiting, *reading, return_exceptions=True)
    await until(lambda: asyncio.all_tasks() <= before)
    hub.announce(await add(database, admin))
    assert await read(hub, 1_000, 1) == [1_001]


async def test_200_waiting_readers_hold_no_connection(hub: Hub, database: Database, admin: Viewer) -> None:
    await write_events(database, 10)
    hub.announce(10)
    readers = [asyncio.create_task(read(hub, 0, 11)) for _ in range(200)]
    pool = database._engine.pool
    await until(lambda: hub.position == 10)
    await until(lambda: pool.checkedout() == 0)  # type: ignore[attr-defined]
    hub.announce(await add(database, admin))
    assert await asyncio.gather(*readers) == [list(range(1, 12))] * 200


async def test_a_hub_ends_at_once_even_when_it_is_just_woken(database: Database) -> None:
    for _ in range(50):
        async with asyncio.timeout(TIMEOUT_S), Hub(database, None).running() as hub:
            await asyncio.sleep(0)
            hub.announce(0)


async def test_a_cut_database_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with running(Postgres()) as postgres:
        postgres.create_database("dams")
        database = Database(postgres.url("dams"))
        await migrations.migrate(database)
        await add_user(database, "admin", ["admin"])
        admin = Viewer(1, "admin", frozenset(Permission))
        await write_events(database, PAGE + 50)
        async with Hub(database, None).running() as hub:
            live = asyncio.create_task(read(hub, None, 2))
            replaying = following(hub, 0)
            assert (await anext(replaying)).sequence == 1  # of a page; the next one will not be there
            hub.announce(await add(database, admin))
            await until(lambda: hub.position == PAGE + 51)
            await asyncio.to_thread(postgres.kill)
            with pytest.raises(DatabaseUnavailable):
                await add(database, admin)
            rest = asyncio.create_task(take(replaying, PAGE + 51))
            await until(lambda: "cannot read the log" in caplog.text)
            await asyncio.to_thread(postgres.start)
            await add(database, admin)  # tells nobody
            assert await live == [PAGE + 51, PAGE + 52]
            assert await rest == list(range(2, PAGE + 53))
            await replaying.aclose()
        await database.close()
