"""Servers on one database: they wake each other through Redis, and lose nothing without it.

Two in this process are as good as two processes: each has its own hub, its own bus and its own connections.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest
import redis

from auth.viewer import Viewer
from models.database import Database
from pubsub import bus as bus_module
from pubsub import hub as hub_module
from pubsub.bus import RedisBus
from resolvers.inventory import redis_channel
from tests.conftest import Serve, Server, until
from tests.services import Redis, running
from tests.streaming import add_many, cursor_of, following

DEGRADED = "Redis cannot be reached; dams of other processes arrive within a second."
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


@asynccontextmanager
async def pair(serve: Serve, redis_url: str | None) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers that know of each other."""
    async with serve(redis_url=redis_url) as one, serve(redis_url=redis_url) as other:
        await until(lambda: is_ready(one))
        await until(lambda: is_ready(other))
        yield one, other


async def readiness(server: Server) -> Any:
    answer = await server.http.get("/readyz")
    return answer.status_code, answer.json()


async def is_ready(server: Server) -> Any:
    status, answer = await readiness(server)
    return (status, answer["status"]) == (200, "ok") and answer["checks"]["redis"] in {"ok", "not used"}


async def is_degraded(server: Server) -> Any:
    return await readiness(server) == (200, {"status": "degraded", "checks": {"database": "ok", "redis": DEGRADED}})


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
