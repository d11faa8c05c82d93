"""Calls that come together are done together, and each is answered by itself."""

import asyncio
from collections.abc import Sequence
from itertools import chain

import pytest

from models.together import MOST_AT_ONCE, Together


class Work:
    """Notes what it is given, waits until it may go on, and fails for what is negative."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.together = Together(self._do, asyncio.create_task)

    async def _do(self, numbers: Sequence[int]) -> list[str | Exception]:
        self.turns.append(list(numbers))
        await self.may_go_on.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [ValueError(number) if number < 0 else str(number) for number in numbers]

    async def begin(self, *numbers: int) -> list[asyncio.Task[str]]:
        calls = [asyncio.create_task(self.together(number)) for number in numbers]
        await asyncio.sleep(0)
        return calls


async def test_calls_that_come_while_one_is_under_way_share_the_next() -> None:
    work = Work()
    first = await work.begin(1)
    await asyncio.sleep(0)
    others = await work.begin(2, 3, 4)
    work.may_go_on.set()
    assert await asyncio.gather(*first, *others) == ["1", "2", "3", "4"]
    assert work.turns == [[1], [2, 3, 4]]
    assert await work.together(5) == "5"


async def test_a_turn_takes_so_many_at_most() -> None:
    work = Work()
    work.may_go_on.set()
    numbers = range(1, 2 * MOST_AT_ONCE + 2)
    await asyncio.gather(*await work.begin(*numbers))
    assert [len(turn) for turn in work.turns] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]
    assert list(chain.from_iterable(work.turns)) == list(numbers)


async def test_one_that_fails_fails_alone_and_a_turn_that_fails_fails_for_all_of_it() -> None:
    work = Work()
    work.may_go_on.set()
    outcomes = await asyncio.gather(*await work.begin(1, -2, 3), return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["'1'", "ValueError(-2)", "'3'"]
    outcomes = await asyncio.gather(*await work.begin(0, 1), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 2
    assert await work.together(4) == "4"


async def test_what_is_cancelled_before_its_turn_is_left_out_and_harms_no_other() -> None:
    work = Work()
    first = await work.begin(1)
    await asyncio.sleep(0)
    second, third = await work.begin(2, 3)
    second.cancel()
    first[0].cancel()  # its turn has come: it is done, for nobody
    await asyncio.sleep(0)
    work.may_go_on.set()
    assert await third == "3"
    assert work.turns == [[1], [3]]


async def test_the_end_of_the_process_ends_all_calls() -> None:
    tasks: list[asyncio.Task[None]] = []
    never = asyncio.Event()

    async def wait_for_ever(numbers: Sequence[int]) -> list[int | Exception]:
        await never.wait()
        return list(numbers)

    together = Together(wait_for_ever, lambda turn: tasks.append(asyncio.create_task(turn)))
    calls = [asyncio.create_task(together(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    late = asyncio.create_task(together(3))
    await asyncio.sleep(0)
    tasks[0].cancel()
    for call in (*calls, late):
        with pytest.raises(asyncio.CancelledError):
            await call
