"""What the tests of subscriptions over HTTP share: a reader that is strict about each byte, and what is left behind."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from models.database import Database
from tests.conftest import Server, until
from tests.shared import dam_values, fill
from tests.streaming import FOLLOW, TIMEOUT_S

SSE = {"accept": "text/event-stream"}
URQL = {
    "accept": "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
}
"""What urql accepts, whatever it asks."""

COUNT = "{ inventory { damCount } }"

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"])
"""Where the database makes no difference."""

Block = dict[str, str]
"""Fields by name. That of a comment is empty."""


class EventStream:
    """Server-sent events as they come over one response."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._unread = b""

    async def block(self) -> Block:
        async with asyncio.timeout(TIMEOUT_S):
            while b"\r\n\r\n" not in self._unread:
                self._unread += await anext(self._chunks)
        block, _, self._unread = self._unread.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in block.decode().split("\r\n")]
        fields = {name: value.removeprefix(" ") for name, _, value in lines}
        assert len(fields) == len(lines), block
        return fields

    async def begun(self) -> str:
        """The cursor of the place where the stream begins: after a first comment, and before any event."""
        assert await self.block() == {"": ""}
        block = await self.block()
        assert block.keys() == {"id"}
        return block["id"]

    async def event(self) -> Block:
        while "event" not in (block := await self.block()):
            assert block.keys() <= {"", "id"}
        return block

    async def dams(self, count: int) -> list[Any]:
        """The next ones that are told."""
        events = [await self.event() for _ in range(count)]
        dams = [orjson.loads(event["data"])["data"]["damAdded"] for event in events]
        assert [(event["event"], event["id"]) for event in events] == [("next", dam["cursor"]) for dam in dams]
        return dams

    async def names(self, count: int) -> list[str]:
        return [dam["name"] for dam in await self.dams(count)]

    async def end(self) -> Any:
        """The payload of the last result, None where there is none; then comes `complete` and nothing more."""
        payload, event = None, await self.event()
        if event["event"] == "next":
            assert event.keys() == {"event", "data"}
            payload, event = orjson.loads(event["data"]), await self.event()
        assert event == {"event": "complete", "data": ""}
        assert self._unread + b"".join([chunk async for chunk in self._chunks]) == b""
        return payload

    async def refusal(self) -> str:
        """The code of the one error that is the last result."""
        (error,) = (await self.end())["errors"]
        return str(error["extensions"]["code"])


@asynccontextmanager
async def requested(
    server: Server,
    query: str = FOLLOW,
    *,
    path: str = "/graphql",
    get: bool = False,
    headers: Mapping[str, Any] = SSE,
    **variables: Any,
) -> AsyncIterator[httpx.Response]:
    """An answer that goes on."""
    operation = {"query": query, "variables": variables}
    if get:
        parameters = {"query": query, "variables": orjson.dumps(variables).decode()}
        opened = server.http.stream("GET", path, params=parameters, headers=headers)
    else:
        opened = server.http.stream("POST", path, json=operation, headers=headers)
    async with opened as response:
        yield response


@asynccontextmanager
async def subscribed(server: Server, query: str = FOLLOW, **options: Any) -> AsyncIterator[EventStream]:
    """With the options of `requested`."""
    async with requested(server, query, **options) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream"
        yield EventStream(response)


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


async def metric(server: Server, name: str) -> float:
    lines = (await server.http.get("/metrics")).text.splitlines()
    (value,) = [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == name]
    return float(value)


async def fill_with_many(database: Database, count: int) -> list[str]:
    """Dams as they were imported; their names in order, and every seventh on Weber River."""
    names = [f"Dam {number}" for number in range(1, count + 1)]
    rivers = ["Weber River" if number % 7 == 0 else "Provo River" for number in range(1, count + 1)]
    values = zip(range(1, count + 1), names, rivers, strict=True)
    await fill(database, [dam_values(id=dam_id, name=name, river=river) for dam_id, name, river in values])
    return names


@asynccontextmanager
async def leaving_nothing_behind(server: Server, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No task, no subscription, no group and no word in the log."""
    await server.http.get("/livez")
    before = len(asyncio.all_tasks())
    yield
    await until(lambda: len(asyncio.all_tasks()) <= before, timeout_s=5)
    assert await metric(server, "dams_subscriptions_open") == 0
    assert await metric(server, "dams_subscription_groups") == 0
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
