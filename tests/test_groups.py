"""Joining and leaving groups: whoever comes when, with whatever cursor, gets each dam after it once and in order."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator

import pytest

from models.errors import ServerDraining
from pubsub import hub as hub_module
from pubsub.log import PAGE
from schema.errors import MASKED, masked_extensions
from tests.conftest import until
from tests.in_memory import ANYBODY, IDS, Following, Listener, Station, settle, station, steps_until
from transport.streams.groups import RESULTS_A_WRITE
from transport.streams.operations import Operation, subscription_of
from transport.streams.subscriber import MAX_WAITING, refusal
from transport.streams.turn import SOCKETS_A_TURN

REMEMBERED = 64
"""Fewer than in earnest, so that few events are more."""


@pytest.fixture(autouse=True)
def _little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.streams.groups.REMEMBERED", REMEMBERED)


UNUSUAL = "subscription { ...Root } fragment Root on Subscription { damAdded { damId } }"
"""Executed for itself."""

CREEKS = 'subscription ($after: String) { damAdded(after: $after, where: {text: "creek"}) { damId } }'
NAMES = "subscription ($after: String) { damAdded(after: $after) { name } }"


@pytest.fixture
async def office(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    async with station(monkeypatch) as office:
        yield office


def expected(office: Station, after: int) -> list[int]:
    """All adds after the event that are still there."""
    return [event.sequence for event in office.log.events if event.sequence > after and is_there(office, event.dam_id)]


def is_there(office: Station, dam_id: int) -> bool:
    return dam_id not in office.log.removed


class Joiners:
    """Subscribers that come at random moments with random cursors, and go or stay."""

    def __init__(self, office: Station, chance: random.Random) -> None:
        self._office = office
        self._chance = chance
        self.staying: list[tuple[int, Following]] = []
        self.gone: list[tuple[int, Following]] = []

    async def come(self) -> None:
        chance, office = self._chance, self._office
        for _ in range(chance.choice([0, 1, 2, 5, 40])):
            await asyncio.sleep(0)
        # Near the end, where groups remember; anywhere; or without a cursor.
        near = max(0, office.hub.position - chance.randrange(2 * REMEMBERED))
        after = chance.choice([near, near, chance.randrange(office.hub.position + 1), None])
        begin = office.hub.position if after is None else after
        following = office.follow(chance.choice([IDS, NAMES]), after=after)
        if chance.random() < 0.2:
            following.listener.reads.clear()
            asyncio.get_running_loop().call_later(chance.uniform(0, 0.1), following.listener.reads.set)
        if chance.random() < 0.3:
            self.staying.append((begin, following))
            return
        for _ in range(chance.choice([0, 1, 2, 3, 5, 8, 50, 300])):
            await asyncio.sleep(0)
        await following.leave()
        self.gone.append((begin, following))


@pytest.mark.parametrize("seed", range(6))
async def test_joiners_at_any_moment_get_each_dam_once_and_in_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", chance.choice([100, 2_000]))
    async with station(monkeypatch) as office:
        joiners = Joiners(office, chance)

        async def write() -> None:
            for _ in range(40):
                office.add(chance.choice([1, 1, 1, 2, RESULTS_A_WRITE + 1, REMEMBERED + 10]))
                if chance.random() < 0.2:
                    there = [event.dam_id for event in office.log.events if is_there(office, event.dam_id)]
                    office.log.remove(chance.choice(there))
                for _ in range(chance.choice([0, 1, 10, 100])):
                    await asyncio.sleep(0)

        async def join() -> None:
            for _ in range(20):
                await joiners.come()

        office.add(chance.choice([0, 10, PAGE + 100]))
        await office.seen()
        await asyncio.gather(write(), *(join() for _ in range(10)))
        office.add()
        for begin, following in joiners.staying:
            await until(lambda: following.task.done() or following.listener.position == office.log.last)  # noqa: B023
            slow = following.task.done() and following.task.result().reason == "slow_consumer"
            check(office, begin, following.listener.sequences, following.listener.position if slow else office.log.last)
        for begin, following in joiners.gone:
            if sequences := following.listener.sequences:
                check(office, begin, sequences, sequences[-1])


def check(office: Station, begin: int, sequences: list[int], end: int) -> None:
    """All that is still there must have come. What was removed meanwhile may have."""
    assert sequences == sorted(set(sequences))
    assert [sequence for sequence in sequences if is_there(office, sequence)] == [
        sequence for sequence in expected(office, begin) if sequence <= end
    ]


async def test_a_burst_goes_out_in_few_writes_and_is_remembered_for_those_who_come_later(office: Station) -> None:
    first = office.follow()
    await settle()
    office.add(2 * RESULTS_A_WRITE)  # which the hub reads at once
    await office.seen()
    assert first.listener.sequences == list(range(1, 2 * RESULTS_A_WRITE + 1))
    assert first.listener.writes == 2
    executions = office.executions
    later = office.follow(after=office.log.last - REMEMBERED)
    await settle()
    assert later.listener.sequences == first.listener.sequences[-REMEMBERED:]
    assert later.listener.writes == 1
    assert office.executions == executions
    earlier = office.follow(after=office.log.last - REMEMBERED - 1)
    await settle()
    assert earlier.listener.sequences == first.listener.sequences[-REMEMBERED - 1 :]
    assert office.executions == executions + REMEMBERED + 1
    office.add()
    await office.seen()
    assert [each.listener.sequences[-1] for each in (first, later, earlier)] == [office.log.last] * 3
    assert office.executions == executions + REMEMBERED + 2


async def test_a_burst_of_large_results_goes_out_in_more_writes(
    office: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what waits for clients that do not read is bounded in bytes too."""
    monkeypatch.setattr("transport.streams.groups.BYTES_A_WRITE", 30)  # less than a result
    member = office.follow()
    await settle()
    office.add(20)
    await office.seen()
    assert member.listener.sequences == list(range(1, 21))
    assert member.listener.writes == 20


async def test_who_replays_more_than_a_page_and_meets_a_burst_gets_all_of_it(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    live = office.follow()
    replaying = office.follow(after=0)
    await steps_until(lambda: len(replaying.listener.sequences) >= PAGE)
    office.add(2 * PAGE)
    await office.delivered(replaying)
    assert replaying.listener.sequences == list(range(1, 5 * PAGE + 1))
    assert live.listener.sequences == list(range(3 * PAGE + 1, 5 * PAGE + 1))


async def test_who_resumes_from_the_memory_of_a_group_is_not_ended_by_the_next_event(
    office: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in one piece may be more than what may come behind it."""
    monkeypatch.setattr("transport.streams.groups.REMEMBERED", 500)
    office.follow()
    await settle()
    office.add(400)
    await office.seen()
    late = office.follow(after=0)
    late.listener.reads.clear()
    await settle()
    assert late.listener.waiting == 400
    office.add(MAX_WAITING)
    await office.seen()
    late.listener.reads.set()
    await office.delivered(late)
    assert late.listener.sequences == list(range(1, 400 + MAX_WAITING + 1))


async def test_who_sends_no_variable_harms_nobody_else(office: Station) -> None:
    """One resumes by Last-Event-ID, without the variable that the document demands; another one sends it."""
    office.add(3)
    await office.seen()
    document = "subscription ($after: String!) { damAdded(after: $after) { damId } }"
    subscription = subscription_of(document, None)
    assert subscription is not None
    operation = Operation(document, {}, None)
    lacking = office.delivery.follow(Listener(3), operation, subscription, office.context, ANYBODY, after=1)
    task = asyncio.create_task(lacking)
    good = office.follow(document, after=1)
    assert (await task).reason == "bad_user_input"
    office.add()
    await office.seen()
    assert good.listener.sequences == [2, 3, 4]


async def test_a_replay_ends_at_the_end_of_the_log_whatever_it_has_found(office: Station) -> None:
    office.add(name="Deer Creek")
    office.add(2 * PAGE)
    await office.seen()
    followed = [office.follow(CREEKS, after=0) for _ in range(2)]
    await settle()
    assert len(office.delivery.groups) == 1
    office.add(name="Mill Creek")
    await office.seen()
    assert [each.listener.sequences for each in followed] == [[1, office.log.last]] * 2
    assert office.executions == 2


async def test_a_cursor_of_another_process_may_be_ahead_of_this_one(office: Station) -> None:
    office.add()
    await office.seen()
    office.log.add()  # which this process has not heard of yet
    ahead, here = office.follow(after=2), office.follow()
    await settle()
    office.add()
    await office.seen()
    assert ahead.listener.sequences == [3]
    assert here.listener.sequences == [2, 3]
    assert office.executions == 2


async def test_a_removed_dam_is_not_served_from_the_memory_of_a_group(office: Station) -> None:
    member = office.follow()
    await settle()
    office.add(3)
    await office.seen()
    office.log.remove(2)
    office.add()
    await office.seen()
    joiner = office.follow(after=0)
    await settle()
    assert member.listener.sequences == [1, 2, 3, 5]
    assert joiner.listener.sequences == [1, 3, 5]
    executions = office.executions
    office.add()
    await office.seen()
    again = office.follow(after=5)  # of what came after the removal there is a memory again
    await settle()
    assert again.listener.sequences == [6]
    assert office.executions == executions + 1
    assert len(office.delivery.groups) == 1


async def test_a_member_that_reads_late_gets_what_was_remembered_for_it(office: Station) -> None:
    """What waits when it joins goes out when it reads, not with the next event."""
    office.follow()
    await settle()
    office.add(3)
    await office.seen()
    late = office.follow(after=0)
    late.listener.reads.clear()
    await settle()
    assert late.listener.sequences == []
    late.listener.reads.set()
    await settle()
    assert late.listener.sequences == [1, 2, 3]


@pytest.mark.parametrize("behind", [0, 1, REMEMBERED + 1])
async def test_the_last_member_may_leave_at_any_step_while_another_one_joins(behind: int, office: Station) -> None:
    office.add(REMEMBERED + 1)
    await office.seen()
    groups = office.delivery.groups
    for leave_at in range(20):
        for join_at in range(leave_at + 3):
            begin = office.hub.position - behind
            first = office.follow(after=begin)
            office.add()
            for step in range(leave_at + 3):
                if step == join_at:
                    second = office.follow(after=begin)
                if step == leave_at:
                    first.task.cancel()
                await asyncio.sleep(0)
            await office.delivered(second)
            assert second.listener.sequences == list(range(begin + 1, office.log.last + 1)), (leave_at, join_at)
            await steps_until(lambda: len(groups) == 1)
            await second.leave()
            await steps_until(lambda: len(groups) == 0)


async def test_a_successor_of_a_group_keeps_its_key(office: Station) -> None:
    """A group that ends late does not forget the one that has its key by now."""
    first = office.follow()
    await settle()
    first.task.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
        office.follow()
    await settle()
    assert len(office.delivery.groups) == 1
    office.add()
    await office.seen()
    assert office.executions == 1
    assert [each.listener.sequences for each in office.followed] == [[], [1], [1], [1]]


async def test_who_leaves_while_it_replays_leaves_nothing_behind(office: Station) -> None:
    office.add(3 * PAGE)
    await office.seen()
    tasks = asyncio.all_tasks()
    replaying = office.follow(after=0)
    await steps_until(lambda: len(replaying.listener.sequences) >= PAGE)
    await replaying.leave()
    await settle()
    assert len(office.delivery.groups) == 0
    assert asyncio.all_tasks() == tasks
    executions = office.executions
    office.add()
    await office.seen()
    assert office.executions == executions


async def test_many_members_come_and_go_while_an_event_is_sent(office: Station) -> None:
    """Sending to many takes several turns. Who has left hears nothing more: its id may be in use again."""
    members = [office.follow() for _ in range(4 * SOCKETS_A_TURN)]
    await settle()
    office.add(2)
    await steps_until(lambda: any(member.listener.sequences for member in members))
    assert sum(member.listener.writes for member in members) == SOCKETS_A_TURN
    leavers, stayers = members[::2], members[1::2]
    for leaver in leavers:
        leaver.task.cancel()
    joiners = [office.follow(after=0) for _ in range(100)]
    await asyncio.sleep(0)
    got = [leaver.listener.sequences for leaver in leavers]
    await office.seen()
    assert [leaver.listener.sequences for leaver in leavers] == got
    assert [each.listener.sequences for each in stayers + joiners] == [[1, 2]] * (len(stayers) + 100)
    assert office.executions == 2


async def test_an_expired_cursor_in_a_replay_ends_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "KEPT_EVENTS", 10)
    async with station(monkeypatch) as office:
        office.add(3 * PAGE)
        await office.seen()
        member, replaying = office.follow(), office.follow(after=0)
        await steps_until(lambda: len(replaying.listener.sequences) >= PAGE // 2)
        office.log.prune(2 * PAGE)
        end = await replaying.end()
        assert end.reason == "cursor_expired"
        assert end.last is not None
        assert end.last["errors"][0]["extensions"] == {"code": "CURSOR_EXPIRED"}
        assert replaying.listener.sequences == list(range(1, PAGE + 1))
        office.add()
        await office.seen()
        assert member.listener.sequences == [office.log.last]


async def test_a_source_that_fails_tells_every_member_and_the_group_is_gone(office: Station) -> None:
    members = [office.follow() for _ in range(3)]
    await settle()
    office.add(2)
    await office.seen()
    office.hub._kept.clear()
    office.log.add()
    office.log.add()
    office.log.prune(4)  # past the hub, which has to skip
    office.hub.announce(office.log.last)
    for member in members:
        end = await member.end()
        assert end.last is not None
        assert end.last["errors"][0]["extensions"] == {"code": "CURSOR_EXPIRED"}
        assert member.listener.sequences == [1, 2]
    await settle()
    assert len(office.delivery.groups) == 0
    assert office.hub.last_removal == 4, "what was passed over may have been a removal"
    joiner = office.follow()
    await settle()
    office.add()
    await office.seen()
    assert joiner.listener.sequences == [5]


async def test_what_came_before_a_failure_is_delivered(office: Station) -> None:
    """A row in the middle of a burst, of which no dam can be made: that ends a subscription, as Strawberry has it."""
    member = office.follow()
    await settle()
    office.add(3)
    office.log.add()
    del office.log.events[-1].dam.owner_types
    office.add(3)
    await member.end()
    *dams, failed = member.listener.payloads
    assert [dam["data"]["damAdded"]["damId"] for dam in dams] == [1, 2, 3]
    assert failed["errors"][0]["extensions"] == masked_extensions("0" * 32)
    assert len(office.delivery.groups) == 0


@pytest.mark.parametrize("document", [IDS, UNUSUAL])
@pytest.mark.parametrize("after", [None, 0])
async def test_what_nobody_expected_is_masked_and_logged(
    office: Station, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, document: str, after: int | None
) -> None:
    def broken(*_: object) -> bytes:
        raise ArithmeticError("the secret")

    office.add(REMEMBERED + 1)
    await office.seen()
    monkeypatch.setattr("transport.streams.executor.process_result", broken)
    members = [office.follow(document, after=after) for _ in range(2)]
    await settle()
    office.add()
    for member in members:
        end = await member.end()
        assert end.reason == "internal_server_error"
        [error] = end.errors
        assert error["message"] == MASKED
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert error["extensions"]["requestId"] in caplog.text
    assert "the secret" in caplog.text
    assert len(office.delivery.groups) == 0
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * len(caplog.records)


@pytest.mark.parametrize("document", [IDS, UNUSUAL])
async def test_who_is_told_the_end_hears_it_at_once(office: Station, document: str) -> None:
    """And not with the next event."""
    following = office.follow(document)
    await settle()
    office.add()
    await office.seen()
    following.listener.finish(refusal(ServerDraining("Soon.")))
    assert (await following.end()).reason == "server_draining"
    assert following.listener.sequences == [1]
    assert len(office.delivery.groups) == 0


async def test_what_happened_before_a_group_began_is_no_lag(office: Station) -> None:
    office.add(3)
    await office.seen()
    office.follow(after=0)
    await settle()
    assert office.delivery.metrics.median_lag_s() is None
    office.add()
    await office.seen()
    assert office.delivery.metrics.median_lag_s() is not None
