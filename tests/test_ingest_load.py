import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from auth.viewer import Viewer
from ingest.load import Report, load
from ingest.reading import ImportFileError
from ingest.record import DamRecord, Note, Refusal, Row
from models import Dam, Event, EventKind
from models.database import Database
from models.errors import InventoryFull
from models.vocabulary import DamType, Hazard, OwnerType, Purpose
from resolvers.adding import NewDam, add_dam
from resolvers.dates import parse_build_date
from resolvers.inventory import InventoryState, read_inventory, set_cap
from resolvers.locations import Point

WEISS = DamRecord(
    name="WEISS - MAIN DAM",
    other_names=("POWERHOUSE DAM", "WEST FREEBOARD DIKE"),
    owner="Alabama Power Co.",
    owner_types=(OwnerType.PUBLIC_UTILITY, OwnerType.FEDERAL),
    river="COOSA RIVER",
    built_first_day=date(1961, 1, 1),
    built_last_day=date(1961, 12, 31),
    longitude=-85.7539,
    latitude=34.1721,
    external_id="AL01415",
    state="AL",
    county="CHEROKEE",
    height_ft=85.5,
    storage_acre_ft=306400.0,
    drainage_area_sq_mi=5273.0,
    purposes=(Purpose.HYDROELECTRIC, Purpose.RECREATION),
    dam_types=(DamType.GRAVITY, DamType.EARTH),
    hazard=Hazard.HIGH,
)
DIKE = replace(WEISS, name="WEISS - SADDLE DIKE A", structure_id="S003")
BARE = DamRecord(name="VAIONT", longitude=12.329, latitude=46.267)


def rows(*records: DamRecord) -> list[Row]:
    return [Row(line, record) for line, record in enumerate(records, start=2)]


def many(count: int) -> list[Row]:
    return rows(*(replace(BARE, external_id=f"IT{number:05}") for number in range(count)))


async def dams(database: Database) -> Sequence[Any]:
    """By id."""
    async with database.read() as connection:
        columns = [column for column in Dam.__table__.columns if column.name != "point"]
        return (await connection.execute(select(*columns).order_by(Dam.id))).all()


async def events(database: Database) -> Sequence[Any]:
    async with database.read() as connection:
        columns = (Event.sequence, Event.dam_id, Event.kind, Event.at, Event.actor)
        return (await connection.execute(select(*columns).order_by(Event.sequence))).all()


async def test_a_dam_is_added_with_all_that_the_file_says(database: Database) -> None:
    before = datetime.now(UTC)
    report = await load(database, rows(WEISS, BARE), actor="someone")
    assert report == Report(rows_read=2, added=2, last_sequence=2)
    weiss, bare = await dams(database)
    assert DamRecord(**{name: getattr(weiss, name) for name in DamRecord.__slots__}) == WEISS
    assert DamRecord(**{name: getattr(bare, name) for name in DamRecord.__slots__}) == BARE
    assert (weiss.id, weiss.name_key, weiss.owner_key) == (1, "weiss - main dam", "alabama power co.")
    assert weiss.search_key == "weiss - main dam\npowerhouse dam\nwest freeboard dike\ncoosa river"
    assert (bare.river_key, bare.county_key, bare.added_by_id, bare.idempotency_key) == (None, None, None, None)
    assert await read_inventory(database) == InventoryState(2, 0, 0, last_sequence=2)
    first, second = await events(database)
    assert first[:3] == (1, 1, EventKind.DAM_ADDED)
    assert second[:3] == (2, 2, EventKind.DAM_ADDED)
    assert first.actor == second.actor == "someone"
    assert before <= first.at <= datetime.now(UTC)


async def test_what_was_added_is_found_by_its_coded_words(database: Database) -> None:
    await load(database, rows(WEISS, BARE))
    async with database.read() as connection:
        found = await connection.scalars(
            select(Dam.id).where(Dam.hazard == Hazard.HIGH, Dam.built_first_day < date(1970, 1, 1))
        )
        assert found.all() == [1]


async def test_ids_follow_the_order_of_the_file(database: Database) -> None:
    await load(database, many(2_500))
    assert [dam.external_id for dam in await dams(database)] == [row.record.external_id for row in many(2_500)]


async def test_a_second_import_changes_nothing(database: Database) -> None:
    await load(database, rows(WEISS, DIKE, BARE))
    before = await dams(database)
    renamed = replace(WEISS, name="WEISS DAM", height_ft=90.0)
    assert await load(database, rows(renamed, DIKE, BARE)) == Report(rows_read=3, unchanged=3)
    assert await dams(database) == before
    assert (await read_inventory(database)).last_sequence == 3


async def test_a_dam_without_an_id_is_known_by_name_date_and_place(database: Database) -> None:
    await load(database, rows(BARE))
    others = rows(
        BARE,
        replace(BARE, river="VAJONT"),
        replace(BARE, name="VAJONT"),
        replace(BARE, built_first_day=date(1959, 10, 1), built_last_day=date(1959, 10, 31)),
        replace(BARE, latitude=46.268),
    )
    report = await load(database, others)
    assert (report.unchanged, report.added) == (1, 3)
    assert report.refused == [Refusal(3, "It is the same dam as number 2.")]


async def test_a_dam_added_by_hand_is_known_again(database: Database, admin: Viewer) -> None:
    built = parse_build_date("1959")
    await add_dam(database, NewDam("Vaiont", "SADE", "Vajont", built, Point(12.329, 46.267)), admin)
    record = replace(BARE, name="Vaiont", built_first_day=built.first_day, built_last_day=built.last_day)
    assert await load(database, rows(record)) == Report(rows_read=1, unchanged=1)


async def test_structures_of_one_dam_are_dams_of_their_own(database: Database) -> None:
    report = await load(database, rows(WEISS, DIKE, replace(WEISS, name="TWICE")))
    assert report.added == 2
    assert report.refused == [Refusal(4, "It is the same dam as number 2.")]


async def test_refusals_and_notes_are_reported_by_line(database: Database) -> None:
    entries: list[Row | Refusal] = [
        Row(2, WEISS, ("Doubtful.",)),
        Refusal(3, "Location is missing."),
        Row(4, WEISS),
        Row(5, BARE, ("Odd.",)),
    ]
    report = await load(database, entries)
    assert report.refused == [
        Refusal(3, "Location is missing."),
        Refusal(4, "It is the same dam as number 2."),
    ]
    assert report.notes == [Note(2, "Doubtful."), Note(5, "Odd.")]
    assert report.rows_read == report.added + report.unchanged + len(report.refused)


async def test_an_empty_file_adds_nothing(database: Database) -> None:
    assert await load(database, []) == Report()
    assert (await read_inventory(database)).last_sequence == 0


async def test_a_dry_run_reports_the_same_and_writes_nothing(database: Database) -> None:
    entries: list[Row | Refusal] = [Row(2, WEISS, ("Doubtful.",)), Refusal(3, "Location is missing."), Row(4, BARE)]
    dry = await load(database, entries, dry_run=True)
    assert await read_inventory(database) == InventoryState(0, 0, 0, last_sequence=0)
    assert await dams(database) == await events(database) == []
    dry.last_sequence = 2
    assert dry == await load(database, entries)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_more_dams_than_fit_add_none(database: Database, dry_run: bool) -> None:
    await load(database, rows(BARE))
    await set_cap(database, "max_dams", 4)
    with pytest.raises(InventoryFull) as error:
        await load(database, many(5), dry_run=dry_run)
    assert str(error.value) == "Unable to add 5 dams, because the inventory has room for 3 (max_dams is 4)."
    assert await read_inventory(database) == InventoryState(1, 4, 0, last_sequence=1)
    assert len(await dams(database)) == len(await events(database)) == 1


async def test_dams_that_just_fit_are_added(database: Database) -> None:
    await set_cap(database, "max_dams", 5)
    await load(database, many(3))
    assert (await load(database, many(5))).added == 2


async def test_a_partial_import_adds_the_first_that_fit(database: Database) -> None:
    await set_cap(database, "max_dams", 2)
    entries: list[Row | Refusal] = [
        Row(2, WEISS),
        Row(3, DIKE),
        Row(4, BARE, ("Odd.",)),
        Refusal(5, "Location is missing."),
    ]
    report = await load(database, entries, partial=True)
    assert (report.added, report.last_sequence, report.notes) == (2, 2, [])
    assert report.refused == [
        Refusal(4, "The inventory is full (max_dams is 2)."),
        Refusal(5, "Location is missing."),
    ]
    assert [dam.name for dam in await dams(database)] == [WEISS.name, DIKE.name]
    assert (await load(database, entries, partial=True)).last_sequence is None


async def test_a_cap_below_the_count_leaves_no_room(database: Database) -> None:
    await load(database, many(3))
    await set_cap(database, "max_dams", 1)
    with pytest.raises(InventoryFull, match="has room for 0 "):
        await load(database, rows(WEISS))


async def test_a_file_that_breaks_off_adds_nothing(database: Database) -> None:
    def broken() -> Iterator[Row]:
        yield from rows(WEISS)
        raise ImportFileError("DAMAGED_GZIP", "dams.csv.gz is damaged.")

    with pytest.raises(ImportFileError):
        await load(database, broken())
    assert (await read_inventory(database)).last_sequence == 0


async def test_progress_counts_the_rows_read(database: Database) -> None:
    told: list[int] = []
    await load(database, many(2_500), progress=told.append)
    assert told == [1_000, 2_000, 2_500]


async def test_imports_and_adds_at_once_are_counted_and_numbered_exactly(database: Database, admin: Viewer) -> None:
    dam = NewDam("Jordanelle", "Reclamation", "Provo River", parse_build_date("1993"), Point(-111.42, 40.6))
    one, other, *added = await asyncio.gather(
        load(database, many(1_500)),
        load(database, many(2_000)),
        *(add_dam(database, dam, admin) for _ in range(20)),
    )
    assert one.added + other.added == 2_000
    assert one.unchanged + other.unchanged == 1_500
    assert len({row.id for row in added}) == 20
    assert await read_inventory(database) == InventoryState(2_020, 0, 0, last_sequence=2_020)
    assert [event.sequence for event in await events(database)] == list(range(1, 2_021))
    assert [dam.id for dam in await dams(database)] == list(range(1, 2_021))


async def test_a_cap_holds_while_imports_and_adds_race(database: Database, admin: Viewer) -> None:
    await set_cap(database, "max_dams", 100)
    dam = NewDam("Jordanelle", "Reclamation", "Provo River", parse_build_date("1993"), Point(-111.42, 40.6))
    await asyncio.gather(
        load(database, many(95), partial=True),
        *(add_dam(database, dam, admin) for _ in range(20)),
        return_exceptions=True,
    )
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(Dam)) == 100
    assert (await read_inventory(database)).dam_count == 100
