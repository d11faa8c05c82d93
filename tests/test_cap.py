"""The cap is a cap: exact under many writers at once, in one process and in several."""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from auth.users import add_user, set_quota
from auth.viewer import Viewer
from models import Dam, Event, EventKind
from models.database import Database
from models.errors import InventoryFull, QuotaExceeded
from models.identity import Permission
from resolvers.adding import NewDam, add_dam, remove_dam
from resolvers.dates import parse_iso
from resolvers.inventory import set_cap
from resolvers.locations import Point
from resolvers.quota import Quota, quotas_of, read_quota
from tests.conftest import Place, until
from tests.shared import opened, state

BURSTS = 20
WRITERS = 50
CAP = 100


def dam(name: str = "Deer Creek", key: str | None = None) -> NewDam:
    return NewDam(name, "Reclamation", "Provo River", parse_iso("1941"), Point(-111.5, 40.4), key)


async def user(database: Database, user_id: int, name: str, max_dams: int | None = None) -> Viewer:
    """Users are numbered from 1 in the order of adding."""
    await add_user(database, name, ["contributor"], max_dams)
    return Viewer(user_id, name, frozenset({Permission.VIEW_DAMS, Permission.ADD_DAMS}))


async def outcomes(calls: Iterable[Coroutine[Any, Any, Row[Any] | int | None]]) -> Counter[str]:
    """How many of the calls, all made at once, ended in a dam and in which errors."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    return Counter(type(result).__name__ if isinstance(result, BaseException) else "done" for result in results)


def counts(dams: int, changes: int) -> dict[str, int]:
    return {"dam_count": dams, "dams": dams, "events": changes, "last_sequence": changes}


async def sequences(database: Database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(select(Event.sequence).order_by(Event.sequence)))


async def test_fifty_writers_never_get_past_the_cap_in_twenty_bursts(database: Database) -> None:
    alice = await user(database, 1, "alice")
    for burst in range(BURSTS):
        # Room for 5, 10 … 100 more: from nearly full to more room than there are writers.
        room = 5 * (burst + 1)
        before = await state(database)
        await set_cap(database, "max_dams", before["dam_count"] + room)
        done = await outcomes(add_dam(database, dam(), alice) for _ in range(WRITERS))
        added = min(room, WRITERS)
        assert done == Counter({"done": added, "InventoryFull": WRITERS - added})
        assert await state(database) == counts(before["dam_count"] + added, before["events"] + added)
    changes = await sequences(database)
    assert changes == list(range(1, len(changes) + 1))


async def test_of_150_adds_by_fifty_writers_exactly_100_get_in(database: Database) -> None:
    alice = await user(database, 1, "alice")
    await set_cap(database, "max_dams", CAP)

    async def writer() -> Counter[str]:
        done: Counter[str] = Counter()
        for _ in range(3):
            done += await outcomes([add_dam(database, dam(), alice)])
        return done

    done = sum(await asyncio.gather(*(writer() for _ in range(WRITERS))), start=Counter[str]())
    assert done == Counter({"done": CAP, "InventoryFull": 3 * WRITERS - CAP})
    assert await state(database) == counts(CAP, CAP)


# Waits for the file `start`, so that the processes write at the same time; prints how many were added and refused.
PROCESS = """
import asyncio, sys
from pathlib import Path
from auth.viewer import Viewer
from models.database import Database
from models.errors import InventoryFull
from resolvers.adding import NewDam, add_dam
from resolvers.dates import parse_iso
from resolvers.locations import Point

async def work(url, start, ready):
    database = Database(url)
    dam = NewDam("Deer Creek", "Reclamation", "Provo River", parse_iso("1941"), Point(-111.5, 40.4))
    ready.touch()
    while not start.exists():
        await asyncio.sleep(0.001)
    adds = (add_dam(database, dam, Viewer(1, "alice", frozenset())) for _ in range(50))
    results = await asyncio.gather(*adds, return_exceptions=True)
    refused = sum(isinstance(result, InventoryFull) for result in results)
    print(sum(not isinstance(result, BaseException) for result in results), refused)
    await database.close()

asyncio.run(work(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
"""


async def test_the_cap_holds_across_processes(place: Place, database: Database, tmp_path: Path) -> None:
    await user(database, 1, "alice")
    await set_cap(database, "max_dams", 60)
    start, ready = tmp_path / "start", [tmp_path / name for name in ("ready1", "ready2")]
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROCESS, place.url, start, file),
            cwd=Path(__file__).parent.parent,
            stdout=asyncio.subprocess.PIPE,
        )
        for file in ready
    ]
    await until(lambda: all(file.exists() for file in ready))
    start.touch()
    answers = [(await process.communicate())[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    added, refused = (sum(int(answer[column]) for answer in answers) for column in (0, 1))
    assert (added, refused) == (60, 40)
    assert await state(database) == counts(60, 60)


async def test_a_full_inventory_names_the_dam(database: Database) -> None:
    alice = await user(database, 1, "alice")
    await set_cap(database, "max_dams", 1)
    await add_dam(database, dam(), alice)
    with pytest.raises(InventoryFull) as error:
        await add_dam(database, dam("Jordanelle"), alice)
    assert str(error.value) == 'Unable to add dam "Jordanelle", because the inventory is full.'


async def test_a_cap_below_the_count_keeps_what_is_there(database: Database) -> None:
    alice = await user(database, 1, "alice")
    for _ in range(3):
        await add_dam(database, dam(), alice)
    await set_cap(database, "max_dams", 1)
    with pytest.raises(InventoryFull):
        await add_dam(database, dam(), alice)
    await set_cap(database, "max_dams", 0)
    await add_dam(database, dam(), alice)
    assert await state(database) == counts(4, 4)


async def test_a_removal_makes_room_for_one(database: Database) -> None:
    alice = await user(database, 1, "alice")
    await set_cap(database, "max_dams", 2)
    first = await add_dam(database, dam(), alice)
    await add_dam(database, dam(), alice)
    assert await remove_dam(database, first.id, alice) == 3
    done = await outcomes(add_dam(database, dam(), alice) for _ in range(5))
    assert done == Counter({"done": 1, "InventoryFull": 4})
    assert await state(database) == counts(2, 4)


async def test_the_quota_is_exact_for_each_user_in_twenty_bursts(database: Database) -> None:
    alice, bob, carol = [await user(database, number, name) for number, name in enumerate(("alice", "bob", "carol"), 1)]
    await set_quota(database, "carol", 0)
    writers = [alice] * 17 + [bob] * 17 + [carol] * 16
    for burst in range(1, BURSTS + 1):
        await set_cap(database, "max_dams_per_user", 7 * burst)
        await set_quota(database, "bob", 12 * burst)
        done = await outcomes(add_dam(database, dam(), writer) for writer in writers)
        assert done == Counter({"done": 7 + 12 + 16, "QuotaExceeded": 10 + 5})
        assert await state(database) == counts(35 * burst, 35 * burst)
        async with database.read() as connection:
            owners = Counter(await connection.scalars(select(Dam.added_by_id)))
        assert owners == Counter({1: 7 * burst, 2: 12 * burst, 3: 16 * burst})


async def test_the_dams_of_a_user_are_counted_for_a_quota_and_where_they_are_asked_for(database: Database) -> None:
    alice = await user(database, 1, "alice")
    await add_dam(database, dam(), alice)
    for max_dams, counted in ((0, 0), (3, 1)):
        await set_cap(database, "max_dams_per_user", max_dams)
        assert await database.transact(quotas_of([1])) == {1: Quota(max_dams, used=counted)}
        assert await read_quota(database, 1) == Quota(max_dams, used=1)


async def test_a_used_up_quota_says_of_whom_and_how_much(database: Database) -> None:
    alice = await user(database, 1, "alice", max_dams=1)
    await add_dam(database, dam(), alice)
    with pytest.raises(QuotaExceeded) as error:
        await add_dam(database, dam("Jordanelle"), alice)
    assert str(error.value) == 'Unable to add dam "Jordanelle", because alice has added 1 of 1 dams.'
    await set_quota(database, "alice", None)
    await add_dam(database, dam(), alice)


async def test_an_idempotency_key_gives_the_first_dam_however_often_it_is_sent(database: Database) -> None:
    alice, bob = await user(database, 1, "alice"), await user(database, 2, "bob")
    adds = [add_dam(database, dam(f"Number {number}", "key"), alice) for number in range(WRITERS)]
    rows = await asyncio.gather(*adds)
    assert len({(row.id, row.name) for row in rows}) == 1
    assert await state(database) == counts(1, 1)
    bobs = await add_dam(database, dam("Bob's", "key"), bob)
    assert (bobs.id, bobs.name) == (2, "Bob's")


async def test_an_idempotency_key_is_free_again_when_its_dam_was_removed(database: Database) -> None:
    alice = await user(database, 1, "alice")
    first = await add_dam(database, dam("Deer Creek", "key"), alice)
    assert (await add_dam(database, dam("Jordanelle", "key"), alice)).name == "Deer Creek"
    await remove_dam(database, first.id, alice)
    assert (await add_dam(database, dam("Jordanelle", "key"), alice)).name == "Jordanelle"


@pytest.mark.parametrize("limit", ["max_dams", "max_dams_per_user"])
async def test_a_retry_finds_its_dam_where_there_is_no_more_room(database: Database, limit: str) -> None:
    alice = await user(database, 1, "alice")
    await set_cap(database, limit, 1)
    rows = await asyncio.gather(*(add_dam(database, dam(key="key"), alice) for _ in range(10)))
    assert {row.id for row in rows} == {1}
    with pytest.raises((InventoryFull, QuotaExceeded)):
        await add_dam(database, dam(key="another"), alice)
    assert await state(database) == counts(1, 1)


async def test_counter_log_and_rows_agree_after_adds_failures_and_removals_at_once(database: Database) -> None:
    alice, bob = await user(database, 1, "alice"), await user(database, 2, "bob", max_dams=30)
    await set_cap(database, "max_dams", 40)
    for _ in range(20):
        await add_dam(database, dam(), alice)
    calls: list[Coroutine[Any, Any, Any]] = []
    for number in range(1, 31):
        key = f"key {number % 7}" if number % 3 == 0 else None
        calls += [
            add_dam(database, dam(key=key), alice),
            add_dam(database, dam(), bob),
            remove_dam(database, number, alice),
            remove_dam(database, number, bob),
        ]
    await outcomes(calls)
    async with database.read() as connection:
        kinds = Counter(await connection.scalars(select(Event.kind)))
    after = await state(database)
    changes = await sequences(database)
    assert changes == list(range(1, len(changes) + 1))
    assert after["dam_count"] == kinds[EventKind.DAM_ADDED] - kinds[EventKind.DAM_REMOVED]
    assert after == counts(after["dams"], len(changes))
    assert after["dam_count"] <= 40


async def test_each_dam_is_removed_once(database: Database) -> None:
    alice = await user(database, 1, "alice")
    for _ in range(3):
        await add_dam(database, dam(), alice)
    removed = await asyncio.gather(
        *(remove_dam(database, dam_id, alice) for dam_id in itertools.chain.from_iterable([(1, 2, 3, 4)] * 10))
    )
    assert sorted(sequence for sequence in removed if sequence is not None) == [4, 5, 6]
    assert await state(database) == counts(0, 6)


async def test_nothing_can_be_removed_from_an_empty_inventory(database: Database) -> None:
    assert await remove_dam(database, 1, Viewer(1, "alice", frozenset())) is None
    assert await state(database) == counts(0, 0)


async def test_two_doors_to_one_database_share_the_cap(place: Place, database: Database) -> None:
    alice = await user(database, 1, "alice")
    await set_cap(database, "max_dams", 30)
    async with opened(place.url) as other:
        doors = itertools.cycle((database, other))
        done = await outcomes(add_dam(next(doors), dam(), alice) for _ in range(WRITERS))
    assert done == Counter({"done": 30, "InventoryFull": 20})
    assert await state(database) == counts(30, 30)
