"""How long the log is kept, and what those hear whose cursor it no longer reaches back to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ClauseElement

from auth.viewer import Viewer
from models import Event, EventKind, Inventory
from models.database import Database
from models.errors import CursorAhead, CursorExpired, DatabaseUnavailable
from pubsub import log
from pubsub.log import PAGE, keep_log_short, prune_log, read_log, require_in_log
from resolvers.cursors import event_cursor
from tests.conftest import Place, Serve, until
from tests.shared import opened
from tests.streaming import add, add_many, following

NOW = datetime(2020, 1, 1, 12, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(seconds=1), NOW
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


async def write_events(database: Database, *times: datetime) -> None:
    """Events of dams that are no longer there, one at each of the times."""
    async with database.write() as connection:
        changed = update(Inventory).values(last_sequence=Inventory.last_sequence + len(times))
        last = (await connection.execute(changed.returning(Inventory.last_sequence))).scalar_one()
        first = last - len(times) + 1
        event = {"kind": EventKind.DAM_ADDED, "actor": "import"}
        await connection.execute(
            insert(Event), [event | {"sequence": n, "dam_id": n, "at": at} for n, at in enumerate(times, first)]
        )


async def sequences(database: Database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(select(Event.sequence).order_by(Event.sequence)))


async def is_refused(database: Database, cursor: int) -> bool:
    """Whether it has expired."""
    try:
        await require_in_log(database, cursor)
    except CursorExpired:
        return True
    return False


async def test_only_the_beginning_of_the_log_is_deleted(database: Database) -> None:
    """The clocks of machines differ: what looks old behind a younger event stays."""
    await write_events(database, OLD, OLD, YOUNG, OLD, YOUNG)
    await prune_log(database, NOW)
    assert await sequences(database) == [3, 4, 5]
    await prune_log(database, NOW)
    assert await sequences(database) == [3, 4, 5]


async def test_the_last_event_stays_however_old_it_is(database: Database) -> None:
    await prune_log(database, NOW)
    assert await sequences(database) == []
    await write_events(database, OLD)
    await prune_log(database, NOW)
    assert await sequences(database) == [1]
    await write_events(database, OLD, OLD)
    await prune_log(database, NOW)
    assert await sequences(database) == [3]


@pytest.mark.parametrize("old", [1, 9, 10, 11, 20, 95])
async def test_no_transaction_deletes_much(database: Database, monkeypatch: pytest.MonkeyPatch, old: int) -> None:
    monkeypatch.setattr(log, "OLDEST", log.OLDEST.limit(11))
    await write_events(database, *[OLD] * old, YOUNG)
    deleted = []

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE"):
            deleted.append(cursor.rowcount)

    event.listen(database._writers.sync_engine, "after_cursor_execute", note)
    await prune_log(database, NOW)
    assert await sequences(database) == [old + 1]
    assert deleted == [10] * (old // 10) + ([old % 10] if old % 10 else [])


async def test_several_processes_may_prune_while_others_add(place: Place, database: Database, admin: Viewer) -> None:
    await write_events(database, *[OLD] * 3_500)
    async with opened(place.url) as one, opened(place.url) as another, opened(place.url) as third:
        pruning = [asyncio.create_task(prune_log(each, NOW)) for each in (one, another, third)]
        for _ in range(20):
            await add(database, admin)
        await asyncio.gather(*pruning)
    await prune_log(database, NOW)  # those above may have seen no younger event, and left the last one
    assert await sequences(database) == list(range(3_501, 3_521))


async def test_a_cursor_is_good_for_as_long_as_all_that_follows_it_is_kept(database: Database) -> None:
    await require_in_log(database, 0)
    await write_events(database, *[OLD] * 5, *[YOUNG] * 3)
    assert [cursor for cursor in range(9) if await is_refused(database, cursor)] == []
    await prune_log(database, NOW)
    assert [cursor for cursor in range(9) if await is_refused(database, cursor)] == [0, 1, 2, 3, 4]
    await prune_log(database, NOW + timedelta(days=1))
    assert [cursor for cursor in range(9) if await is_refused(database, cursor)] == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(CursorAhead, match="later than the last change"):
        await require_in_log(database, 9)


async def test_an_expired_cursor_says_what_to_do(database: Database) -> None:
    await write_events(database, OLD, YOUNG)
    await prune_log(database, NOW)
    with pytest.raises(
        CursorExpired, match=r"Read the inventory anew and go on from inventory \{ eventCursor \}"
    ) as error:
        await require_in_log(database, 0)
    assert error.value.extensions == {"code": "CURSOR_EXPIRED"}


async def test_a_cursor_before_an_emptied_log_has_expired(database: Database) -> None:
    """Whoever emptied it: the service keeps the last event."""
    await write_events(database, OLD, OLD)
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM events"))
    assert [cursor for cursor in range(3) if await is_refused(database, cursor)] == [0, 1]


async def test_a_reader_whose_next_events_are_deleted_hears_of_it(database: Database) -> None:
    await write_events(database, *[OLD] * (PAGE + 1), YOUNG)
    page = await read_log(database, 0)
    assert [event.sequence for event in page] == list(range(1, PAGE + 1))
    await prune_log(database, NOW)
    with pytest.raises(CursorExpired):
        await read_log(database, page[-1].sequence)
    assert [event.sequence for event in await read_log(database, PAGE + 1)] == [PAGE + 2]
    assert await read_log(database, PAGE + 2) == []


async def test_a_stream_from_an_expired_cursor_ends_with_the_code(
    serve: Serve, database: Database, admin: Viewer
) -> None:
    await write_events(database, *[OLD] * 3, YOUNG)
    await prune_log(database, NOW)
    async with serve() as server:
        for cursor in range(3):
            async with following(server, event_cursor(cursor)) as socket:
                message = await socket.receive()
                errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
                assert [error["extensions"] for error in errors] == [{"code": "CURSOR_EXPIRED"}]
        async with following(server, event_cursor(3)) as socket:
            await add_many(server, ["Deer Creek"])
            assert await socket.names(1) == ["Deer Creek"]


class TroubledDatabase(Database):
    """The first reads fail, each with one of the errors."""

    def __init__(self, url: str, *errors: Exception) -> None:
        super().__init__(url)
        self._errors = list(errors)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        if self._errors:
            raise self._errors.pop(0)
        async with super().read() as connection:
            yield connection


async def test_the_log_is_kept_short_whatever_happens(
    place: Place, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log, "PRUNE_INTERVAL_S", 0.01)
    now = datetime.now(UTC)
    ages = [timedelta(days=9), timedelta(days=7, minutes=1), timedelta(days=6, hours=23), timedelta(0)]
    await write_events(database, *(now - age for age in ages))
    troubled = TroubledDatabase(place.url, DatabaseUnavailable("It is away."), RuntimeError("something else"))
    keeping = asyncio.create_task(keep_log_short(troubled, 7))
    await until(lambda: sequences_are(database, [3, 4]))
    await write_events(database, now)
    async with database.write() as connection:
        await connection.execute(update(Event).where(Event.sequence < 5).values(at=now - timedelta(days=8)))
    await until(lambda: sequences_are(database, [5]))  # it comes again
    assert [record.levelname for record in caplog.records if record.name == log.__name__] == ["WARNING", "ERROR"]
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await troubled.close()


async def test_whoever_ends_in_the_middle_of_pruning_holds_nobody_up(
    place: Place, database: Database, admin: Viewer
) -> None:
    await write_events(database, *[OLD] * 3_000, YOUNG)
    async with opened(place.url) as ending:
        pruning = asyncio.create_task(prune_log(ending, NOW))
        await until(lambda: pruned_to(database, 1_000))
        pruning.cancel()
    assert await add(database, admin) == 3_002
    await prune_log(database, NOW)
    assert await sequences(database) == [3_001, 3_002]


async def sequences_are(database: Database, expected: list[int]) -> bool:
    return await sequences(database) == expected


async def pruned_to(database: Database, number: int) -> bool:
    return (await sequences(database))[0] > number


async def plan(database: Database, statement: ClauseElement, **parameters: int) -> str:
    """How the engine goes about it."""
    compiled = statement.compile()
    explain = text(f"{EXPLAIN[database.dialect]} {compiled}")
    async with database.read() as connection:
        rows = (await connection.execute(explain, {**compiled.params, **parameters})).all()
    return "\n".join(str(row[-1]) for row in rows)


async def test_every_statement_goes_by_the_primary_key(database: Database) -> None:
    """SQLite's rows lie in its order, so that a scan with a limit reads the first ones."""
    await write_events(database, *[OLD] * 20_000)
    async with database.write() as connection:
        await connection.execute(text("ANALYZE"))
    sqlite = database.dialect == "sqlite"
    for statement, parameters, of_sqlite in [
        (log.ENDS, {}, "SEARCH events"),
        (log.OLDEST, {}, "SCAN events"),
        (log.PRUNE, {"first_kept": 1_001}, "SEARCH events USING INTEGER PRIMARY KEY (rowid<?)"),
        (log.READ_LOG, {"after": 10_000}, "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"),
    ]:
        found = await plan(database, statement, **parameters)
        assert (of_sqlite if sqlite else "using pk_events") in found
        assert "TEMP B-TREE" not in found
        assert "Seq Scan on events" not in found
        assert "Sort" not in found
