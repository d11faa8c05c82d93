"""What takes too long is ended with a clear error, and nothing is left behind."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import literal_column, select, text, update

from auth.viewer import Viewer
from models import Inventory
from models import database as database_module
from models.database import Database
from models.errors import DatabaseUnavailable, OperationTimeout
from resolvers.inventory import read_inventory, set_caps
from schema import query as query_module
from tests.conftest import Place, Serve, Server, until
from tests.streaming import TIMEOUT_S, add, opened

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
COUNT = "{ inventory { damCount } }"
TOO_LONG = {
    "message": "This took longer than 0.3 s. Ask for less. An add may have been done: send it again with the same"
    " idempotencyKey.",
    "extensions": {"code": "OPERATION_TIMEOUT"},
}


async def test_a_statement_that_takes_too_long_is_ended_by_the_database(place: Place) -> None:
    database = Database(place.url, statement_timeout_s=0.3)
    try:
        for _ in range(2):
            with pytest.raises(OperationTimeout):
                async with database.read() as connection:
                    await connection.execute(text(ENDLESS))
            async with database.read() as connection:
                assert await connection.scalar(text("SELECT 1")) == 1
            with pytest.raises(OperationTimeout):
                await database.fetch("endless", lambda: select(literal_column(f"({ENDLESS})")), {})
            assert await database.fetch("one", lambda: select(literal_column("1").label("one")), {})
    finally:
        await database.close()


IN_GERMAN = "DO $$ BEGIN RAISE 'breche Anfrage wegen Zeitüberschreitung ab' USING ERRCODE = 'query_canceled'; END $$"


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_statement_that_took_too_long_is_known_whatever_language_the_server_speaks(database: Database) -> None:
    with pytest.raises(OperationTimeout):
        async with database.read() as connection:
            await connection.execute(text(IN_GERMAN))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_transaction_whose_process_does_nothing_stops_no_adds(
    place: Place, database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = database_module._postgresql(30, idle_in_transaction_session_timeout="300")
    monkeypatch.setitem(database_module.ENGINE_OPTIONS, "postgresql", hasty)

    async def add_while_it_sleeps(frozen: Database) -> None:
        async with frozen.write() as connection:
            await connection.execute(update(Inventory).values(dam_count=5))
            assert await add(database, admin) == 1
            await connection.execute(text("SELECT 1"))

    frozen = Database(place.url)
    try:
        with pytest.raises(DatabaseUnavailable):
            await add_while_it_sleeps(frozen)
    finally:
        await frozen.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_request_that_takes_too_long_is_ended_on_every_way(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Queue[bool]()
    state = query_module.inventory_state

    async def hang(info: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.put_nowait(True)

    async with serve(request_timeout_s=0.3) as server, opened(server.websocket_url) as socket:
        await socket.init()
        monkeypatch.setattr(query_module, "inventory_state", hang)
        headers = {"accept": "application/graphql-response+json"}
        answer = await server.http.post("/graphql", json={"query": COUNT}, headers=headers)
        assert (answer.status_code, answer.json()) == (504, {"errors": [TOO_LONG]})
        assert await socket.ask(COUNT) == {"type": "error", "id": "1", "payload": [TOO_LONG]}
        await until(lambda: ended.qsize() == 2)
        monkeypatch.setattr(query_module, "inventory_state", state)
        assert (await socket.ask(COUNT))["payload"]["data"] == {"inventory": {"damCount": 0}}


HANGING = {
    "by GET": b"GET /graphql?query=%7Binventory%7BdamCount%7D%7D HTTP/1.1\r\nhost: dams\r\n\r\n",
    "by POST": b"POST /graphql HTTP/1.1\r\nhost: dams\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    b'{"query": "%s"}' % (len(COUNT) + 13, COUNT.encode()),
}


@pytest.mark.parametrize("way", HANGING)
async def test_a_query_whose_client_hangs_up_is_ended(
    server: Server, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def read_for_ever(info: Any) -> None:
        begun.set()
        try:
            await info.context.database.fetch("endless", lambda: select(literal_column(f"({ENDLESS})")), {})
        finally:
            ended.set()

    monkeypatch.setattr(query_module, "inventory_state", read_for_ever)
    _, writer = await asyncio.open_connection("127.0.0.1", server.http.base_url.port)
    writer.write(HANGING[way])
    async with asyncio.timeout(TIMEOUT_S):
        await begun.wait()
        assert not ended.is_set()
        writer.close()
        await ended.wait()
    errors = [line for line in (await server.http.get("/metrics")).text.splitlines() if "dams_errors_total{" in line]
    assert (errors, [record for record in caplog.records if record.levelname == "ERROR"]) == ([], [])


SET_CAP = "mutation { updateInventory(input: {maxDams: 7}) { errors { code } } }"


def answering() -> int:
    """Requests whose answer is being made."""
    return sum("run_asgi" in str(task.get_coro()) for task in asyncio.all_tasks())


async def test_a_write_whose_client_hangs_up_goes_on_to_its_end(
    server: Server, database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def set_when_free(*arguments: Any) -> None:
        begun.set()
        await free.wait()
        await set_caps(*arguments)
        done.set()

    monkeypatch.setattr("schema.inventory.set_caps", set_when_free)
    asking = asyncio.create_task(server.post(SET_CAP))
    async with asyncio.timeout(TIMEOUT_S):
        await begun.wait()
        assert answering() == 1
        asking.cancel()
        await until(lambda: answering() == 0)
        free.set()
        await done.wait()
    assert (await read_inventory(database)).max_dams == 7
