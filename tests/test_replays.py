"""What many have missed is executed once, and each reads it at its own speed."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from pubsub.log import PAGE
from tests.in_memory import Station, settle, station, steps_until
from transport.streams import replays

SUBSCRIBERS = 20


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
    assert len(office.delivery.groups) == 1


async def test_who_begins_elsewhere_shares_what_comes_after(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    followed = [office.follow(after=after) for after in (0, 100, PAGE + 1)]
    for each in followed:
        await office.delivered(each)
    assert [each.listener.sequences for each in followed] == [
        numbers(after + 1, 3 * PAGE) for after in (0, 100, PAGE + 1)
    ]
    assert office.executions == 3 * PAGE + (PAGE - 100) + (PAGE - 1)


async def test_a_replay_goes_as_fast_as_its_client_reads_and_holds_nobody_up(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    slow, quick = office.follow(after=0), office.follow(after=0)
    slow.listener.reads.clear()
    await office.delivered(quick)
    assert slow.listener.sequences == []
    assert slow.listener.waiting == replays.STEP
    slow.listener.reads.set()
    await office.delivered(slow)
    assert slow.listener.sequences == quick.listener.sequences == numbers(1, 3 * PAGE)


async def test_no_more_is_executed_than_the_span_that_a_client_is_at(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    following = office.follow(after=0)
    following.listener.reads.clear()
    await steps_until(lambda: following.listener.waiting)
    await settle()
    assert office.executions == PAGE


async def test_who_leaves_while_it_executes_leaves_the_work_to_the_next(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    first, *others = (office.follow(after=0) for _ in range(3))
    await steps_until(lambda: office.executions > PAGE / 2)
    await first.leave()
    for each in others:
        await office.delivered(each)
        assert each.listener.sequences == numbers(1, 2 * PAGE)
    assert first.listener.sequences == []


async def test_a_removed_dam_is_not_replayed_from_what_is_kept(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    before = office.follow(after=0)
    await office.delivered(before)
    office.log.remove(3)
    office.add()
    await office.seen()
    after = office.follow(after=0)
    await office.delivered(after)
    assert after.listener.sequences == [1, 2, *numbers(4, 2 * PAGE), office.log.last]


async def test_a_dam_removed_while_its_span_is_executed_is_not_kept(office: Station) -> None:
    office.add(2 * PAGE)
    await office.seen()
    early = office.follow(after=0)
    await steps_until(lambda: office.executions > PAGE / 2)
    office.log.remove(3)
    office.add()
    await office.seen()
    await office.delivered(early)
    late = office.follow(after=0)
    await office.delivered(late)
    assert late.listener.sequences == [1, 2, *numbers(4, 2 * PAGE), office.log.last]


async def test_what_is_kept_is_bounded(office: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "KEPT_BYTES", 150_000)  # more than one span, less than two
    office.add(6 * PAGE)
    await office.seen()
    chance = random.Random(5)
    begins = [chance.randrange(5 * PAGE) for _ in range(SUBSCRIBERS)]
    followed = [office.follow(after=after) for after in begins]
    for after, each in zip(begins, followed, strict=True):
        await office.delivered(each)
        assert each.listener.sequences == numbers(after + 1, 6 * PAGE)
    kept = office.delivery.groups._replays
    assert 0 < kept._kept_bytes == sum(each.size for each in kept._kept.values()) <= replays.KEPT_BYTES
    assert not kept._at_work


async def test_a_client_that_has_it_all_to_itself_leaves_turns_to_others(office: Station) -> None:
    """Neither what is kept nor a client that reads everything ever has to wait for anything."""
    office.add(20 * PAGE)
    await office.seen()
    await office.delivered(office.follow(after=0))
    again = office.follow(after=0)
    turns = 0
    while again.listener.sequences[-1:] != [office.log.last]:
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20
    assert office.executions == 20 * PAGE
