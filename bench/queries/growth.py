"""What a page, a box, the nearest and an add cost as the inventory grows: inventories made of the real one."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle

from bench.queries.inventories import Inventories, execute, fetch
from bench.queries.measure import Measurement, measure
from bench.queries.report import middle
from bench.queries.servers import Dams
from bench.queries.workloads import (
    BY_NAME,
    DAM,
    NATIONAL_DAMS,
    OURS,
    Variables,
    Workload,
    encoded,
    place,
    request_of,
)
from bench.report import table
from models import Dam
from tests.services import Postgres, running

COLUMNS = [column.key for column in Dam.__table__.columns if column.key not in {"point", "external_id"}]

SAMPLE = "DELETE FROM dams WHERE mod(id::bigint * 7919, {national}) >= {rows}"
"""Spread over the whole inventory, the same each time."""

COPY = """
INSERT INTO dams ({columns}, external_id)
SELECT {values}, external_id || '-' || {copy} FROM dams WHERE id BETWEEN 1 AND least({national}, {rows} - {first} + 1)
"""
CHANGED = {
    "id": "id + {first} - 1",
    "longitude": "greatest(-180, least(180, longitude + random() * 0.2 - 0.1))",
    "latitude": "greatest(-90, least(90, latitude + random() * 0.2 - 0.1))",
}
"""Each copy of a dam stands some kilometres off, and is another one."""

LOG = """
DELETE FROM events;
INSERT INTO events (sequence, kind, dam_id, at, actor) SELECT id, 'dam_added', id, now(), 'import' FROM dams;
UPDATE inventory SET dam_count = (SELECT count(*) FROM dams), last_sequence = (SELECT max(id) FROM dams);
"""


INDICES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('dams', 'events') AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""

MEMORY = "SET maintenance_work_mem = '1GB';"
"""For an index of ten million rows."""


def grown(inventories: Inventories, rows: int) -> str:
    """The URL of an inventory of so many dams. Indices are made when all are there, which is many times faster."""
    url = inventories.copy("postgresql", f"grown-{rows}")
    indices = fetch(url, INDICES)
    execute(url, "".join(f'DROP INDEX "{name}";' for name, _ in indices))
    if rows < NATIONAL_DAMS:
        execute(url, SAMPLE.format(national=NATIONAL_DAMS, rows=rows))
    for copy, first in enumerate(range(NATIONAL_DAMS + 1, rows + 1, NATIONAL_DAMS), 1):
        values = ", ".join(CHANGED.get(name, name).format(first=first) for name in COLUMNS)
        execute(
            url,
            COPY.format(
                columns=", ".join(COLUMNS), values=values, copy=copy, national=NATIONAL_DAMS, rows=rows, first=first
            ),
        )
    execute(url, LOG)
    execute(url, MEMORY + ";".join(definition for _, definition in indices))
    execute(url, "VACUUM ANALYZE")
    return url


BOX = f"query Box($box: BoxInput!) {{ dams(first: 100, where: {{box: $box}}) {{ nodes {{ {DAM} }} }} }}"


def deep_pages(rows: int) -> Callable[[random.Random], tuple[str, Variables]]:
    """A hundred dams from anywhere in the inventory on."""

    def ask(chance: random.Random) -> tuple[str, Variables]:
        number = chance.randint(1, rows)
        return OURS["page"], {"first": 100, "after": encoded("place", "ADDED ASC", number, number)}

    return ask


def boxes(rows: int) -> Callable[[random.Random], tuple[str, Variables]]:
    """Of a size that holds a hundred dams or so."""
    side = 2 * math.sqrt(NATIONAL_DAMS / rows)

    def ask(chance: random.Random) -> tuple[str, Variables]:
        centre = place(chance)
        west, south = centre["longitude"] - side / 2, centre["latitude"] - side / 2
        return BOX, {"box": {"west": west, "south": south, "east": west + side, "north": south + side}}

    return ask


def workloads(rows: int) -> Iterator[Workload]:
    for name, ask in (("page", deep_pages(rows)), ("box", boxes(rows))):
        chance = random.Random(name)
        bodies = [request_of(*ask(chance)) for _ in range(100)]
        yield Workload(name, lambda _, bodies=bodies: cycle(bodies), name)
    yield BY_NAME["nearest"]
    yield BY_NAME["add"]


Growth = dict[tuple[str, int], list[Measurement]]
"""By workload and rows."""


def measure_growth(
    inventories: Inventories,
    postgres: Postgres,
    sizes: list[int],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Growth:
    found: Growth = {}
    for rows in sizes:
        tell(f"making an inventory of {rows:,} dams")
        with running(Dams(grown(inventories, rows))) as server:
            for workload in workloads(rows):
                for number in range(rounds + 1):
                    measurement = measure(server, postgres, workload, seconds)
                    if number:
                        found.setdefault((workload.name, rows), []).append(measurement)
                tell(f"{workload.name}, {rows:,} dams: measured")
    return found


def growth_table(found: Growth) -> Iterator[str]:
    """CPU of the server and of PostgreSQL."""
    names, sizes = (list(dict.fromkeys(key[part] for key in found)) for part in (0, 1))

    def cell(name: str, rows: int) -> str:
        server = middle(found.get((name, rows)), lambda each: each.cpu)
        database = middle(found.get((name, rows)), lambda each: each.database_cpu)
        return "-" if server is None or database is None else f"{server:,.0f} + {database:,.0f}"

    rows = ([name, *(cell(name, size) for size in sizes)] for name in names)
    yield from table(" | ".join(["workload", *(f"{size:,} dams" for size in sizes)]), rows)


def growth_medians(found: Growth) -> Mapping[str, object]:
    """For plot.py."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {"server": {}, "PostgreSQL": {}}
    for (name, rows), rounds in found.items():
        curves["server"].setdefault(name, []).append((rows, middle(rounds, lambda each: each.cpu) or 0.0))
        curves["PostgreSQL"].setdefault(name, []).append((rows, middle(rounds, lambda each: each.database_cpu) or 0.0))
    return {"curves": curves}
