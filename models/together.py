"""Work that costs little more for many than for one: a commit, a look at one row."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_AT_ONCE = 100
"""Items a turn takes. Writers of other processes wait for a transaction of as many adds: some 20 ms."""


class Together(Generic[Item, Result]):
    """Calls that come while one is under way are done together by the next, in the order in which they came.

    Each is answered by work that began after it came: what is read for it is no older than the call. `work` gives a
    result or an exception for each item; one that it raises is for all of them. `start` makes a task of a turn.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._work = work
        self._start = start
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._is_running = False

    async def __call__(self, item: Item) -> Result:
        """An item whose call is cancelled before its turn is left out; one whose turn has come is done."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._is_running:
            self._is_running = True
            self._start(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while turn := self._next_turn():
                await self._do(turn)
        finally:
            self._is_running = False

    def _next_turn(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        waiting = [(item, future) for item, future in self._waiting if not future.done()]
        self._waiting = waiting[MOST_AT_ONCE:]
        return waiting[:MOST_AT_ONCE]

    async def _do(self, turn: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results: Sequence[Result | Exception] = await self._work([item for item, _ in turn])
        except Exception as error:
            results = [error] * len(turn)
        except asyncio.CancelledError:  # the process ends
            for _, future in turn + self._waiting:
                future.cancel()
            raise
        for (_, future), result in zip(turn, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
