"""Adds that come together share a transaction, and each is answered by itself."""

import asyncio
import random
import re
import sqlite3
from collections import Counter
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import select

from auth.viewer import Viewer
from models import Dam
from models.dam import DamRow
from models.database import Database
from resolvers.adding import NewDam, add_dam
from resolvers.dates import parse_iso
from resolvers.inventory import set_cap
from resolvers.locations import Point
from tests.conftest import ADMIN_TOKEN, Place, until
from tests.processes import Process
from tests.services import running
from tests.shared import ADD, DEER_CREEK, state

WRITERS = 50
NOBODY = Viewer(999, "nobody", frozenset())
"""Of a user that is not there, so that the database refuses the dam."""

REFUSED = (asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError)


def dam(name: str = "Deer Creek", key: str | None = None) -> NewDam:
    return NewDam(name, "Reclamation", "Provo River", parse_iso("1941-06-15"), Point(-111.5266, 40.4066), key)


def transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each transaction."""
    seen: list[object] = []
    transact = database.transact

    async def counted(script: Any) -> Any:
        seen.append(script)
        return await transact(script)

    monkeypatch.setattr(database, "transact", counted)
    return seen


async def ids(database: Database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(select(Dam.id).order_by(Dam.id)))


async def test_adds_that_come_together_share_a_commit(
    database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = transactions(database, monkeypatch)
    rows = await asyncio.gather(*(add_dam(database, dam(f"Dam {number}"), admin) for number in range(WRITERS)))
    assert [(row.id, row.name) for row in rows] == [(number + 1, f"Dam {number}") for number in range(WRITERS)]
    assert len(seen) <= 2
    assert await ids(database) == list(range(1, WRITERS + 1))


async def test_what_an_add_gives_is_what_is_read_again(database: Database, admin: Viewer) -> None:
    added = await add_dam(database, dam(" Ünïted  ", "key"), admin)
    again = await add_dam(database, dam(key="key"), admin)
    assert {name: getattr(again, name) for name in DamRow._fields} == added._asdict()


async def test_one_that_the_database_refuses_fails_alone(database: Database, admin: Viewer) -> None:
    viewers = [NOBODY if number % 7 == 3 else admin for number in range(WRITERS)]
    adds = (add_dam(database, dam(f"Dam {number}"), viewer) for number, viewer in enumerate(viewers))
    outcomes = await asyncio.gather(*adds, return_exceptions=True)
    for viewer, outcome in zip(viewers, outcomes, strict=True):
        assert isinstance(outcome, REFUSED if viewer is NOBODY else DamRow)
    added = [outcome for outcome in outcomes if isinstance(outcome, DamRow)]
    assert [row.id for row in added] == list(range(1, len(added) + 1)) == await ids(database)
    assert (await state(database))["events"] == len(added)


async def test_refused_repeated_and_good_adds_of_one_transaction_get_their_own_answers(
    database: Database, admin: Viewer
) -> None:
    await set_cap(database, "max_dams", 10)
    keys = [f"key {number % 4}" if number % 2 else None for number in range(WRITERS)]
    adds = (add_dam(database, dam(f"Dam {number}", key), admin) for number, key in enumerate(keys))
    outcomes = await asyncio.gather(*adds, return_exceptions=True)
    first: dict[str, int] = {}
    for key, outcome in zip(keys, outcomes, strict=True):
        if key:
            assert isinstance(outcome, DamRow)
            assert first.setdefault(key, outcome.id) == outcome.id
    kinds = Counter(type(outcome).__name__ for key, outcome in zip(keys, outcomes, strict=True) if key is None)
    assert kinds == {"DamRow": 10 - len(first), "InventoryFull": WRITERS // 2 - 10 + len(first)}
    assert await ids(database) == list(range(1, 11))


async def test_clients_that_hang_up_take_nothing_from_the_others(database: Database, admin: Viewer) -> None:
    """Cancelled after any number of turns of the loop: before, in and after the transaction."""
    chance = random.Random(6)
    adding = [asyncio.create_task(database.finish(add_dam(database, dam(str(number)), admin))) for number in range(200)]
    for number in range(0, len(adding), 2):
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        adding[number].cancel()
    outcomes = await asyncio.gather(*adding, return_exceptions=True)
    assert all(isinstance(outcome, DamRow) for outcome in outcomes[1::2])
    await database.close()
    async with database.read() as connection:
        names = list(await connection.scalars(select(Dam.name)))
    assert len(names) == len(set(names))
    assert {outcome.name for outcome in outcomes if isinstance(outcome, DamRow)} <= set(names)


async def post(http: httpx.AsyncClient, name: str) -> int | None:
    """The number of the dam that was acknowledged; None where no answer came."""
    try:
        answer = await http.post("/graphql", json={"query": ADD, "variables": {"input": DEER_CREEK | {"name": name}}})
    except httpx.TransportError:
        return None
    return int(answer.json()["data"]["addDam"]["dam"]["damId"])


async def test_a_server_killed_while_it_adds_keeps_what_it_acknowledged_and_gives_no_number_twice(
    place: Place, database: Database, admin: Viewer
) -> None:
    url = re.sub(r"\+\w+", "", place.url)
    acknowledged: list[int] = []
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    with running(Process(DAMS_DATABASE_URL=url)) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}", headers=headers) as http:

            async def writer(number: int) -> None:
                while (added := await post(http, f"Dam {number}")) is not None:
                    acknowledged.append(added)

            writers = [asyncio.create_task(writer(number)) for number in range(20)]
            await until(lambda: len(acknowledged) >= 100)
            await asyncio.to_thread(process.kill)
            await asyncio.gather(*writers)
    assert len(acknowledged) == len(set(acknowledged))
    there = await ids(database)
    assert set(acknowledged) <= set(there)
    assert there == list(range(1, len(there) + 1))
    assert await state(database) == {
        "dam_count": len(there),
        "last_sequence": len(there),
        "dams": len(there),
        "events": len(there),
    }
    assert (await add_dam(database, dam(), admin)).id == len(there) + 1
