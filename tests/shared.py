"""An inventory that the tests of a module share, and adding over HTTP."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from auth.tokens import create_token
from auth.users import add_user
from models import Dam, Event, EventKind, Inventory, migrations
from models.database import Database
from resolvers.rows import with_keys
from tests.conftest import ADMIN_TOKEN, Place, Server

_numbers = itertools.count()
NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)

ADD = """mutation ($input: AddDamInput!) { addDam(input: $input) {
  dam { id damId cursor name owner river dateBuilt location { latitude longitude } } edge { cursor node { id } }
  errors { code field message } warnings } }"""

DEER_CREEK = {
    "name": "Deer Creek",
    "owner": "Reclamation",
    "river": "Provo River",
    "dateBuilt": "1941",
    "location": {"latitude": 40.4066, "longitude": -111.5266},
}


@asynccontextmanager
async def shared_place(
    engine: str, request: pytest.FixtureRequest, folders: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """An empty inventory, migrated."""
    if engine == "sqlite":
        url = f"sqlite:///{folders.mktemp('shared') / 'dams.sqlite3'}"
    else:
        postgres = request.getfixturevalue("postgres")
        name = f"shared_{next(_numbers)}"
        await asyncio.to_thread(postgres.create_database, name)
        url = postgres.url(name)
    async with opened(url) as database:
        await migrations.migrate(database)
    yield Place(engine, url)
    if engine == "postgresql":
        await asyncio.to_thread(postgres.drop_database, name)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


def dam_values(**known: Any) -> dict[str, Any]:
    """A row of the table dams."""
    values = dict.fromkeys(column.key for column in Dam.__table__.columns if column.key != "point")
    empty = {"other_names": (), "owner_types": (), "purposes": (), "dam_types": (), "structure_id": ""}
    return with_keys(values | empty | {"longitude": 0.0, "latitude": 0.0} | known)


async def fill(database: Database, dams: Iterable[dict[str, Any]]) -> None:
    """Puts rows of `dam_values` into an empty inventory, with the counter and the log that they would have left."""
    rows = list(dams)
    async with database.write() as connection:
        await connection.execute(insert(Dam), rows)
        event = {"kind": EventKind.DAM_ADDED, "actor": "test"}
        await connection.execute(
            insert(Event), [event | {"sequence": row["id"], "dam_id": row["id"], "at": NOON} for row in rows]
        )
        last = max(row["id"] for row in rows)
        await connection.execute(update(Inventory).values(dam_count=len(rows), last_sequence=last))


async def state(database: Database) -> dict[str, int]:
    """What every writer must keep in step."""
    async with database.read() as connection:
        dam_count, last_sequence = (
            await connection.execute(select(Inventory.dam_count, Inventory.last_sequence))
        ).one()
        dams = await connection.scalar(select(func.count()).select_from(Dam)) or 0
        events = await connection.scalar(select(func.count()).select_from(Event)) or 0
    return {"dam_count": dam_count, "last_sequence": last_sequence, "dams": dams, "events": events}


async def add(server: Server, token: str = ADMIN_TOKEN, **changes: Any) -> Any:
    """The payload of addDam for Deer Creek with changes; None takes a field away."""
    sent = {name: value for name, value in (DEER_CREEK | changes).items() if value is not None}
    return (await server.query(ADD, token, input=sent))["addDam"]


async def new_token(database: Database, user: str, group: str, **options: Any) -> str:
    await add_user(database, user, [group])
    return await create_token(database, user=user, name="test", **options)
