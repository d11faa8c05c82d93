"""Subscriptions as Apollo's multipart protocol says it.

https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from auth.viewer import Viewer
from resolvers.cursors import event_cursor
from tests.conftest import Serve, Server, until
from tests.event_streams import COUNT, codes, leaving_nothing_behind, metric, on_sqlite, requested, subscribed
from tests.streaming import ADD, BEARER, FOLLOW, TIMEOUT_S, add_many, cursor_of, dam_input, following
from transport import event_stream

APOLLO = (
    "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9"
)
"""What Apollo Client 4 accepts for a subscription."""

SPELLINGS = [
    APOLLO,
    "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
    'multipart/mixed;boundary="graphql";subscriptionSpec="1.0", application/json',
    "multipart/mixed; boundary=graphql; subscriptionSpec=1.0, application/json",
    "multipart/mixed;subscriptionSpec=1.0, application/json",
    'multipart/mixed; subscriptionSpec="1.0"',
    "application/json, multipart/mixed;subscriptionSpec=1.0",
    "Multipart/Mixed;SubscriptionSpec=1.0",
    "multipart/mixed;boundary=-;deferSpec=20220824, multipart/mixed;boundary=graphql;subscriptionSpec=1.0",
]


class Parts:
    """Of one multipart answer, read as RFC 2046 has it, each as soon as the delimiter after it is there."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._unread = b"\r\n"  # the first delimiter may do without

    async def _upto(self, mark: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            while mark not in self._unread:
                self._unread += await anext(self._chunks)
        found, _, self._unread = self._unread.partition(mark)
        return found

    async def part(self) -> Any:
        """The JSON of the next one."""
        assert (await self._upto(b"\r\n")) == b""
        assert (await self._upto(b"\r\n\r\n")).lower() == b"content-type: application/json"
        return orjson.loads(await self._upto(b"\r\n--graphql"))

    async def begun(self) -> None:
        """The first delimiter, and a sign of life."""
        assert (await self._upto(b"\r\n--graphql")).strip() == b""
        assert await self.part() == {}

    async def names(self, count: int) -> list[str]:
        names: list[str] = []
        while len(names) < count:
            if part := await self.part():
                assert part.keys() == {"payload"}
                names.append(part["payload"]["data"]["damAdded"]["name"])
        return names

    async def end(self) -> None:
        """The last delimiter, and nothing more."""
        assert self._unread + b"".join([chunk async for chunk in self._chunks]) == b"--\r\n"


@asynccontextmanager
async def parts_of(
    server: Server, query: str = FOLLOW, *, accept: str = APOLLO, **options: Any
) -> AsyncIterator[Parts]:
    """With the options of `requested`."""
    headers = options.pop("headers", {}) | {"accept": accept}
    async with requested(server, query, headers=headers, **options) as response:
        assert response.status_code == 200, await response.aread()
        media_type, *parameters = response.headers["content-type"].split(";")
        assert (media_type, sorted(parameters)) == ("multipart/mixed", ['boundary="graphql"', 'subscriptionSpec="1.0"'])
        yield Parts(response)


@on_sqlite
async def test_a_stream_begins_at_once_and_each_dam_is_a_part(server: Server) -> None:
    for get in (False, True):
        async with parts_of(server, get=get, headers={"accept-encoding": "gzip"}) as parts:
            assert parts.response.headers["cache-control"] == "no-cache, no-transform"
            assert "content-encoding" not in parts.response.headers
            await parts.begun()
            await add_many(server, ["Deer Creek", "--graphql"])
            assert await parts.names(2) == ["Deer Creek", "--graphql"]


@on_sqlite
@pytest.mark.parametrize("accept", SPELLINGS)
async def test_the_protocol_is_asked_for_in_many_spellings(server: Server, accept: str) -> None:
    async with parts_of(server, accept=accept) as parts:
        await parts.begun()
        await add_many(server, ["Deer Creek"])
        assert await parts.names(1) == ["Deer Creek"]


@on_sqlite
async def test_a_silent_stream_shows_that_it_lives(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.02)
    async with parts_of(server) as parts:
        await parts.begun()
        assert [await parts.part() for _ in range(3)] == [{}] * 3
        await add_many(server, ["Deer Creek"])
        assert await parts.names(1) == ["Deer Creek"]


@on_sqlite
async def test_what_is_wrong_is_told_in_the_last_part(server: Server) -> None:
    for query, variables, code in (
        ("subscription { nonsense }", {}, "GRAPHQL_VALIDATION_FAILED"),
        (FOLLOW, {"after": "nonsense"}, "BAD_USER_INPUT"),
        (FOLLOW, {"after": event_cursor(99)}, "CURSOR_AHEAD"),
    ):
        async with parts_of(server, query, **variables) as parts:
            await parts.begun()
            (error,) = (await parts.part())["payload"]["errors"]
            assert error["extensions"] == {"code": code}
            await parts.end()


@on_sqlite
async def test_what_is_no_subscription_is_answered_by_json(server: Server) -> None:
    for accept, kind in (
        (APOLLO, "application/graphql-response+json; charset=utf-8"),
        (SPELLINGS[1], "application/json; charset=utf-8"),
    ):
        for get in (False, True):
            async with requested(server, COUNT, get=get, headers={"accept": accept}) as answer:
                assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
                assert orjson.loads(await answer.aread())["data"] == {"inventory": {"damCount": 0}}
        async with requested(server, ADD, get=True, headers={"accept": accept}, input=dam_input("Echo")) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (405, ["METHOD_NOT_ALLOWED"])


@on_sqlite
async def test_other_kinds_of_multipart_are_not_spoken(server: Server) -> None:
    for accept in ("multipart/mixed", "multipart/mixed;subscriptionSpec=2.0", "multipart/mixed;deferSpec=20220824"):
        async with requested(server, headers={"accept": accept}) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (406, ["NOT_ACCEPTABLE"]), accept


@on_sqlite
async def test_a_stream_can_be_resumed_by_after_and_by_the_last_id(server: Server) -> None:
    await add_many(server, ["Deer Creek", "Jordanelle", "Echo"])
    async with parts_of(server, after=event_cursor(1)) as parts:
        await parts.begun()
        assert await parts.names(2) == ["Jordanelle", "Echo"]
    async with parts_of(server, after=event_cursor(1), headers={"last-event-id": event_cursor(2)}) as parts:
        await parts.begun()
        assert await parts.names(1) == ["Echo"]


@on_sqlite
async def test_a_token_counts_as_everywhere(serve: Serve, admin: Viewer) -> None:
    async with serve(public_read=False) as server:
        async with requested(server, headers={"accept": APOLLO, "authorization": "Bearer nonsense"}) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
        async with parts_of(server, headers=BEARER) as parts:
            await parts.begun()
            await add_many(server, ["Deer Creek"])
            assert await parts.names(1) == ["Deer Creek"]


@on_sqlite
async def test_clients_that_hang_up_leave_nothing_behind(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    await add_many(server, [f"Dam {number}" for number in range(100)])
    async with leaving_nothing_behind(server, caplog):
        for count in (0, 1, 50, 100):
            async with parts_of(server, after=event_cursor(0)) as parts:
                await parts.begun()
                await parts.names(count)


@pytest.mark.parametrize("where", [None, {"river": "Provo River"}])
async def test_subscribers_over_all_transports_share_one_execution(
    server: Server, where: dict[str, str] | None
) -> None:
    names = [f"Dam {number}" for number in range(20)]
    after = await cursor_of(server)
    async with (
        subscribed(server, where=where) as events,
        subscribed(server, get=True, path="/graphql/stream", after=after, where=where) as more_events,
        parts_of(server, where=where) as parts,
        following(server, after, where=where) as socket,
        following(server, after, where=where) as other_socket,
    ):
        await events.begun()
        await more_events.begun()
        await parts.begun()
        await until(lambda: all_are_open(server))
        assert await metric(server, "dams_subscription_groups") == 1
        before = await metric(server, "dams_executions_total")
        await add_many(server, names)
        assert [await stream.names(20) for stream in (events, more_events, parts, socket, other_socket)] == [names] * 5
        assert await metric(server, "dams_executions_total") == before + 20


async def all_are_open(server: Server) -> bool:
    return await metric(server, "dams_subscriptions_open") == 5
