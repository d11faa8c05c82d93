"""The servers compared: how each is started, and how an event is put into it."""

import csv
import json
import os
import socket
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from redis import Redis as RedisClient

from bench.fanout import events
from bench.fanout.events import Dam
from bench.fanout.importer import DONE
from bench.fanout.places import FLOOR, FRAMES, LOCK, NODE_PEER, PEERS
from bench.install import compile_c, node_with, python_with
from bench.server import Server
from tests.services import Redis


class FanoutServer(Server):
    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self.redis = redis
        self.redis_client = RedisClient.from_url(redis.url)

    @abstractmethod
    def publish(self, dams: list[Dam]) -> None:
        """Returns when the server, or who tells it, has taken all of them."""

    def publish_at_once(self, dams: list[Dam]) -> None:
        self.publish(dams)

    def lag_ms(self) -> float | None:
        """Median from the time of an event to its first send; None where the server does not tell."""
        return None

    def close(self) -> None:
        self.redis_client.close()
        super().close()


class Floor(FanoutServer):
    """C: one send() of a prebuilt frame a socket; of all frames at once in a burst."""

    def __init__(self, redis: Redis) -> None:
        compile_c(FLOOR, [PEERS / "floor.c", FRAMES])
        super().__init__(redis)

    def program(self) -> Sequence[str | Path]:
        return [FLOOR, str(self.port)]

    def publish(self, dams: list[Dam]) -> None:
        lines = [f"PUBLISH {len(dams)}", *(events.compact(events.payload(dam)) for dam in dams)]
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            connection.recv(5)


class Dams(FanoutServer):
    """`dams serve` on SQLite with Redis. Events are dams added through addDam; a burst is an import of a file."""

    token = "dams_token_of_the_benchmark"
    caps = ("MAX_SOCKETS", "MAX_SOCKETS_PER_ADDRESS", "MAX_SUBSCRIPTIONS", "MAX_SUBSCRIPTIONS_PER_ADDRESS")
    """All subscribers come from one address."""

    def environment(self) -> dict[str, str]:
        return {
            "DAMS_PORT": str(self.port),
            "DAMS_DATA_DIR": str(self.folder),
            "DAMS_REDIS_URL": self.redis.url,
            "DAMS_ADMIN_TOKEN": self.token,
            **{f"DAMS_{cap}": "100000" for cap in self.caps},
        }

    def program(self) -> Sequence[str | Path]:
        return [self.dams, "serve"]

    @property
    def dams(self) -> Path:
        return Path(sys.executable).parent / "dams"

    def start(self) -> None:
        subprocess.run([self.dams, "init", "--empty"], env=self._whole_environment, check=True, capture_output=True)
        super().start()
        command, pipe = [sys.executable, "-m", "bench.fanout.importer"], subprocess.PIPE
        self._importer = subprocess.Popen(command, env=self._whole_environment, stdin=pipe, stdout=pipe, text=True)
        self._wait_for_importer()

    def close(self) -> None:
        with self._importer:  # closes its standard input, and so ends it
            pass
        super().close()

    def publish(self, dams: list[Dam]) -> None:
        """All in one request."""
        variables = {f"dam{number}": {k: v for k, v in dam.items() if k != "id"} for number, dam in enumerate(dams)}
        parameters = ", ".join(f"${name}: AddDamInput!" for name in variables)
        fields = " ".join(f"{name}: addDam(input: ${name}) {{ errors {{ message }} }}" for name in variables)
        body = json.dumps({"query": f"mutation ({parameters}) {{ {fields} }}", "variables": variables})
        answer = self._asked(body)
        if "errors" in answer or any(added["errors"] for added in answer["data"].values()):
            raise RuntimeError(f"addDam failed: {answer}")

    def lag_ms(self) -> float | None:
        answer = self._asked('{"query": "{ subscriptionHealth { medianLagMs } }"}')
        lag: float | None = answer["data"]["subscriptionHealth"]["medianLagMs"]
        return lag

    def _asked(self, body: str) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        # A connection for each: the server closes one that was idle for 5 seconds.
        with closing(HTTPConnection("127.0.0.1", self.port)) as connection:
            connection.request("POST", "/graphql", body, headers)
            return json.load(connection.getresponse())

    def publish_at_once(self, dams: list[Dam]) -> None:
        """By another process, in one transaction: adds one by one would not come in one turn of the loop."""
        path = self.folder / "dams.csv"
        with path.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["name", "owner", "river", "date_built", "latitude", "longitude"])
            for dam in dams:
                table.writerow([dam["name"], dam["owner"], dam["river"], dam["dateBuilt"], *dam["location"].values()])
        assert self._importer.stdin is not None
        self._importer.stdin.write(f"{path}\n")
        self._importer.stdin.flush()
        self._wait_for_importer()

    def _wait_for_importer(self) -> None:
        assert self._importer.stdout is not None
        if DONE not in iter(self._importer.stdout.readline, ""):
            raise RuntimeError(f"the importer ended with {self._importer.wait()}")

    @property
    def _whole_environment(self) -> dict[str, str]:
        return os.environ | self.environment()


class Node(FanoutServer):
    """graphql-ws on ws, graphql-redis-subscriptions on ioredis."""

    def __init__(self, redis: Redis) -> None:
        self.node = node_with(NODE_PEER)
        super().__init__(redis)

    def program(self) -> Sequence[str | Path]:
        return [self.node, NODE_PEER / "server.mjs", str(self.port), self.redis.url]

    def publish(self, dams: list[Dam]) -> None:
        with self.redis_client.pipeline(transaction=False) as pipeline:
            for dam in dams:
                pipeline.publish("dams", events.compact({"damAdded": dam}))
            pipeline.execute()


class PythonPeer(FanoutServer):
    app: str

    def __init__(self, redis: Redis) -> None:
        self.python = python_with(LOCK)
        super().__init__(redis)

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": self.redis.url}

    def program(self) -> Sequence[str | Path]:
        options = ["--app-dir", PEERS, "--port", str(self.port), "--log-level", "warning"]
        return [self.python, "-m", "uvicorn", *options, self.app]


class Strawberry(PythonPeer):
    """Stock Strawberry on uvicorn, one Redis subscription a process, a queue a subscriber."""

    app = "strawberry_app:app"

    def publish(self, dams: list[Dam]) -> None:
        with self.redis_client.pipeline(transaction=False) as pipeline:
            for dam in dams:
                pipeline.publish("dams", events.compact(dam))
            pipeline.execute()


class Channels(PythonPeer):
    """Strawberry's consumer for Django Channels on uvicorn, with a layer of channels_redis."""

    app = "channels_app:app"
    layer: str

    def environment(self) -> dict[str, str]:
        return super().environment() | {"CHANNEL_LAYER": self.layer}

    def start(self) -> None:
        command, pipe = [self.python, PEERS / "channels_publish.py"], subprocess.PIPE
        environment = os.environ | self.environment()
        self._publisher = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        super().start()

    def publish(self, dams: list[Dam]) -> None:
        assert self._publisher.stdin is not None
        assert self._publisher.stdout is not None
        self._publisher.stdin.write(events.compact(dams) + "\n")
        self._publisher.stdin.flush()
        self._publisher.stdout.readline()

    def stop(self) -> None:
        with self._publisher:
            pass
        super().stop()


class ChannelsCore(Channels):
    layer = "core"


class ChannelsPubSub(Channels):
    layer = "pubsub"


SERVERS: dict[str, type[FanoutServer]] = {
    "floor": Floor,
    "dams": Dams,
    "node": Node,
    "strawberry": Strawberry,
    "channels-pubsub": ChannelsPubSub,
    "channels-core": ChannelsCore,
}
