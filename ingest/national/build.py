"""Makes dams.csv.gz: `python -m ingest.national.build FILE_2018 FILE_2013 OUT`. README.md tells what and why."""

import csv
import gzip
import io
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.formats import Parser
from ingest.reading import open_source
from ingest.record import DamRecord, Row
from resolvers.dates import iso
from resolvers.text import fold

SAME_PLACE_DEG = 0.01
"""About 1 km: the same id so near is the same dam, renamed. Further off, states have given ids again."""

SAME_POINT_DEG = 0.0005
"""About 50 m, the rounding of the 2013 edition: tells the structures of one dam apart."""

CORRECTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("UT10204", "JORDANELLE"): {"river": "PROVO RIVER"},  # "PROVO" in 2013
    ("MA00849", "TURNERS FALLS POWER CANAL ?Çô LEFT DIKE"): {"name": "TURNERS FALLS POWER CANAL \N{EN DASH} LEFT DIKE"},
}
"""By NID id and name of the 2018 edition."""

Group = list[DamRecord]


def main(file_2018: Path, file_2013: Path, out: Path) -> None:
    told: Counter[str] = Counter()
    older = by_id(row.record for row in open_source(file_2013).entries if isinstance(row, Row))
    newer = by_id(records_of_2018(file_2018, told))
    dams = [dam for id_, group in newer.items() for dam in joined(group, older[id_], told)]
    assert len({(dam.external_id, dam.structure_id) for dam in dams}) == len(dams)
    write(dams, out)
    for what, count in {**told, "written": len(dams)}.items():
        print(f"{count:7,} {what}")  # noqa: T201


def by_id(records: Iterable[DamRecord]) -> defaultdict[str, Group]:
    groups: defaultdict[str, Group] = defaultdict(list)
    for record in records:
        groups[record.external_id or ""].append(record)
    return groups


def records_of_2018(path: Path, told: Counter[str]) -> list[DamRecord]:
    """By record number, in which the main dam of an id comes first (328 of 336 where 2013 tells); it is their
    structure id (`R4150`) until a better one is found.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    parser, number = Parser(header), header.index("recordid")
    entries = {int(cells[number]): parser.parse(0, cells) for cells in rows}
    told.update(entry.reason for entry in entries.values() if not isinstance(entry, Row))
    return [
        replace(entry.record, structure_id=f"R{record_number}")
        for record_number, entry in sorted(entries.items())
        if isinstance(entry, Row)
    ]


def joined(newer: Group, older: Group, told: Counter[str]) -> Group:
    """The dams of one id of 2018, with what 2013 adds to those that are certainly the same."""
    same = matches(newer, older)
    structures = structure_ids(newer, older, same)
    told["joined with a row of 2013"] += len(same)
    told["with the id of a row of 2013 that may be another dam"] += len(newer) - len(same) if older else 0
    told["with a structure id of 2013"] += sum(same[place].structure_id == structures[place] != "" for place in same)
    told["with a structure id made here"] += sum(structure.startswith("R") for structure in structures)
    return [
        corrected(replace(enriched(dam, same.get(place)), structure_id=structures[place]))
        for place, dam in enumerate(newer)
    ]


def matches(newer: Group, older: Group) -> dict[int, DamRecord]:
    """Place in `newer` -> its row in `older`, where name or point leave no doubt."""
    if len(newer) == len(older) == 1:
        return {0: older[0]} if same_name(newer[0], older[0]) or near(newer[0], older[0], SAME_PLACE_DEG) else {}
    found: dict[int, DamRecord] = {}
    for same in (same_name, same_point_and_height):
        candidates = {
            place: [old for old in older if same(dam, old) and not any(old is taken for taken in found.values())]
            for place, dam in enumerate(newer)
            if place not in found
        }
        chosen = Counter(id(old) for olds in candidates.values() for old in olds)
        found |= {place: olds[0] for place, olds in candidates.items() if len(olds) == 1 and chosen[id(olds[0])] == 1}
    return found


def same_name(one: DamRecord, other: DamRecord) -> bool:
    return one.name is not None and other.name is not None and plain(one.name) == plain(other.name)


def plain(name: str) -> str:
    return re.sub(r"\bdam\b|[^a-z0-9]", "", fold(name))


def same_point_and_height(one: DamRecord, other: DamRecord) -> bool:
    return near(one, other, SAME_POINT_DEG) and one.height_ft == other.height_ft


def near(one: DamRecord, other: DamRecord, degrees: float) -> bool:
    return abs(one.longitude - other.longitude) < degrees and abs(one.latitude - other.latitude) < degrees


def structure_ids(newer: Group, older: Group, same: dict[int, DamRecord]) -> list[str]:
    """Those of 2013 where certain; else none for the first, the record numbers for the others."""
    if len(newer) == len(older) == 1:
        return [""]
    ids = {place: old.structure_id for place, old in same.items()}
    if len(set(ids.values())) < len(ids):
        ids = {}
    if "" not in ids.values():
        first = next((place for place in range(len(newer)) if place not in ids), None)
        ids |= {} if first is None else {first: ""}
    return [ids.get(place, dam.structure_id) for place, dam in enumerate(newer)]


def enriched(dam: DamRecord, old: DamRecord | None) -> DamRecord:
    if old is None:
        return dam
    first = old.purposes[:1] if old.purposes and old.purposes[0] in dam.purposes else ()
    return replace(
        dam,
        river=old.river,
        other_names=tuple(name for name in old.other_names if fold(name) != fold(dam.name or "")),
        drainage_area_sq_mi=old.drainage_area_sq_mi,
        purposes=tuple(dict.fromkeys(first + dam.purposes)),
    )


def corrected(dam: DamRecord) -> DamRecord:
    return replace(dam, **CORRECTIONS.get((dam.external_id or "", dam.name or ""), {}))


def write(dams: Group, out: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CELLS)
    rows.writerows([cell(dam) for cell in CELLS.values()] for dam in dams)
    with out.open("wb") as stream, gzip.GzipFile("", "wb", compresslevel=9, fileobj=stream, mtime=0) as packed:
        packed.write(text.getvalue().encode())


def amount(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"


def degrees(value: float) -> str:
    """Six decimals, 0.1 m; the source has float noise after the eighth."""
    return f"{round(value, 6):.9g}"


CELLS: dict[str, Any] = {
    "name": lambda dam: dam.name or "",
    "other_names": lambda dam: "; ".join(dam.other_names),
    "river": lambda dam: dam.river or "",
    "owner_types": lambda dam: ";".join(dam.owner_types),
    "date_built": lambda dam: iso(dam.built_first_day, dam.built_last_day) if dam.built_first_day else "",
    "longitude": lambda dam: degrees(dam.longitude),
    "latitude": lambda dam: degrees(dam.latitude),
    "external_id": lambda dam: dam.external_id or "",
    "structure_id": lambda dam: dam.structure_id,
    "state": lambda dam: dam.state or "",
    "county": lambda dam: dam.county or "",
    "height_ft": lambda dam: amount(dam.height_ft),
    "storage_acre_ft": lambda dam: amount(dam.storage_acre_ft),
    "drainage_area_sq_mi": lambda dam: amount(dam.drainage_area_sq_mi),
    "purposes": lambda dam: ";".join(dam.purposes),
    "dam_types": lambda dam: ";".join(dam.dam_types),
    "hazard": lambda dam: dam.hazard or "",
}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
