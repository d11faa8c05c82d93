"""Several Redis servers together, for the tests: a primary that a Sentinel watches over, and a cluster."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import redis
from redis.crc import key_slot

from tests.services import START_TIMEOUT_S, Redis, free_port, running, wait_until

USER = "ada on >p@ss ~* &* +@all"
CREDENTIALS = "ada:p%40ss"
SLOTS = 16_384
PRIMARIES = 3


def ask(server: Redis, *command: Any) -> Any:
    with closing(redis.Redis(port=server.port, decode_responses=True)) as client:
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


def require(condition: Callable[[], Any]) -> None:
    assert wait_until(condition, START_TIMEOUT_S)


class Sentinel(Redis):
    """Alone it is the majority: it fails over one or two seconds after the primary has died."""

    def __init__(self, primary: Redis) -> None:
        super().__init__(user="watcher on >secret &* +@all")
        self.primary = primary
        self.down = free_port()

    @property
    def url(self) -> str:
        """Of the primary, whichever it is. The first Sentinel is always down."""
        sentinels = f"127.0.0.1:{self.down},127.0.0.1:{self.port}"
        login = "sentinel_username=watcher&sentinel_password=secret"
        return f"redis+sentinel://{CREDENTIALS}@{sentinels}/dams/0?{login}"

    def command(self) -> list[str]:
        lines = [
            *(f"{name} {value}" for name, value in self.options.items() if value),
            f"sentinel monitor dams 127.0.0.1 {self.primary.port} 1",
            "sentinel down-after-milliseconds dams 500",
        ]
        # Sentinel needs a file to keep in it what it has learnt.
        (self.folder / "sentinel.conf").write_text("\n".join(lines))
        return ["redis-server", "sentinel.conf", "--sentinel"]

    def knows_the_replica(self) -> bool:
        replicas = ask(self, "SENTINEL", "REPLICAS", "dams")
        return [replica["master-link-status"] for replica in replicas] == ["ok"]


@contextmanager
def watched_primary() -> Iterator[tuple[Sentinel, Redis]]:
    """A Sentinel and its primary, which has a replica to fail over to."""
    with (
        running(Redis(user=USER, repl_diskless_sync_delay="0")) as primary,
        running(Redis(user=USER, replicaof=f"127.0.0.1 {primary.port}")),
    ):
        require(lambda: ask(primary, "ROLE")[2])
        with running(Sentinel(primary)) as sentinel:
            require(sentinel.knows_the_replica)
            yield sentinel, primary


class ClusterNode(Redis):
    def __init__(self) -> None:
        self.bus_port = free_port()
        options = {"cluster_enabled": "yes", "cluster_port": str(self.bus_port), "cluster_node_timeout": "1000"}
        super().__init__(user=USER, repl_diskless_sync_delay="0", **options)

    @property
    def id(self) -> str:
        return str(ask(self, "CLUSTER", "MYID"))

    def is_complete(self) -> bool:
        """Whether it knows of all nodes and slots."""
        return {"cluster_state:ok", f"cluster_known_nodes:{PRIMARIES + 1}"} <= set(
            ask(self, "CLUSTER", "INFO").splitlines()
        )


class Cluster:
    """Three primaries with a third of the slots each, and a fourth node that has none."""

    def __init__(self, nodes: list[ClusterNode]) -> None:
        self.nodes = nodes
        self.spare = nodes[-1]

    @property
    def url(self) -> str:
        return f"redis+cluster://{CREDENTIALS}@" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def owner(self, channel: str) -> ClusterNode:
        return self.nodes[key_slot(channel.encode()) * PRIMARIES // SLOTS]

    def move(self, channel: str, source: ClusterNode, target: ClusterNode) -> None:
        """The slot, as redis-cli's `--cluster reshard` does it for a slot without keys."""
        slot, target_id = key_slot(channel.encode()), target.id
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        for node in (target, source):
            ask(node, "CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def give_replica(self, primary: ClusterNode) -> None:
        """The fourth node becomes one, ready to take over."""
        ask(self.spare, "CLUSTER", "REPLICATE", primary.id)
        require(lambda: ask(primary, "ROLE")[2])


@contextmanager
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        nodes = [stack.enter_context(running(ClusterNode())) for _ in range(PRIMARIES + 1)]
        for number, node in enumerate(nodes[:PRIMARIES]):
            first, last = (-(-SLOTS * edge // PRIMARIES) for edge in (number, number + 1))
            ask(node, "CLUSTER", "ADDSLOTSRANGE", first, last - 1)
        for number, node in enumerate(nodes):
            ask(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
        for node in nodes:
            require(node.is_complete)
        yield Cluster(nodes)
