"""What a cell of a file means: texts to values, doubts told, nothing guessed.

Every function here takes cells as they stand in the file and returns the value, or `Noted` where the value is
usable but its owner should look at it. Raises `Unusable`, or the errors of `resolvers`, where the row cannot be used.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from ingest.words import NOTHING_SAID, STATE_CODES
from resolvers.dates import BuildDate, UnusableDate, parse_build_date
from resolvers.locations import Point, UnusableLocation, check_point
from resolvers.text import MAX_CHARACTERS, UnusableText, clean_text

Cleaner: TypeAlias = Callable[..., Any]
"""Cells to a value, or to `Noted`."""


class Unusable(ValueError):
    """A sentence on why the row cannot be used."""


REFUSED = (Unusable, UnusableDate, UnusableLocation)


@dataclass(frozen=True, slots=True)
class Noted:
    value: Any
    notes: tuple[str, ...]


def _noted(value: Any, notes: list[str]) -> Any:
    return Noted(value, tuple(notes)) if notes else value


SIGNIFICANT_DIGITS = 12
"""Float noise (28.400000000000002) starts at the 16th; 12 are 0.1 mm of a longitude."""

EARLIEST_NATIONAL_YEAR = 1640
"""Old Oaken Bucket Pond Dam, Massachusetts: the oldest of the national inventory."""

UNKNOWN_RIVERS = NOTHING_SAID | {"na", "unk", "not applicable", "see remarks", "see note", "#name?", ".", "-", "0", "?"}
"""OFFSTREAM and UNNAMED stay: they say that the dam stands beside a stream, or on one without a name."""

NO_NAMES = frozenset({"", "n/a", "none", "unknown", "null", "#name?"})

MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
MANGLED = re.compile(
    rf"\d{{1,4}}-{MONTH}|{MONTH}-\d{{1,4}}|\d(?:\.\d+)?E\+\d+|#(?:NAME\?|REF!|VALUE!|N/A)", re.IGNORECASE
)
"""What spreadsheets make of names: 1-2 becomes 2-Jan, 3E5 becomes 3.00E+05, a leading = becomes #NAME?."""

MOJIBAKE = re.compile(
    "\ufffd|\\?[\u00c0-\u00ff]|\u00c3[\u0080-\u00bf]|\u00e2\u20ac|[\u0393\u00d4]\u00c7|[\u251c\u252c]"
)
"""Traces of UTF-8 that was read as another encoding, the last two as that of an old terminal (cp437, cp850)."""

MISREAD_AS = ("cp1252", "latin-1")
"""Not cp437 and cp850: there the good names Íñigo and Ãé are UTF-8 too."""

USUAL = re.compile("[ -~\u00a0-\u017f\u2010-\u2027]*")
"""Latin letters and punctuation. Other letters are no proof: so misread, CAÑ—X would become CAїX."""


def text(label: str, unknown: frozenset[str] = NO_NAMES) -> Cleaner:
    """Single blanks, None for blank and for the words of `unknown`; mended where that is certain."""

    def clean(cell: str) -> Any:
        notes: list[str] = []
        tidy = _tidy(cell, label, notes)
        return _noted(tidy if tidy.lower() not in unknown else None, notes)

    return clean


def texts(label: str) -> Cleaner:
    """A tuple of texts from ";"-lists in one or several cells, repeated ones and placeholders dropped."""

    def clean(*cells: str) -> Any:
        notes: list[str] = []
        parts = [_tidy(part, label, notes) for cell in cells if cell for part in cell.split(";")]
        return _noted(tuple(dict.fromkeys(part for part in parts if part.lower() not in NO_NAMES)), notes)

    return clean


def owners(cell: str) -> Any:
    """One text, each owner once: `DELDOT; DNREC DFW`."""
    notes: list[str] = []
    parts = dict.fromkeys(_tidy(part, "Owner", notes) for part in cell.split(";"))
    return _noted(_tidy("; ".join(part for part in parts if part.lower() not in NO_NAMES), "Owner", []) or None, notes)


def _tidy(cell: str, label: str, notes: list[str]) -> str:
    value = cell.strip() if cell.isprintable() and "  " not in cell else " ".join(cell.split())
    if not value.isascii():
        value = _mended(value, label, notes)
    if len(value) > MAX_CHARACTERS or not value.isprintable():
        try:
            clean_text(value)
        except UnusableText as error:
            raise Unusable(f"{label} {error}.") from None
    if MANGLED.fullmatch(value):
        notes.append(f'{label} "{value}" looks mangled by a spreadsheet.')
    return value


def _mended(value: str, label: str, notes: list[str]) -> str:
    """A text that is valid UTF-8 once its wrong encoding is undone, and then usual, is mended: that is no chance."""
    for encoding in MISREAD_AS:
        try:
            mended = " ".join(value.encode(encoding).decode("utf-8").split())
        except UnicodeError:
            continue
        if USUAL.fullmatch(mended):
            notes.append(f'{label} "{value}" is mended to "{mended}".')
            return mended
    if MOJIBAKE.search(value):
        notes.append(f'{label} "{value}" has wrongly decoded characters.')
    return value


def identity(label: str) -> Callable[[str], str | None]:
    """An id, in capitals as it is searched; None for blank. Spreadsheet dates are refused: two dams could be one."""

    def clean(cell: str) -> str | None:
        notes: list[str] = []
        value = _tidy(cell, label, notes)
        if notes:
            raise Unusable(notes[0])
        return value.upper() or None

    return clean


def structure(cell: str) -> str:
    return identity("Structure id")(cell) or ""


def federal_structure(structure_id: str, federal_id: str, nid_id: str) -> str:
    """`S001` of the federal id `MS82201S001`, the unique key since 2021, whose rest is the NID id."""
    given = structure(structure_id)
    return given or structure(federal_id.strip().upper().removeprefix(nid_id.strip().upper()))


NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def number(cell: str, label: str) -> float | None:
    cell = cell.strip()
    if not cell:
        return None
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    if not math.isfinite(value):
        raise Unusable(f'{label} "{cell[:40]}" is not a number.')
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def measure(label: str) -> Cleaner:
    """A number of units above 0; 0 is how the national inventory writes "unknown"."""

    def clean(cell: str) -> float | None:
        value = number(cell, label)
        if value is not None and value < 0:
            raise Unusable(f"{label} {value:g} is negative.")
        return value or None

    return clean


def point(longitude: str, latitude: str) -> tuple[float, float]:
    """`(longitude, latitude)` in decimal degrees, WGS 84."""
    x, y = number(longitude, "Longitude"), number(latitude, "Latitude")
    if x is None or y is None:
        raise Unusable("Location is missing.")
    if x == 0 == y:
        raise Unusable("Location 0, 0 is in the Gulf of Guinea; it usually means that none is known.")
    found: Point = check_point(x, y)
    return found.longitude, found.latitude


def national_point(longitude: str, latitude: str) -> tuple[float, float]:
    """As `point`; no part of the United States has a coordinate of 0, so one 0 means unknown too."""
    found = point(longitude, latitude)
    if 0 in found:
        raise Unusable("Location has a coordinate of 0, which means unknown here.")
    return found


Days: TypeAlias = tuple[Any, Any]
"""First and last day of a build date, both None where it is unknown."""


def build_date(cell: str) -> Days:
    """1941, 1993-04, 1993-04-12, or "April 12, 1993"."""
    cell = " ".join(cell.split())
    if not cell:
        return None, None
    try:
        built: BuildDate = parse_build_date(cell)
    except UnusableDate as error:
        raise Unusable(f"Date built {error}.") from None
    return built.first_day, built.last_day


def national_year(cell: str) -> Days:
    """A year of the national inventory. 1800 and 1900 are often placeholders, and kept as published."""
    first, last = build_date("" if cell.strip() == "0" else cell)
    if first and first.year < EARLIEST_NATIONAL_YEAR:
        raise Unusable(f'Date built "{cell}" is before {EARLIEST_NATIONAL_YEAR}, the oldest dam of this inventory.')
    return first, last


def state(cell: str) -> Any:
    """USPS code from the code or the name. Other countries have none: the word is left out and noted."""
    word = cell.strip()
    code = STATE_CODES.get(word.lower())
    return _noted(code, [f'State "{word[:40]}" is not a state of the US, and left out.'] if word and not code else [])


Split: TypeAlias = Callable[[str], list[str]]


def by_semicolon(cell: str) -> list[str]:
    return cell.split(";")


def by_comma(cell: str) -> list[str]:
    """2013: `Recreation, Fire Protection, Stock, Or Small Fish Pond` are two purposes."""
    return re.split(r", (?!Stock,|Or Small)", cell)


def by_letter(cell: str) -> list[str]:
    """2018: `HRS` is hydroelectric, recreation, water supply."""
    return list(cell.strip())


def by_pair(cell: str) -> list[str]:
    """2018: `PGRE` is gravity, earth."""
    cell = cell.strip()
    return [cell[start : start + 2] for start in range(0, len(cell), 2)]


def codes(label: str, words: Mapping[str, StrEnum | None], split: Split = by_semicolon) -> Cleaner:
    """A tuple of members, repeated ones dropped, from one cell or from several, the most important first."""

    def clean(*cells: str) -> Any:
        found = [_word(part) for cell in cells for part in split(cell)]
        members = dict.fromkeys(words[word] for word in found if word in words)
        strange = [f'{label} "{word[:40]}" is not known, and left out.' for word in found if word not in words]
        return _noted(tuple(member for member in members if member is not None), strange)

    return clean


def code(label: str, words: Mapping[str, StrEnum | None]) -> Cleaner:
    """One member, None for a word that says nothing."""

    def clean(cell: str) -> Any:
        word = _word(cell)
        strange = [] if word in words else [f'{label} "{word[:40]}" is not known, and left out.']
        return _noted(words.get(word), strange)

    return clean


def _word(part: str) -> str:
    return " ".join(part.lower().replace("_", " ").split())
