"""What many have missed is executed once, and each reads it at its own speed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from models.errors import DatabaseUnavailable, InventoryError, OperationTimeout, ServerDraining
from pubsub import hub as hub_module
from pubsub.log import PAGE, LoggedEvent
from tests.in_memory import IDS, Log, Station, settle, station, steps_until
from transport.streams import replays
from transport.streams.subscriber import refusal

SUBSCRIBERS = 20
CREEKS = 'subscription ($after: String) { damAdded(after: $after, where: {text: "creek"}) { damId } }'
NAMES = "subscription ($after: String) { damAdded(after: $after) { name } }"


@pytest.fixture(autouse=True)
def _little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """By groups, so that nearly all is replayed."""
    monkeypatch.setattr("transport.streams.groups.REMEMBERED", 10)


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    async with station(monkeypatch) as office:
        yield office


def numbers(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


async def test_who_comes_back_together_shares_the_executions(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    followed = [office.follow(after=7) for _ in range(SUBSCRIBERS)]
    for each in followed:
        await office.delivered(each)
        assert each.listener.sequences == numbers(8, 3 * PAGE)
    assert office.executions == 3 * PAGE - 7
    await steps_until(lambda: len(office.delivery.groups) == 1)
    await settle()
    assert not office.delivery.groups._replays._tapes


async def test_who_begins_elsewhere_soon_goes_on_together(office: Station) -> None:
    """From places as near to each other as those of clients that were cut off at one moment."""
    office.add(3 * PAGE)
    await office.seen()
    begins = list(range(0, 2 * SUBSCRIBERS, 2))
    followed = [office.follow(after=after) for after in begins]
    for after, each in zip(begins, followed, strict=True):
        await office.delivered(each)
        assert each.listener.sequences == numbers(after + 1, 3 * PAGE)
    assert office.executions < 3 * PAGE + 2 * SUBSCRIBERS * replays.STRIDE
    await settle()
    assert not office.delivery.groups._replays._tapes


async def test_a_replay_goes_as_fast_as_its_client_reads_and_holds_nobody_up(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    slow, quick = office.follow(after=0), office.follow(after=0)
    slow.listener.reads.clear()
    await office.delivered(quick)
    assert slow.listener.sequences == []
    assert slow.listener.waiting <= replays.STRIDE
    slow.listener.reads.set()
    await office.delivered(slow)
    assert slow.listener.sequences == quick.listener.sequences == numbers(1, 3 * PAGE)
    assert office.executions == 3 * PAGE


async def test_no_more_is_executed_than_somebody_reads(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    following = office.follow(after=0)
    following.listener.reads.clear()
    await steps_until(lambda: following.listener.waiting)
    await settle()
    assert office.executions == following.listener.waiting <= replays.STRIDE


async def test_large_results_go_out_one_by_one(office: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "STRIDE_BYTES", 30)  # less than a result
    office.add(PAGE)
    await office.seen()
    following = office.follow(after=0)
    following.listener.reads.clear()
    await steps_until(lambda: following.listener.waiting)
    await settle()
    assert office.executions == following.listener.waiting == 1
    following.listener.reads.set()
    await office.delivered(following)
    assert following.listener.sequences == numbers(1, PAGE)


async def test_who_falls_back_further_than_is_held_goes_on_alone(
    office: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "HELD_BYTES", 0)
    monkeypatch.setattr(replays, "STRIDE_BYTES", 1_000)
    office.add(3 * PAGE)
    await office.seen()
    slow, quick = office.follow(after=0), office.follow(after=0)
    slow.listener.reads.clear()
    await office.delivered(quick)
    assert office.executions == 3 * PAGE
    slow.listener.reads.set()
    await office.delivered(slow)
    assert slow.listener.sequences == quick.listener.sequences == numbers(1, 3 * PAGE)
    assert 3 * PAGE < office.executions < 6 * PAGE


async def test_what_is_held_is_bounded_and_gone_in_the_end(office: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "HELD_BYTES", 20_000)
    office.add(2 * PAGE)
    await office.seen()
    shared = office.delivery.groups._replays
    followed = [office.follow(query, after=after) for query in (IDS, NAMES) for after in (0, 3, PAGE)]
    most = 0
    while any(each.listener.sequences[-1:] != [office.log.last] for each in followed):
        held = sum(tape._held_bytes for tapes in shared._tapes.values() for tape in tapes)
        most = max(most, held - shared._count * (2 + 1) * replays.STRIDE_BYTES)
        await asyncio.sleep(0)
    assert most <= replays.HELD_BYTES
    await settle()
    assert (shared._tapes, shared._count) == ({}, 0)


async def test_who_leaves_while_it_executes_leaves_the_work_to_the_others(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    first, *others = (office.follow(after=0) for _ in range(3))
    await steps_until(lambda: office.executions > PAGE / 2)
    await first.leave()
    for each in others:
        await office.delivered(each)
        assert each.listener.sequences == numbers(1, 2 * PAGE)
    assert office.executions == 2 * PAGE


async def test_the_last_one_may_leave_at_any_step(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    tasks = asyncio.all_tasks()
    for steps in range(60):
        following = office.follow(after=0)
        for _ in range(steps):
            await asyncio.sleep(0)
        await following.leave()
        assert not office.delivery.groups._replays._tapes
    await settle()
    assert asyncio.all_tasks() == tasks


async def test_a_removed_dam_is_not_replayed_from_what_is_held(
    office: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.add(2 * PAGE)
    await office.seen()
    slow, quick = office.follow(after=0), office.follow(after=0)
    slow.listener.reads.clear()
    await steps_until(lambda: len(quick.listener.sequences) > PAGE)
    office.log.remove(PAGE - 1)
    office.add()
    await office.seen()
    slow.listener.reads.set()
    for each in (quick, slow):
        await office.delivered(each)
    assert quick.listener.sequences == [*numbers(1, 2 * PAGE), office.log.last]
    assert slow.listener.sequences == [*numbers(1, PAGE - 2), *numbers(PAGE, 2 * PAGE), office.log.last]


async def test_removals_do_not_undo_the_sharing(office: Station) -> None:
    office.add(4 * PAGE)
    await office.seen()
    followed = [office.follow(after=0) for _ in range(SUBSCRIBERS)]
    while any(len(each.listener.sequences) < 4 * PAGE for each in followed):
        if office.executions % (PAGE // 4) == 0:
            office.add()
            office.log.remove(office.log.last)
            office.hub.announce(office.log.last)
        await asyncio.sleep(0)
    assert office.executions < 2 * 4 * PAGE


async def test_a_dam_of_which_nothing_can_be_made_hides_none_of_the_others(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    del office.log.events[10].dam.owner_types
    followed = [office.follow(after=0) for _ in range(3)]
    for each in followed:
        await office.delivered(each)
        assert set(each.listener.sequences) >= {*numbers(1, 10), *numbers(12, 2 * PAGE)}


async def test_who_is_told_the_end_in_a_replay_that_finds_nothing_hears_it_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", 10)
    async with station(monkeypatch) as office:
        office.add(40 * PAGE)
        await office.seen()
        following = office.follow(CREEKS, after=0)
        await steps_until(lambda: office.delivery.groups._replays._count)
        await asyncio.sleep(0)
        following.listener.finish(refusal(ServerDraining("Soon.")))
        assert (await following.end()).reason == "server_draining"
        assert not office.delivery.groups._replays._tapes


@pytest.mark.parametrize("problem", [DatabaseUnavailable("away"), OperationTimeout("too slow")])
async def test_a_replay_that_has_begun_waits_for_the_database(
    problem: InventoryError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", 10)
    monkeypatch.setattr(hub_module, "POLL_S", 0.01)
    async with station(monkeypatch) as office:
        office.add(4 * PAGE)
        await office.seen()
        tries = 0

        async def read(log: Log, after: int) -> list[LoggedEvent]:
            nonlocal tries
            if after == PAGE:
                tries += 1
                if tries < 3:
                    raise problem
            return await Log.read(log, after)

        async def require(log: Log, after: int) -> None:
            if tries in (1, 2):
                raise problem
            await Log.require(log, after)

        monkeypatch.setattr(hub_module, "read_log", read)
        monkeypatch.setattr(hub_module, "require_in_log", require)
        following = office.follow(after=0)
        await office.delivered(following)
        assert following.listener.sequences == numbers(1, 4 * PAGE)
        assert tries == 3


async def test_a_client_that_reads_all_leaves_turns_to_others(office: Station) -> None:
    office.add(5 * PAGE)
    await office.seen()
    followed = [office.follow(after=0) for _ in range(2)]
    turns = 0
    while any(each.listener.sequences[-1:] != [office.log.last] for each in followed):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5 * PAGE / replays.STRIDE
    assert office.executions == 5 * PAGE
