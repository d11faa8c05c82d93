"""An operation that is cancelled leaves nothing to the garbage collector, at whichever of its steps that happens."""

import asyncio
import gc

import pytest
import strawberry

from schema.execution import Execution


async def soon() -> int:
    await asyncio.sleep(0)
    return 1


@strawberry.type
class Item:
    number: int = strawberry.field(resolver=soon)

    @strawberry.field
    def others(self) -> "list[Item]":
        return [Item(), Item()]


@strawberry.type
class Query:
    number: int = strawberry.field(resolver=soon)

    @strawberry.field
    async def items(self) -> list[Item]:
        return [Item(), Item()]


DOCUMENTS = {
    "fields": "{ a: number b: number }",
    "items of a list": "{ items { number } }",
    "lists within lists": "{ items { a: number b: number others { c: number d: number } } number }",
}
SCHEMA = strawberry.Schema(Query, execution_context_class=Execution)


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_what_is_cancelled_leaves_no_coroutine_that_was_never_awaited(what: str) -> None:
    steps = 0
    while not await is_done_in(steps, DOCUMENTS[what]):
        steps += 1
    assert steps > 3


async def is_done_in(steps: int, document: str) -> bool:
    """Cancels it where it is not."""
    task = asyncio.create_task(SCHEMA.execute(document))
    for _ in range(steps):
        await asyncio.sleep(0)
    if task.done():
        assert not task.result().errors
        return True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    return False
