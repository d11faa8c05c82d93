"""How much may be asked for within a minute, by whom, and what is said to who asks for more."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import Duration, Rate

from auth.tokens import create_token
from auth.users import add_user
from auth.viewer import Viewer
from models.database import Database
from pubsub import buckets as buckets_module
from pubsub.buckets import Buckets
from pubsub.shared_buckets import SharedBuckets
from resolvers.rate_limits import RateLimits, network_of
from tests.conftest import ADMIN_TOKEN, Serve, Server, until
from tests.event_streams import SSE
from tests.services import Redis, running
from tests.streaming import FOLLOW, opened

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""Where the database makes no difference."""

LIMIT = "{ rateLimit { limit remaining resetAt } }"
COUNT = "{ inventory { damCount } }"
TEN = Rate(10, Duration.MINUTE)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(buckets_module, "time", clock)
    return clock


def test_a_bucket_gives_what_it_holds_and_fills_evenly(clock: Clock) -> None:
    buckets = Buckets()
    assert [buckets.charge("a", TEN, 1) for _ in range(11)] == [0] * 10 + [6]
    assert (buckets.level("a", TEN).remaining, buckets.level("b", TEN).remaining) == (0, 10)
    clock.now += 6
    assert [buckets.charge("a", TEN, 1) for _ in range(2)] == [0, 6]
    clock.now += 60
    assert buckets.level("a", TEN).remaining == 10


def test_who_asks_for_more_than_a_bucket_holds_gets_it_from_a_full_one(clock: Clock) -> None:
    buckets = Buckets()
    assert buckets.charge("a", TEN, 30) == 0
    assert buckets.charge("a", TEN, 1) == 126
    assert buckets.charge("a", TEN, 30) == 180
    clock.now += 180
    assert buckets.charge("a", TEN, 30) == 0


def test_what_is_given_back_can_be_taken_again(clock: Clock) -> None:
    buckets = Buckets()
    assert buckets.charge("a", TEN, 10) == 0
    assert buckets.charge("a", TEN, -4) == 0
    assert [buckets.charge("a", TEN, 1) for _ in range(5)] == [0] * 4 + [6]


def test_full_buckets_are_forgotten(clock: Clock) -> None:
    buckets = Buckets()
    for number in range(1_000):
        buckets.charge(str(number), TEN, 1)
    clock.now += 60
    buckets.charge("last", TEN, 1)
    assert buckets._full_at.keys() == {"last"}


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), max_size=40))
def test_no_minute_gives_more_than_twice_the_limit(asked: list[tuple[float, int]]) -> None:
    """A full bucket, and what fills meanwhile; and one request that is larger than a bucket."""
    clock, buckets, taken = Clock(), Buckets(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets_module, "time", clock)
        for pause, cost in asked:
            clock.now += pause
            if buckets.charge("a", TEN, cost) == 0:
                taken.append((clock.now, cost))
    for since, _ in taken:
        assert sum(cost for at, cost in taken if since <= at < since + 60) <= 20 + 2


def test_an_address_of_ipv6_counts_with_its_network() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.1") == network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("no:address") == "no:address"


def test_who_has_a_token_is_counted_by_token_and_by_user_and_not_by_address() -> None:
    limits = RateLimits(Buckets(), per_address=100, per_user=50, per_token=30)
    nobody, one = Viewer(None, None, frozenset()), Viewer(1, "ada", frozenset(), "laptop")
    other = Viewer(1, "ada", frozenset(), "phone")
    limits.charge(one, "192.0.2.1", 25)
    left = [limits.state(viewer, "192.0.2.1") for viewer in (nobody, one, other)]
    assert [state and (state.limit, state.remaining) for state in left] == [(100, 100), (30, 5), (50, 25)]
    off = RateLimits(Buckets(), per_address=0, per_user=0, per_token=0)
    off.charge(nobody, "192.0.2.1", 10**9)
    assert off.state(nobody, "192.0.2.1") is None


@on_sqlite
async def test_the_answer_says_when_to_come_again_whatever_is_accepted(serve: Serve, admin: Viewer) -> None:
    async with serve(rate_limit_per_address=3, rate_limit_per_user=1_000) as server:
        for remaining in (2, 1, 0):
            limit = (await server.query(LIMIT, None))["rateLimit"]
            assert (limit["limit"], limit["remaining"], limit["resetAt"][-1]) == (3, remaining, "Z")
        for accept in ("application/json", "application/graphql-response+json", "text/event-stream"):
            for query in (COUNT, "{ nonsense }", "subscription { damAdded { name } }"):
                answer = await server.http.post("/graphql", json={"query": query}, headers={"accept": accept})
                assert answer.status_code == 429
                (error,) = answer.json()["errors"]
                assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 20}
                assert answer.headers["retry-after"] == "20"
                assert error["message"] == "Your address may ask for 3 points a minute. Try again in 20 s."
        assert "errors" not in await server.post(COUNT)  # with a token


@on_sqlite
async def test_a_socket_goes_on_when_an_operation_is_too_much(serve: Serve, admin: Viewer) -> None:
    async with serve(rate_limit_per_address=2) as server, opened(server.websocket_url) as socket:
        await socket.init()
        for operation in ("1", "2"):
            assert (await socket.ask(COUNT, operation))["type"] == "next"
            assert (await socket.receive())["type"] == "complete"
        for query in (COUNT, FOLLOW):
            message = await socket.ask(query, "3")
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


@on_sqlite
async def test_tokens_that_are_not_valid_are_charged_to_the_address(serve: Serve, admin: Viewer) -> None:
    async with serve(rate_limit_per_address=3) as server:
        codes = [(await server.post(COUNT, "dams_unknown"))["errors"][0]["extensions"]["code"] for _ in range(4)]
        assert codes == ["UNAUTHENTICATED"] * 3 + ["RATE_LIMITED"]


@pytest.fixture
async def pair(redis_server: Redis) -> AsyncIterator[list[SharedBuckets]]:
    """Of two processes."""
    channel = f"dams:{uuid.uuid4()}"
    pair = [SharedBuckets(redis_server.url, channel) for _ in range(2)]
    yield pair
    for buckets in pair:
        await buckets.close()


async def test_processes_hear_through_redis_what_the_others_gave(pair: list[SharedBuckets]) -> None:
    one, other = pair
    assert one.charge("a", TEN, 6) == 0
    await one.settle()
    assert other.charge("a", TEN, 2) == 0
    await other.settle()
    assert other.level("a", TEN).remaining == 2
    assert other.charge("a", TEN, 3) > 0
    assert one.charge("a", TEN, -6) == 0
    await one.settle()
    assert other.charge("b", TEN, 1) == 0
    assert one.level("a", TEN).remaining == 8


async def test_what_is_full_again_leaves_nothing_in_redis(pair: list[SharedBuckets], redis_server: Redis) -> None:
    one, _ = pair
    one.charge("a", TEN, 1)
    await one.settle()
    one.charge("a", TEN, -2)
    await one.settle()
    assert one.level("a", TEN).remaining == 10


async def test_without_redis_each_process_counts_for_itself_and_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    with running(Redis()) as server:
        buckets = SharedBuckets(server.url, "dams:test")
        buckets.charge("a", TEN, 4)
        await buckets.settle()
        server.kill()
        assert buckets.charge("a", TEN, 4) == 0
        await buckets.settle()
        await buckets.settle()
        assert buckets.charge("a", TEN, 4) > 0
        (record,) = [record for record in caplog.records if "counts for itself" in record.getMessage()]
        assert record.levelname == "WARNING"
        server.start()
        assert buckets.charge("a", TEN, 1) == 0
        await buckets.settle()
        assert not buckets._is_away
        await buckets.close()


@on_sqlite
async def test_two_servers_on_one_redis_share_a_limit(
    serve: Serve, database: Database, redis_server: Redis, admin: Viewer
) -> None:
    await add_user(database, "ada", ["reader"])
    token = await create_token(database, user="ada", name="test")
    async with AsyncExitStack() as stack:
        servers: list[Server] = [
            await stack.enter_async_context(serve(redis_url=redis_server.url, rate_limit_per_token=100))
            for _ in range(2)
        ]
        for _ in range(30):
            await servers[0].query(COUNT, token)
        polls = 0

        async def knows() -> bool:
            nonlocal polls
            polls += 1
            remaining = (await servers[1].query(LIMIT, token))["rateLimit"]["remaining"]
            return bool(remaining + polls < 80)

        await until(knows)


@on_sqlite
async def test_a_stream_is_charged_when_it_begins(serve: Serve, admin: Viewer) -> None:
    async with serve(rate_limit_per_address=1) as server:
        async with server.http.stream("POST", "/graphql", json={"query": FOLLOW}, headers=SSE) as answer:
            assert answer.status_code == 200
        assert (await server.http.post("/graphql", json={"query": COUNT})).status_code == 429


@on_sqlite
async def test_an_operation_is_charged_what_it_costs(serve: Serve, admin: Viewer) -> None:
    page = "{ dams(first: 50) { nodes { name } } rateLimit { remaining } }"  # 52 points
    async with serve(rate_limit_per_address=100, rate_limit_per_user=100) as server:
        assert (await server.query(page, None))["rateLimit"]["remaining"] == 48
        answer = await server.http.post("/graphql", json={"query": page}, headers={"accept": "application/json"})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert answer.headers["retry-after"] == str(error["extensions"]["retryAfter"])
        async with opened(server.websocket_url) as socket:
            await socket.init({"Authorization": f"Bearer {ADMIN_TOKEN}"})
            assert (await socket.ask(page))["type"] == "next"
            await socket.receive()
            message = await socket.ask(page, "2")
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "RATE_LIMITED")
