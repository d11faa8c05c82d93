"""Redis in its larger forms: servers on one database lose nothing when its nodes die, and wake each other again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from pyrate_limiter import Duration, Rate
from redis.exceptions import ConnectionError as RedisConnectionError

from cli.server import redis_problems
from models.database import Database
from pubsub import bus as bus_module
from pubsub import hub as hub_module
from pubsub.redis_url import connect
from pubsub.shared_buckets import SharedBuckets
from resolvers.inventory import redis_channel
from tests.conftest import Serve, Server, until
from tests.pairs import is_degraded, is_ready, pair
from tests.redis_topologies import Cluster, ask, cluster, watched_primary
from tests.services import free_port
from tests.streaming import Socket, add_many, cursor_of, following

pytestmark = [pytest.mark.parametrize("engine", ["postgresql"], indirect=True), pytest.mark.usefixtures("admin")]


@pytest.fixture(autouse=True)
def _only_redis_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "POLL_S", 600.0)
    monkeypatch.setattr(bus_module, "PING_INTERVAL_S", 0.2)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    with cluster() as nodes:
        yield nodes


async def until_both(are: Callable[[Server], Awaitable[Any]], servers: tuple[Server, Server]) -> None:
    await asyncio.gather(*(until(partial(are, server)) for server in servers))


async def wakes(one: Server, there: Socket, *names: str) -> None:
    for name in names:
        await add_many(one, [name])
        assert await there.names(1) == [name]


@pytest.mark.parametrize("harm", ["kill", "freeze"])
async def test_servers_follow_a_sentinel_to_the_new_primary(harm: str, serve: Serve) -> None:
    with watched_primary() as (sentinel, primary):
        async with pair(serve, sentinel.url) as (one, other), following(other, await cursor_of(one)) as there:
            await wakes(one, there, "Deer Creek", "Jordanelle")
            await asyncio.to_thread(getattr(primary, harm))
            await until_both(is_degraded, (one, other))
            await add_many(one, ["Echo"])
            assert await there.names(1) == ["Echo"]  # read when the new primary has taken the subscription
            await until_both(is_ready, (one, other))
            await wakes(one, there, "Rockport", "Lost Creek")


async def test_check_asks_the_primary_of_the_sentinels() -> None:
    with watched_primary() as (sentinel, primary):
        assert await redis_problems(sentinel.url) == []
        assert "invalid username-password pair" in str(await redis_problems(sentinel.url.replace("p%40ss", "wrong")))
        assert "no Sentinel could be asked" in str(await redis_problems(sentinel.url.replace("secret", "wrong")))
        assert "no Sentinel could be asked" in str(await redis_problems(sentinel.url.replace("/dams", "/other")))
        primary.kill()
        assert "Redis cannot be reached" in str(await redis_problems(sentinel.url))


async def test_check_asks_the_cluster(own_cluster: Cluster) -> None:
    assert await redis_problems(own_cluster.url) == []
    assert "invalid username-password pair" in str(await redis_problems(own_cluster.url.replace("p%40ss", "wrong")))


async def test_what_a_process_gave_is_settled_on_one_node_of_the_cluster(own_cluster: Cluster) -> None:
    one, other = (SharedBuckets(own_cluster.url, "dams:test") for _ in range(2))
    for key in ("a", "b", "c"):
        assert one.charge(key, Rate(10, Duration.MINUTE), 4) == 0
    await one.settle()
    assert not one._is_away
    other.charge("a", Rate(10, Duration.MINUTE), 1)
    await other.settle()
    assert other.level("a", Rate(10, Duration.MINUTE)).remaining == 5
    for buckets in (one, other):
        await buckets.close()


async def test_a_client_of_a_cluster_that_has_lost_a_node_closes_all_its_connections(own_cluster: Cluster) -> None:
    connection = connect(own_cluster.url, timeout_s=1)
    await connection.publish("dams:check", 1)
    owner = own_cluster.owner("dams:check")
    await asyncio.to_thread(owner.kill)
    with pytest.raises(RedisConnectionError):
        await connection.publish("dams:check", 2)
    await connection.close()
    others = [node for node in own_cluster.nodes if node is not owner]
    await until(lambda: not any("user=ada" in ask(node, "CLIENT", "LIST") for node in others))


async def test_servers_follow_a_moved_slot_and_a_failover_of_a_cluster(
    serve: Serve, own_cluster: Cluster, database: Database
) -> None:
    channel = await redis_channel(database)
    source = own_cluster.owner(channel)
    target = next(node for node in own_cluster.nodes if node is not source)
    async with pair(serve, own_cluster.url) as (one, other), following(other, await cursor_of(one)) as there:
        await wakes(one, there, "Deer Creek", "Jordanelle")
        assert ask(source, "PUBSUB", "SHARDNUMSUB", channel) == [channel, 2]

        own_cluster.move(channel, source, target)
        await add_many(one, ["Echo"])
        assert await there.names(1) == ["Echo"]
        await until(lambda: ask(target, "PUBSUB", "SHARDNUMSUB", channel) == [channel, 2])
        await until_both(is_ready, (one, other))
        await wakes(one, there, "Rockport", "Lost Creek")

        own_cluster.give_replica(target)
        await asyncio.to_thread(target.kill)
        await until_both(is_degraded, (one, other))
        await add_many(one, ["Smith and Morehouse"])
        assert await there.names(1) == ["Smith and Morehouse"]
        await until(lambda: ask(own_cluster.spare, "PUBSUB", "SHARDNUMSUB", channel) == [channel, 2])
        await until_both(is_ready, (one, other))
        await wakes(one, there, "East Canyon", "Causey")


async def test_a_node_of_a_cluster_may_be_killed_and_come_back(
    serve: Serve, own_cluster: Cluster, database: Database
) -> None:
    owner = own_cluster.owner(await redis_channel(database))
    async with pair(serve, own_cluster.url) as (one, other), following(other, await cursor_of(one)) as there:
        await asyncio.to_thread(owner.kill)
        await until_both(is_degraded, (one, other))
        await add_many(one, ["Deer Creek"])
        await asyncio.to_thread(owner.start)
        assert await there.names(1) == ["Deer Creek"]
        await until_both(is_ready, (one, other))
        await wakes(one, there, "Jordanelle", "Echo")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://127.0.0.1:{}/dams", "no Sentinel could be asked that knows a primary of dams"),
        (
            "redis+cluster://127.0.0.1:{}",
            "Redis Cluster cannot be connected. Please provide at least one reachable node",
        ),
    ],
    ids=["sentinel", "cluster"],
)
async def test_check_tells_of_sentinels_and_clusters_that_are_away(url: str, reason: str) -> None:
    (problem,) = await redis_problems(url.format(free_port()))
    assert problem.startswith(f"Redis cannot be reached: {reason}")
    assert problem.endswith(". Is DAMS_REDIS_URL right?")
    assert "\n" not in problem
