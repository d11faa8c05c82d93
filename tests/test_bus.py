"""Servers on one database wake each other through Redis, and lose nothing without it."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing, closing, suppress
from functools import partial

import pytest
import redis
from redis.asyncio import Redis as RedisClient

from auth.viewer import Viewer
from models.database import Database
from pubsub import bus as bus_module
from pubsub import hub as hub_module
from pubsub import shared_buckets as shared_buckets_module
from pubsub.bus import RedisBus
from pubsub.log import last_sequence
from pubsub.shared_buckets import SharedBuckets
from resolvers.inventory import redis_channel
from tests.conftest import Place, Serve, Server, until
from tests.pairs import is_degraded, is_ready, pair
from tests.redis_topologies import ask
from tests.services import Redis, running
from tests.streaming import TIMEOUT_S, add_many, cursor_of, following
from tests.test_processes import Process

FOR_EVER = 600.0


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """To be killed and frozen."""
    with running(Redis()) as server:
        yield server


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives has come by Redis."""
    monkeypatch.setattr(hub_module, "POLL_S", FOR_EVER)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "PING_INTERVAL_S", 0.2)


@pytest.mark.usefixtures("admin", "no_poll")
async def test_a_server_wakes_the_other_by_redis(serve: Serve, redis_server: Redis) -> None:
    async with (
        pair(serve, redis_server.url) as (one, other),
        following(one, await cursor_of(one)) as here,
        following(other, await cursor_of(one)) as there,
    ):
        for name in ["Deer Creek", "Jordanelle", "Echo"]:
            await add_many(one, [name])
            assert await there.names(1) == await here.names(1) == [name]


@pytest.mark.usefixtures("admin")
async def test_servers_without_redis_find_each_others_dams_by_polling(serve: Serve) -> None:
    async with pair(serve, None) as (one, other), following(other, await cursor_of(one)) as there:
        await add_many(one, ["Deer Creek"])
        assert await there.names(1) == ["Deer Creek"]


@pytest.mark.usefixtures("admin")
async def test_redis_may_be_killed_and_come_back_during_1000_adds(serve: Serve, own_redis: Redis) -> None:
    names = [f"Dam {number}" for number in range(1_000)]
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        arrivals = asyncio.create_task(there.names(1_000))
        for start in range(0, 1_000, 20):
            await add_many(one, names[start : start + 20])
            if start == 300:
                await asyncio.to_thread(own_redis.kill)
            if start == 600:
                await until(lambda: is_degraded(other))
                await asyncio.to_thread(own_redis.start)
        assert await arrivals == names
        await until(lambda: is_ready(one))
        await until(lambda: is_ready(other))


@pytest.mark.usefixtures("admin", "impatient")
async def test_a_frozen_redis_is_noticed_and_polled_around(serve: Serve, own_redis: Redis) -> None:
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        own_redis.freeze()
        await add_many(one, ["Deer Creek"])
        assert await there.names(1) == ["Deer Creek"]
        await until(lambda: is_degraded(one))
        await until(lambda: is_degraded(other))
        own_redis.resume()
        await until(lambda: is_ready(one))
        await until(lambda: is_ready(other))
        await add_many(one, ["Jordanelle"])
        assert await there.names(1) == ["Jordanelle"]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("harm", ["freeze", "kill"])
async def test_nobody_who_adds_waits_for_redis(
    harm: str, serve: Serve, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "PING_INTERVAL_S", FOR_EVER)  # a wait for Redis would not end
    async with pair(serve, own_redis.url) as (one, _), following(one, await cursor_of(one)) as here:
        getattr(own_redis, harm)()
        for name in ["Deer Creek", "Jordanelle", "Echo"]:
            await add_many(one, [name])
            assert await here.names(1) == [name]
        own_redis.resume()


@pytest.mark.usefixtures("admin", "no_poll")
async def test_a_cut_connection_is_made_again_and_what_was_missed_is_read(serve: Serve, own_redis: Redis) -> None:
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        with closing(redis.Redis.from_url(own_redis.url)) as client:
            for number in range(5):
                assert client.client_kill_filter(_type="pubsub") == 2
                assert client.client_kill_filter(_type="normal", skipme=True) >= 0
                await add_many(one, [f"Dam {number}"])
                assert await there.names(1) == [f"Dam {number}"]
                await until(lambda: client.pubsub_numsub(*client.pubsub_channels())[0][1] == 2)


def subscribers(client: redis.Redis) -> set[str]:
    return {connection["id"] for connection in client.client_list(_type="pubsub")}


def are_new(client: redis.Redis, cut: set[str]) -> bool:
    return len(subscribers(client) - cut) == 2


@pytest.mark.usefixtures("admin", "no_poll")
async def test_a_subscription_cut_by_the_output_buffer_limit_is_made_again(serve: Serve, own_redis: Redis) -> None:
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        with closing(redis.Redis.from_url(own_redis.url)) as client:
            client.config_set("client-output-buffer-limit", "pubsub 1kb 0 0")
            (channel,) = client.pubsub_channels()
            for number in range(5):
                cut = subscribers(client)
                client.publish(channel, "x" * 100_000)
                await add_many(one, [f"Dam {number}"])
                assert await there.names(1) == [f"Dam {number}"]
                await until(partial(are_new, client, cut))


@pytest.mark.usefixtures("admin", "no_poll")
async def test_a_slow_redis_delays_and_loses_nothing(serve: Serve, own_redis: Redis) -> None:
    names = [f"Dam {number}" for number in range(200)]

    async def hold_up() -> None:
        """Every command waits for up to 0.3 s."""
        async with RedisClient.from_url(own_redis.url) as client:
            while True:
                await client.client_pause(300)

    async with pair(serve, own_redis.url) as (one, other):
        start = await cursor_of(one)
        async with following(one, start) as here, following(other, start) as there:
            slowness = asyncio.create_task(hold_up())
            for first in range(0, 200, 20):
                await add_many(one, names[first : first + 20])
            assert await here.names(200) == await there.names(200) == names
            assert await is_ready(one)
            assert await is_ready(other)
            slowness.cancel()


@pytest.mark.usefixtures("admin", "impatient")
async def test_a_redis_that_is_too_slow_counts_as_away_until_it_answers(serve: Serve, own_redis: Redis) -> None:
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        with closing(redis.Redis.from_url(own_redis.url)) as client:
            client.client_pause(2_000)
            await add_many(one, ["Deer Creek"])
            assert await there.names(1) == ["Deer Creek"]
            await until(lambda: is_degraded(other))
            await until(lambda: is_ready(other))


@pytest.mark.usefixtures("admin", "no_poll")
async def test_forged_messages_are_harmless(serve: Serve, own_redis: Redis) -> None:
    forged: list[str | bytes] = ["", "dam", b"\xff\x00", "-1", "0", "1.5", str(10**30), "9" * 10_000, '{"sequence": 1}']
    async with pair(serve, own_redis.url) as (one, other), following(other, await cursor_of(one)) as there:
        with closing(redis.Redis.from_url(own_redis.url)) as client:
            (channel,) = client.pubsub_channels()
            for number, message in enumerate(forged):
                assert client.publish(channel, message) == 2
                await add_many(one, [f"Dam {number}"])
                assert await there.names(1) == [f"Dam {number}"]
        assert await is_ready(other)


async def test_a_signal_is_the_number_that_was_announced(own_redis: Redis) -> None:
    bus = RedisBus(own_redis.url, "dams:ours")
    with closing(redis.Redis.from_url(own_redis.url)) as client:
        async with aclosing(bus.signals()) as signals:
            assert await anext(signals) is None  # of the subscription
            for message, signal in [("7", 7), ("dam", None), ("8", 8)]:
                assert client.publish("dams:ours", message) == 1
                assert await anext(signals) == signal
            client.client_kill_filter(_type="pubsub")
            assert await anext(signals) is None
    await bus.close()


class Busy(SharedBuckets):
    """There is always something to settle."""

    async def settle(self) -> None:
        await super().settle()
        self._unsettled["key"] += 0.001


@pytest.mark.parametrize("work", ["publish", "listen", "settle"])
async def test_what_is_cancelled_ends(work: str, redis_server: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = RedisBus(redis_server.url, "dams:ours")
    monkeypatch.setattr(bus_module, "PING_INTERVAL_S", 0.001)  # sends all the time
    monkeypatch.setattr(shared_buckets_module, "SETTLE_S", 0)
    buckets = Busy(redis_server.url, "dams:ours")
    await buckets.settle()

    async def publish() -> None:
        while True:
            await bus.publish(1)

    async def listen() -> None:
        async for _ in bus.signals():
            pass

    works = {"publish": publish, "listen": listen, "settle": buckets.settle_for_ever}
    for number in range(200):
        task = asyncio.create_task(works[work]())
        await asyncio.sleep(0.01)
        for _ in range(number % 10):
            await asyncio.sleep(0)  # a turn of the loop
        task.cancel()
        assert await asyncio.wait([task], timeout=5) == ({task}, set())
    await bus.close()
    await buckets.close()


@pytest.mark.usefixtures("admin")
async def test_messages_are_sent_after_the_commit(serve: Serve, own_redis: Redis, database: Database) -> None:
    last = await last_sequence(database) + 100
    async with (
        serve(redis_url=own_redis.url) as server,
        RedisClient.from_url(own_redis.url) as client,
        client.pubsub() as subscription,
    ):
        await subscription.subscribe(await redis_channel(database))
        adds = asyncio.create_task(add_many(server, [f"Dam {number}" for number in range(100)]))
        announced = 0
        while announced < last:
            message = await subscription.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S)
            if message is not None:
                announced = int(message["data"])
                assert await last_sequence(database) >= announced
        await adds


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_process_killed_between_commit_and_message_loses_nothing(
    place: Place, serve: Serve, own_redis: Redis
) -> None:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(serve(redis_url=own_redis.url))
        start = await cursor_of(other)
        there = await stack.enter_async_context(following(other, start))
        process = Process(DAMS_DATABASE_URL=place.url, DAMS_REDIS_URL=own_redis.url)
        stack.callback(process.close)
        await asyncio.to_thread(process.start)
        one = Server(f"http://127.0.0.1:{process.port}", stack)
        stack.push_async_callback(one.http.aclose)

        own_redis.freeze()  # its first message waits for the handshake of its connection
        await add_many(one, ["Deer Creek"])
        await asyncio.to_thread(process.kill)
        own_redis.resume()
        assert await there.names(1) == ["Deer Creek"]
        assert "cmdstat_publish" not in ask(own_redis, "INFO", "commandstats")

        await asyncio.to_thread(process.start)
        async with following(one, start) as again:
            assert await again.names(1) == ["Deer Creek"]


async def test_inventories_on_one_redis_do_not_wake_each_other(own_redis: Redis) -> None:
    ours, theirs = RedisBus(own_redis.url, "dams:ours"), RedisBus(own_redis.url, "dams:theirs")
    heard = {ours: 0, theirs: 0}

    async def listen(bus: RedisBus) -> None:
        async for _ in bus.signals():
            heard[bus] += 1

    listeners = [asyncio.create_task(listen(bus)) for bus in heard]
    await until(lambda: list(heard.values()) == [1, 1])  # of its own subscription
    for _ in range(3):
        await theirs.publish(1)
    await ours.publish(1)
    await until(lambda: list(heard.values()) == [2, 4])
    for listener in listeners:
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener
    await ours.close()
    await theirs.close()


@pytest.mark.usefixtures("admin")
async def test_the_channel_is_named_after_the_inventory(serve: Serve, own_redis: Redis, database: Database) -> None:
    async with pair(serve, own_redis.url):
        with closing(redis.Redis.from_url(own_redis.url)) as client:
            assert client.pubsub_channels() == [(await redis_channel(database)).encode()]


async def test_a_server_starts_while_redis_is_away(serve: Serve, own_redis: Redis, admin: Viewer) -> None:
    own_redis.kill()
    async with serve(redis_url=own_redis.url) as server:
        await until(lambda: is_degraded(server))
        assert (await server.http.get("/livez")).json() == {"status": "ok"}
        await add_many(server, ["Deer Creek"])
        own_redis.start()
        await until(lambda: is_ready(server))
