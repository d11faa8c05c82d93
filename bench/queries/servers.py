"""The servers compared: how each is started."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bench.install import node_with, pinned_node, python_with
from bench.queries.inventories import DAMS
from bench.server import Server

HERE = Path(__file__).parent
PEERS = HERE / "peers"
NODE_PEERS = PEERS / "node"
LOCK = HERE / "requirements.lock"

Schema = Literal["ours", "postgraphile"]


class QueryServer(Server):
    """Answers on /graphql from the database at `url`."""

    engine = "postgresql"
    schema: Schema = "ours"
    """Whose documents it takes."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url


class Dams(QueryServer):
    """`dams serve` on PostgreSQL, keeping no answers."""

    kept_answers_mb = 0

    def environment(self) -> dict[str, str]:
        return {
            "DAMS_PORT": str(self.port),
            "DAMS_DATABASE_URL": self.url,
            "DAMS_MAX_PAGE_SIZE": "1000",
            "DAMS_KEPT_ANSWERS_MB": str(self.kept_answers_mb),
            # All requests come from one address with one token. They are counted all the same.
            **{f"DAMS_RATE_LIMIT_PER_{whose}": "10000000" for whose in ("ADDRESS", "USER", "TOKEN")},
        }

    def program(self) -> Sequence[str | Path]:
        return [DAMS, "serve"]


class DamsKept(Dams):
    """The same, with answers kept until the next change."""

    kept_answers_mb = 64


class DamsSqlite(Dams):
    """The same on a SQLite file, keeping no answers."""

    engine = "sqlite"


class Strawberry(QueryServer):
    """Stock Strawberry on uvicorn, with sessions and entities of SQLAlchemy."""

    def __init__(self, url: str) -> None:
        self.python = python_with(LOCK)
        super().__init__(url)

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url}

    def program(self) -> Sequence[str | Path]:
        options = ["--app-dir", PEERS, "--port", str(self.port), "--log-level", "warning"]
        return [self.python, "-m", "uvicorn", *options, "strawberry_app:app"]


class NodePeer(QueryServer):
    script: str

    def __init__(self, url: str) -> None:
        node_with(NODE_PEERS)
        self.node = pinned_node()  # PostGraphile needs 22 or later
        super().__init__(url)

    def environment(self) -> dict[str, str]:
        return {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}

    def program(self) -> Sequence[str | Path]:
        return [self.node, NODE_PEERS / self.script, str(self.port), self.url.replace("+asyncpg", "")]


class Apollo(NodePeer):
    script = "apollo.mjs"


class Mercurius(NodePeer):
    script = "mercurius.mjs"


class PostGraphile(NodePeer):
    script = "postgraphile.mjs"
    schema = "postgraphile"


SERVERS: dict[str, type[QueryServer]] = {
    "dams": Dams,
    "dams-kept": DamsKept,
    "dams-sqlite": DamsSqlite,
    "mercurius": Mercurius,
    "apollo": Apollo,
    "postgraphile": PostGraphile,
    "strawberry": Strawberry,
}
