"""The layouts of files that can be imported. A format is a table: our columns, its headers, how a cell is cleaned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ingest.cleaning import (
    REFUSED,
    UNKNOWN_RIVERS,
    Cleaner,
    Noted,
    build_date,
    by_comma,
    by_letter,
    by_pair,
    code,
    codes,
    federal_structure,
    identity,
    measure,
    national_point,
    national_year,
    owners,
    point,
    state,
    structure,
    text,
    texts,
)
from ingest.record import DamRecord, Refusal, Row
from ingest.words import DAM_TYPES, HAZARDS, OWNER_TYPES, PURPOSES


@dataclass(frozen=True, slots=True)
class Column:
    """Fields of DamRecord, and the headers of the cells that say them; `lon|lng` are two spellings of one header."""

    fields: tuple[str, ...]
    headers: tuple[str, ...]
    clean: Cleaner


@dataclass(frozen=True, slots=True)
class Format:
    """`required` headers tell the format from the others; a column whose headers are all absent keeps its default."""

    name: str
    required: tuple[str, ...]
    columns: tuple[Column, ...]
    record_number: str = ""
    """Header of a number unique in the file, where ids repeat and no structure id tells their rows apart."""


def column(fields: str, headers: str, clean: Cleaner) -> Column:
    return Column(tuple(fields.split()), tuple(headers.split()), clean)


POINT = "longitude latitude"
BUILT = "built_first_day built_last_day"

NATIONAL_2013 = Format(
    "National Inventory of Dams, 2013",
    ("NID_ID", "Dam_Name", "Longitude", "Latitude", "All_Purposes", "Year_Completed"),
    (
        column("name", "Dam_Name", text("Name")),
        column("other_names", "Other_Dam_Name", texts("Other name")),
        column("owner_types", "Owner_Type", codes("Owner type", OWNER_TYPES)),
        column("river", "River", text("River", UNKNOWN_RIVERS)),
        column(BUILT, "Year_Completed", national_year),
        column(POINT, "Longitude Latitude", national_point),
        column("external_id", "NID_ID", identity("NID id")),
        column("structure_id", "Other_Structure_ID", structure),
        column("state", "State", state),
        column("county", "County", text("County")),
        column("height_ft", "NID_Height", measure("Height")),
        column("storage_acre_ft", "NID_Storage", measure("Storage")),
        column("drainage_area_sq_mi", "Drainage_Area", measure("Drainage area")),
        column("purposes", "Primary_Purpose All_Purposes", codes("Purpose", PURPOSES, by_comma)),
        column("dam_types", "Dam_Type", codes("Dam type", DAM_TYPES, by_comma)),
    ),
)

NATIONAL_2018 = Format(
    "National Inventory of Dams, 2018",
    ("recordid", "nidid", "dam_name", "longitude", "latitude", "purposes", "year_completed"),
    (
        column("name", "dam_name", text("Name")),
        column("owner_types", "owner_type", codes("Owner type", OWNER_TYPES, by_letter)),
        column(BUILT, "year_completed", national_year),
        column(POINT, "longitude latitude", national_point),
        column("external_id", "nidid", identity("NID id")),
        column("state", "state", state),
        column("county", "county", text("County")),
        column("height_ft", "nid_height", measure("Height")),
        column("storage_acre_ft", "nid_storage", measure("Storage")),
        column("purposes", "purposes", codes("Purpose", PURPOSES, by_letter)),
        column("dam_types", "dam_type", codes("Dam type", DAM_TYPES, by_pair)),
        column("hazard", "hazard", code("Hazard", HAZARDS)),
    ),
    record_number="recordid",
)

NATIONAL_2021 = Format(
    "National Inventory of Dams, 2021 and later",
    ("nidId", "federalId", "name", "latitude", "longitude", "purposeIds"),
    (
        column("name", "name", text("Name")),
        column("other_names", "otherNames formerNames", texts("Other name")),
        column("owner", "ownerNames", owners),
        column("owner_types", "primaryOwnerTypeId ownerTypeIds", codes("Owner type", OWNER_TYPES)),
        column("river", "riverName", text("River", UNKNOWN_RIVERS)),
        column(BUILT, "yearCompleted", national_year),
        column(POINT, "longitude latitude", national_point),
        column("external_id", "nidId", identity("NID id")),
        column("structure_id", "otherStructureId federalId nidId", federal_structure),
        column("state", "state", state),
        column("county", "county", text("County")),
        column("height_ft", "nidHeight", measure("Height")),
        column("storage_acre_ft", "nidStorage", measure("Storage")),
        column("drainage_area_sq_mi", "drainageArea", measure("Drainage area")),
        column("purposes", "primaryPurposeId purposeIds", codes("Purpose", PURPOSES)),
        column("dam_types", "primaryDamTypeId damTypeIds", codes("Dam type", DAM_TYPES)),
        column("hazard", "hazardId", code("Hazard", HAZARDS)),
    ),
)

GENERIC = Format(
    "columns by name",
    ("name", "longitude|lon|lng", "latitude|lat"),
    (
        column("name", "name", text("Name")),
        column("other_names", "other_names", texts("Other name")),
        column("owner", "owner", owners),
        column("owner_types", "owner_types", codes("Owner type", OWNER_TYPES)),
        column("river", "river", text("River", UNKNOWN_RIVERS)),
        column(BUILT, "date_built", build_date),
        column(POINT, "longitude|lon|lng latitude|lat", point),
        column("external_id", "external_id", identity("External id")),
        column("structure_id", "structure_id", structure),
        column("state", "state", state),
        column("county", "county", text("County")),
        column("height_ft", "height_ft", measure("Height")),
        column("storage_acre_ft", "storage_acre_ft", measure("Storage")),
        column("drainage_area_sq_mi", "drainage_area_sq_mi", measure("Drainage area")),
        column("purposes", "purposes", codes("Purpose", PURPOSES)),
        column("dam_types", "dam_types", codes("Dam type", DAM_TYPES)),
        column("hazard", "hazard", code("Hazard", HAZARDS)),
    ),
)

FORMATS = (NATIONAL_2013, NATIONAL_2018, NATIONAL_2021, GENERIC)
"""In the order in which a header is tried: the generic one fits most."""


class UnknownFormat(ValueError):
    """A header that no format fits, with the columns that the nearest one misses."""


CACHED_CELLS = 4096
"""A column: purposes, counties and years repeat, so most cells of a national file are cleaned once."""


class Parser:
    """Reads the rows below one header. Raises UnknownFormat."""

    def __init__(self, header: Sequence[str]) -> None:
        places = _places(header)
        self.format = _format_of(places)
        used = {_place(name, places) for column in self.format.columns for name in column.headers}
        self.ignored = [name for place, name in enumerate(header) if place not in used]
        """Headers that no column of the format has; of two that are alike, the first one is read."""
        self._width = len(header)
        self._record_number = _place(self.format.record_number, places)
        self._ids: set[str] = set()
        # A header of a column that the file has only in part stands one place past the last cell, which is blank.
        self._plan: list[tuple[tuple[str, ...], tuple[int, ...], Callable[..., Any]]] = [
            (column.fields, tuple(self._width if place is None else place for place in found), _cached(column.clean))
            for column in self.format.columns
            if set(found := [_place(header, places) for header in column.headers]) != {None}
        ]

    def parse(self, line: int, cells: list[str]) -> Row | Refusal:
        if len(cells) != self._width:
            return Refusal(line, f"The row has {len(cells)} cells; the header has {self._width}.")
        try:
            values, notes = self._cleaned([*cells, ""])
            if self._record_number is not None:
                values["structure_id"] = self._numbered(values["external_id"], cells[self._record_number])
        except REFUSED as error:
            return Refusal(line, str(error))
        if values["name"] is None and values.get("external_id") is None:
            return Refusal(line, "Neither a name nor an id says which dam this is.")
        return Row(line, DamRecord(**values), notes)

    def _numbered(self, external_id: str | None, record_number: str) -> str:
        """`R4150` for record 4150, where an earlier row has its id; the first row of an id is mostly the main dam."""
        if external_id is None or external_id not in self._ids:
            self._ids.add(external_id or "")
            return ""
        return structure(f"R{record_number}")

    def _cleaned(self, cells: list[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
        values: dict[str, Any] = {}
        notes: tuple[str, ...] = ()
        for fields, places, clean in self._plan:
            value = clean(*[cells[place] for place in places])
            if type(value) is Noted:
                notes += value.notes
                value = value.value
            if len(fields) == 1:
                values[fields[0]] = value
            else:
                values.update(zip(fields, value, strict=True))
        return values, notes


def _cached(clean: Cleaner) -> Cleaner:
    return lru_cache(CACHED_CELLS)(clean)


def folded(header: str) -> str:
    """Case, blanks and underscores do not matter."""
    return "".join(header.lower().replace("_", " ").split())


def _places(header: Sequence[str]) -> dict[str, int]:
    return {folded(name): place for place, name in reversed(list(enumerate(header))) if folded(name)}


def _place(spellings: str, places: dict[str, int]) -> int | None:
    return next((places[folded(name)] for name in spellings.split("|") if folded(name) in places), None)


def _format_of(places: dict[str, int]) -> Format:
    missing = {
        format_.name: [header for header in format_.required if _place(header, places) is None] for format_ in FORMATS
    }
    for format_ in FORMATS:
        if not missing[format_.name]:
            return format_
    nearest = min(reversed(FORMATS), key=lambda format_: len(missing[format_.name]) / len(format_.required))
    names = ", ".join(header.replace("|", " or ") for header in missing[nearest.name])
    raise UnknownFormat(f"columns missing for the format “{nearest.name}”: {names}")
