"""Adds the dams of a file to the inventory: all that are new in one transaction, or none."""

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Dialect, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.record import DamRecord, Note, Refusal, Row
from models import Base, Dam, EventKind, Inventory
from models.database import Database
from models.errors import InventoryFull
from resolvers.rows import with_keys

DAMS, EVENTS = (Base.metadata.tables[name] for name in ("dams", "events"))
COLUMNS = [column.name for column in DAMS.columns if column.name not in {"id", "point"}]
EVENT_COLUMNS = ["sequence", "dam_id", "kind", "at", "actor"]

COPY_TIMEOUT_S = 600.0
"""Instead of the limit of a request's statement: 91,000 dams take about 5 s, a million would take a minute."""

ROWS_A_STEP = 1_000
"""After so many rows other tasks have a turn, and the progress is told: some 30 ms."""

Progress: TypeAlias = Callable[[int], None]
"""Called with the number of rows read so far."""


@dataclass(slots=True)
class Report:
    """What an import did, or would do; every row read is added, unchanged or refused."""

    rows_read: int = 0
    added: int = 0
    unchanged: int = 0
    """Rows whose dam is in the inventory already; it is left as it is."""
    refused: list[Refusal] = field(default_factory=list)
    """By line."""
    notes: list[Note] = field(default_factory=list)
    """On rows that were added, by line."""
    last_sequence: int | None = None
    """Of the events of this import, to be published. None where nothing was written."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    row: Row
    values: tuple[Any, ...]
    """As the driver takes them, in the order of `COLUMNS`, without the id."""


async def load(
    database: Database,
    entries: Iterable[Row | Refusal],
    *,
    dry_run: bool = False,
    partial: bool = False,
    actor: str = "import",
    progress: Progress = lambda rows_read: None,
) -> Report:
    """Raises InventoryFull where not all new dams fit, unless `partial` adds those that do, in the order of the file.

    Also raises DatabaseUnavailable, and ImportFileError from `entries`; nothing is written then. A dam is known by its
    external id and structure id; where it has no external id, by name, build date and exact location.
    """
    report = Report()
    async with database.read() as connection:
        encode = _encoder(DAMS, COLUMNS, connection.dialect)
    candidates = await _read(entries, encode, report, progress)
    if dry_run:
        async with database.read() as connection:
            await _choose(connection, candidates, partial, report)
    else:
        async with database.write() as connection:
            chosen = await _choose(connection, candidates, partial, report)
            if chosen:
                report.last_sequence = await _write(connection, [each.values for each in chosen], actor)
    return report


async def _read(
    entries: Iterable[Row | Refusal],
    encode: Callable[[dict[str, Any]], tuple[Any, ...]],
    report: Report,
    progress: Progress,
) -> dict[Hashable, _Candidate]:
    """The rows by the key of their dam, each dam once."""
    candidates: dict[Hashable, _Candidate] = {}
    for entry in entries:
        report.rows_read += 1
        if isinstance(entry, Refusal):
            report.refused.append(entry)
        elif twin := candidates.get(_key(entry.record)):
            report.refused.append(Refusal(entry.line, f"It is the same dam as number {twin.row.line}."))
        else:
            candidates[_key(entry.record)] = _Candidate(entry, encode(_values(entry.record)))
        if report.rows_read % ROWS_A_STEP == 0:
            progress(report.rows_read)
            await asyncio.sleep(0)
    progress(report.rows_read)
    return candidates


def _key(dam: DamRecord | Any) -> Hashable:
    """What a dam is known by."""
    if dam.external_id is not None:
        return dam.external_id, dam.structure_id
    return dam.name, dam.built_first_day, dam.built_last_day, dam.longitude, dam.latitude


async def _choose(
    connection: AsyncConnection, candidates: dict[Hashable, _Candidate], partial: bool, report: Report
) -> Sequence[_Candidate]:
    """The dams to add, as far as there is room. Takes the lock of the counter row where the connection writes."""
    # Under the lock no other writer adds a dam, so that what is known and what fits stays true to the commit.
    dam_count, max_dams = (await connection.execute(COUNT)).one()
    known = {_key(dam) for dam in await connection.execute(KEYS)}
    new = [candidate for key, candidate in candidates.items() if key not in known]
    report.unchanged = len(candidates) - len(new)
    room = max(max_dams - dam_count, 0) if max_dams else len(new)
    if len(new) > room and not partial:
        raise InventoryFull(
            f"Unable to add {len(new):,} dams, because the inventory has room for {room:,} (max_dams is {max_dams:,})."
        )
    full = f"The inventory is full (max_dams is {max_dams:,})."
    report.refused.extend(Refusal(candidate.row.line, full) for candidate in new[room:])
    report.refused.sort(key=lambda refusal: refusal.line)
    report.added = len(new[:room])
    report.notes = [Note(each.row.line, text) for each in new[:room] for text in each.row.notes]
    return new[:room]


COUNT = select(Inventory.dam_count, Inventory.max_dams).with_for_update()
KEYS = select(
    Dam.external_id,
    Dam.structure_id,
    Dam.name,
    Dam.built_first_day,
    Dam.built_last_day,
    Dam.longitude,
    Dam.latitude,
)


async def _write(connection: AsyncConnection, dams: Sequence[tuple[Any, ...]], actor: str) -> int:
    """Numbers, adds and logs the dams; returns the last sequence number, which is the id of the last dam."""
    count_up = (
        update(Inventory)
        .values(dam_count=Inventory.dam_count + len(dams), last_sequence=Inventory.last_sequence + len(dams))
        .returning(Inventory.last_sequence)
    )
    last: int = (await connection.execute(count_up)).scalar_one()
    ids = range(last - len(dams) + 1, last + 1)
    await _copy(connection, DAMS, ("id", *COLUMNS), [(id_, *dam) for id_, dam in zip(ids, dams, strict=True)])
    encode = _encoder(EVENTS, EVENT_COLUMNS, connection.dialect)
    event = {"kind": EventKind.DAM_ADDED, "at": datetime.now(UTC), "actor": actor}
    _, _, *same = encode({**event, "sequence": 0, "dam_id": 0})
    await _copy(connection, EVENTS, EVENT_COLUMNS, [(id_, id_, *same) for id_ in ids])
    return last


async def _copy(connection: AsyncConnection, table: Table, columns: Collection[str], rows: Sequence[Any]) -> None:
    """COPY on PostgreSQL, three times as fast as INSERT there; executemany on SQLite."""
    if connection.dialect.name == "postgresql":
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.copy_records_to_table(table.name, columns=columns, records=rows, timeout=COPY_TIMEOUT_S)
    else:
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        await connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608


def _values(record: DamRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in DamRecord.__slots__}
    return with_keys({**values, "added_by_id": None, "idempotency_key": None})


def _encoder(table: Table, columns: Collection[str], dialect: Dialect) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """From values by column, as the models have them, to those of the driver in the order of `columns`."""
    processors: list[tuple[int, Callable[[Any], Any]]] = []
    for place, name in enumerate(columns):
        type_: Any = table.columns[name].type.dialect_impl(dialect)
        if process := type_.bind_processor(dialect):
            processors.append((place, process))
    pick = itemgetter(*columns)

    def encode(values: dict[str, Any]) -> tuple[Any, ...]:
        row = list(pick(values))
        for place, process in processors:
            row[place] = process(row[place])
        return tuple(row)

    return encode
