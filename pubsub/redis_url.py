"""The Redis that a URL names: one server, the primary that Sentinels watch over, or a cluster.

    redis://[[user]:password@]host[:port][/db][?options]        also rediss:// and unix://, as redis-py reads them
    redis+sentinel://[[user]:password@]host[:port],…/service[/db][?options]        also rediss+sentinel://
    redis+cluster://[[user]:password@]host[:port],…[?options]                      also rediss+cluster://

The latter two are as Prefect and limits write them. User, password and options (redis-py's) are for the Redis
itself; `sentinel_username` and `sentinel_password` are for the Sentinels. TLS and its options are for both.
"""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException

SEVERAL_HOSTS = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>sentinel|cluster)://(?P<user>[^@/?]*@)?(?P<hosts>[^/?]+)(?P<path>[^?]*)(?P<query>.*)"
)
DEFAULT_PORTS = {"sentinel": 26379, "cluster": 6379}


class RedisConnection(Protocol):
    """`subscribed` raises where it cannot connect; later losses show at the subscription."""

    async def publish(self, channel: str, message: int) -> None: ...

    def subscribed(self, channel: str) -> AbstractAsyncContextManager[PubSub]: ...

    async def evaluate(self, script: str, keys: Sequence[str], arguments: Sequence[float | str]) -> Any: ...

    async def close(self) -> None: ...


class Single:
    """One Redis, or the primary that Sentinels name: redis-py asks them anew at each connect."""

    def __init__(self, client: Redis, sentinels: tuple[Redis, ...] = ()) -> None:
        self._client = client
        self._sentinels = sentinels
        # Not to be used: raises TypeError for an unknown option.
        client.connection_pool.make_connection()  # type: ignore[no-untyped-call]

    async def publish(self, channel: str, message: int) -> None:
        await self._client.publish(channel, message)

    @asynccontextmanager
    async def subscribed(self, channel: str) -> AsyncIterator[PubSub]:
        async with self._client.pubsub() as subscription:
            await subscription.subscribe(channel)
            yield subscription

    async def evaluate(self, script: str, keys: Sequence[str], arguments: Sequence[float | str]) -> Any:
        return await self._client.eval(script, len(keys), *keys, *arguments)

    async def close(self) -> None:
        for client in (self._client, *self._sentinels):
            await client.aclose()


class Cluster:
    """Sharded pub/sub: a message goes to the nodes of its channel's slot, not to all of the cluster."""

    def __init__(self, client: RedisCluster, options: dict[str, Any]) -> None:
        self._client = client
        self._options = options

    async def publish(self, channel: str, message: int) -> None:
        await self._client.spublish(channel, message)

    @asynccontextmanager
    async def subscribed(self, channel: str) -> AsyncIterator[PubSub]:
        """At the node that owns the slot now.

        A plain connection to it, because redis-py's ClusterPubSub sends its ping to another node than it listens to.
        """
        await self._client.initialize()
        await self._client.nodes_manager.initialize()  # the slot may have moved since the first look
        owner = self._client.nodes_manager.get_node_from_slot(self._client.keyslot(channel))
        node = Redis(host=owner.host, port=int(owner.port), **self._options)
        async with node, node.pubsub() as subscription:
            await subscription.ssubscribe(channel)
            yield subscription

    async def evaluate(self, script: str, keys: Sequence[str], arguments: Sequence[float | str]) -> Any:
        return await self._client.eval(script, len(keys), *keys, *arguments)

    async def close(self) -> None:
        await self._client.aclose()
        # which does nothing for a client that has lost a node and not looked for another yet
        for nodes in ("nodes_cache", "startup_nodes"):
            await self._client.nodes_manager.aclose(nodes)


def connect(url: str, timeout_s: float) -> RedisConnection:
    """Opens no connection yet. A command fails when it has no answer for `timeout_s`, or its connection is lost twice.

    Raises ValueError for a URL of none of the forms, and for an option that redis-py does not know.
    """
    defaults: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        # At once: by default redis-py would wait for seconds and tell nobody.
        "retry": Retry(NoBackoff(), 1),
    }
    several = SEVERAL_HOSTS.fullmatch(url)
    try:
        return CONNECT[several["kind"]](several, defaults) if several else Single(Redis.from_url(url, **defaults))
    except (TypeError, RedisClusterException) as error:
        raise ValueError(str(error)) from error


class Sentinels(Sentinel):
    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """As redis-py does it, which on failure prints the whole settings of its clients, and no reason."""
        try:
            host, port = await super().discover_master(service_name)
        except MasterNotFoundError:
            raise MasterNotFoundError(f"no Sentinel could be asked that knows a primary of {service_name}") from None
        return host, port


def connect_sentinel(url: re.Match[str], defaults: dict[str, Any]) -> Single:
    service, _, db = url["path"].strip("/").partition("/")
    if not service:
        raise ValueError("the name of the Sentinels' service is missing")
    addresses, options = read_hosts(url, f"/{db}")
    credentials = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    sentinel = Sentinels(addresses, sentinel_kwargs={**defaults, **tls, **credentials})  # type: ignore[no-untyped-call]
    return Single(sentinel.master_for(service, **{**defaults, **options}), tuple(sentinel.sentinels))


def connect_cluster(url: re.Match[str], defaults: dict[str, Any]) -> Cluster:
    addresses, given = read_hosts(url, url["path"])
    options = {**defaults, **given}
    nodes = [ClusterNode(host, port) for host, port in addresses]
    # One slot is all that is needed.
    return Cluster(RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options), options)


CONNECT: dict[str, Callable[[re.Match[str], dict[str, Any]], RedisConnection]] = {
    "sentinel": connect_sentinel,
    "cluster": connect_cluster,
}


def read_hosts(url: re.Match[str], path: str) -> tuple[list[tuple[str, int]], dict[str, Any]]:
    """Addresses and options: each host is read as redis-py reads it alone in a URL."""
    options: dict[str, Any] = {}
    addresses = []
    for host in url["hosts"].split(","):
        options = dict(parse_url(f"{url['scheme']}://{url['user'] or ''}{host}{path}{url['query']}"))
        if "host" not in options:
            raise ValueError("a host is missing")
        addresses.append((options.pop("host"), options.pop("port", DEFAULT_PORTS[url["kind"]])))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    return addresses, options
