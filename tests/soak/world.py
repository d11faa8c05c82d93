"""Everything that runs in a soak: database, Redis, servers, and clients with their users."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from auth.tokens import create_token
from auth.users import add_user
from models import migrations
from models.database import Database
from pubsub.log import last_sequence
from resolvers.cursors import event_cursor
from tests.services import Postgres, Redis, running
from tests.soak.client import Instructions, Subscriber
from tests.soak.dams import FILTERS
from tests.soak.services import Clients, Importer, Server, TokenHolder
from tests.soak.settings import SoakSettings

WORKERS = (1, 2, 1)
"""Of each server. The last one is never ended, so that its memory can be watched."""

SUBSCRIBERS_A_PROCESS = 25
FEWEST_PROCESSES = 2
USERS = 6

TRANSPORTS = ("websocket", "websocket", "sse", "multipart")
"""Half of the subscribers use the first."""

DOCUMENTS = (
    "subscription ($after: String, $where: DamFilter) { damAdded(after: $after, where: $where) { damId cursor name } }",
    """subscription ($after: String, $where: DamFilter) { damAdded(after: $after, where: $where) { ...Shown } }
    fragment Shown on Dam { id damId cursor name owner river dateBuilt location { latitude longitude } }""",
    # Said in an unusual way, so that it shares its execution with nobody.
    """subscription ($after: String = null, $where: DamFilter) {
    damAdded(after: $after, where: $where) { name damId cursor } }""",
)
DOCUMENT_WEIGHTS = (6, 3, 1)


def random_subscriber(random: Random, number: int) -> Subscriber:
    """One in four has no token."""
    return Subscriber(
        number,
        random.choice(TRANSPORTS),
        random.choices(DOCUMENTS, DOCUMENT_WEIGHTS)[0],
        random.choices(range(len(FILTERS)), [each.weight for each in FILTERS])[0],
        random.choice(USER_NAMES) if random.random() < 0.75 else None,
    )


USER_NAMES = [f"listener-{number}" for number in range(USERS)]


@dataclass
class World:
    database_url: str
    writer_token: str
    servers: list[Server]
    clients: list[Clients]
    subscribers: list[tuple[Subscriber, Path]]
    """Each with its journal."""
    targets: dict[str, dict[str, Any]]
    """What can suffer a fault, by kind and name."""

    @property
    def lasting_server(self) -> Server:
        return self.servers[-1]


@asynccontextmanager
async def running_world(settings: SoakSettings, random: Random) -> AsyncIterator[World]:
    subscribers = [random_subscriber(random, number) for number in range(settings.subscribers)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="dams-soak-")))
        redis = stack.enter_context(running(Redis()))
        targets: dict[str, dict[str, Any]] = {"redis": {"Redis": redis}}
        database_url = f"sqlite:///{folder / 'dams.sqlite3'}"
        if settings.database == "postgresql":
            postgres = stack.enter_context(running(Postgres()))
            postgres.create_database("dams")
            database_url = postgres.url("dams")
            targets["postgresql"] = {"PostgreSQL": postgres}
        writer_token, start = await prepare(database_url)
        holders = await token_holders(database_url, folder)
        shared = {"DAMS_DATABASE_URL": database_url, "DAMS_REDIS_URL": redis.url}
        servers = [stack.enter_context(running(Server(**shared, DAMS_WORKERS=str(count)))) for count in WORKERS]
        importer = Importer(Random(random.getrandbits(64)), folder, shared)
        clients = [Clients(importer) for _ in range(max(FEWEST_PROCESSES, len(subscribers) // SUBSCRIBERS_A_PROCESS))]
        ports = [server.port for server in servers]
        journals = []
        for number, process in enumerate(clients):
            told = Instructions(ports, str(folder), start, subscribers[number :: len(clients)])
            told.write(process.folder)
            stack.enter_context(running(process))
            journals += [(subscriber, process.folder / subscriber.journal) for subscriber in told.subscribers]
        targets |= {
            "server": numbered("server", servers),
            "mortal server": numbered("server", servers[:-1]),
            "clients": numbered("clients", clients),
            "user": holders,
            "importer": {"dams import": importer},
        }
        yield World(database_url, writer_token, servers, clients, journals, targets)


def numbered(name: str, things: Iterable[Any]) -> dict[str, Any]:
    return {f"{name} {number}": thing for number, thing in enumerate(things, start=1)}


async def prepare(database_url: str) -> tuple[str, str]:
    """The writer's token, and the cursor from which all begin."""
    database = Database(database_url)
    try:
        await migrations.migrate(database)
        await add_user(database, "writer", ["admin"])
        for name in USER_NAMES:
            await add_user(database, name, ["reader"])
        token = await create_token(database, user="writer", name="soak")
        return token, event_cursor(await last_sequence(database))
    finally:
        await database.close()


async def token_holders(database_url: str, folder: Path) -> dict[str, TokenHolder]:
    holders = {name: TokenHolder(database_url, name, folder) for name in USER_NAMES}
    for holder in holders.values():
        await asyncio.to_thread(holder.renew)
    return holders
