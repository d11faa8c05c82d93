from datetime import UTC, date, datetime
from typing import Any

import pytest

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
from ingest.words import DAM_TYPES, HAZARDS, OWNER_TYPES, PURPOSES
from models.vocabulary import DamType, Hazard, OwnerType, Purpose

NAME = text("Name")
RIVER = text("River", UNKNOWN_RIVERS)
HEIGHT = measure("Height")
POND = "Fire Protection, Stock, Or Small Fish Pond"

VALUES: list[tuple[str, Cleaner, tuple[str, ...], Any]] = [
    ("a name stays as published", NAME, ("BOR DEER CREEK",), "BOR DEER CREEK"),
    ("a blank name is none", NAME, ("  ",), None),
    ("blanks at the ends go", NAME, (" PICKENS ",), "PICKENS"),
    ("double blanks become one", NAME, ("RIO  BLANCO   DAM",), "RIO BLANCO DAM"),
    ("non-breaking spaces become blanks", NAME, ("RIO \xa0BLANCO\xa0DAM",), "RIO BLANCO DAM"),
    ("line breaks become blanks", NAME, ("RIO\r\nBLANCO\tDAM",), "RIO BLANCO DAM"),
    ("quotes and semicolons are part of a name", NAME, ('TANNERY; DAM "A"',), 'TANNERY; DAM "A"'),
    ("letters of other languages stay", NAME, ("CAÑÓN DEL RÍO — ÎLE Ô",), "CAÑÓN DEL RÍO — ÎLE Ô"),
    *[
        (f"{name} is no broken encoding", NAME, (name,), name)
        for name in ("Íñigo Dam", "ÍÑIGO DAM", "Ãé", "CAFÉ’S POND", "CAÑ—X")  # noqa: RUF001
    ],
    ("a name of the words N/A is none", NAME, ("N/A",), None),
    ("200 characters are a name", NAME, ("x" * 200,), "x" * 200),
    *[
        (f"the river {word} is unknown", RIVER, (word,), None)
        for word in ("UNKNOWN", "None", "N/A", "SEE REMARKS", ".")
    ],
    *[(f"the river {word} is known", RIVER, (word,), word) for word in ("OFFSTREAM", "UNNAMED", "TR-BAD RIVER", "TR")],
    ("other names are a list", texts("Other name"), ("KIWANIS; DOVER",), ("KIWANIS", "DOVER")),
    ("other names come from two cells", texts("Other name"), ("A;B", "B; C"), ("A", "B", "C")),
    ("placeholders are no other names", texts("Other name"), ("NONE;;N/A",), ()),
    ("an owner is named once", owners, ("DELDOT; DNREC DFW;DELDOT",), "DELDOT; DNREC DFW"),
    ("an unknown owner is none", owners, (" ",), None),
    ("an id stays as published", identity("NID id"), (" AR9999.2 ",), "AR9999.2"),
    ("an id is in capitals", identity("NID id"), ("ut1",), "UT1"),
    ("no structure id is an empty one", structure, (" ",), ""),
    ("the structure id of 2021 is given", federal_structure, ("S001", "MS82201S001", "MS82201"), "S001"),
    ("or is the rest of the federal id", federal_structure, ("", "MS82201S001", "MS82201"), "S001"),
    ("whatever their case", federal_structure, ("", "ms82201s001", "MS82201"), "S001"),
    ("or is empty for a main dam", federal_structure, ("", "MS82201", "MS82201"), ""),
    ("float noise goes", HEIGHT, ("28.400000000000002",), 28.4),
    ("a height of 0 is unknown", HEIGHT, ("0.0",), None),
    ("a blank height is unknown", HEIGHT, ("",), None),
    ("an exponent is a number", HEIGHT, ("2.7754e8",), 277_540_000.0),
    ("longitude comes first", point, ("-111.5278", "40.4072"), (-111.5278, 40.4072)),
    ("float noise of a coordinate goes", point, ("-109.21650700000001", "40"), (-109.216507, 40.0)),
    ("longitude 0 is Greenwich", point, ("0", "51.5"), (0.0, 51.5)),
    ("a year is 366 days at most", build_date, ("1941",), (date(1941, 1, 1), date(1941, 12, 31))),
    ("a month is up to its last day", build_date, ("1992-02",), (date(1992, 2, 1), date(1992, 2, 29))),
    ("a day is one day", build_date, ("1993-04-12",), (date(1993, 4, 12), date(1993, 4, 12))),
    ("the portal app's date", build_date, (" April 12,  1993 ",), (date(1993, 4, 12), date(1993, 4, 12))),
    ("no date", build_date, ("",), (None, None)),
    ("the year 0 is unknown", national_year, ("0",), (None, None)),
    ("1800 is kept, though often a placeholder", national_year, ("1800",), (date(1800, 1, 1), date(1800, 12, 31))),
    ("the oldest national year", national_year, ("1640",), (date(1640, 1, 1), date(1640, 12, 31))),
    ("a state by its code", state, ("ut",), "UT"),
    ("a state by its name", state, ("Mississippi",), "MS"),
    ("no state", state, ("",), None),
    (
        "purposes of 2013 with a comma inside one",
        codes("Purpose", PURPOSES, by_comma),
        ("Recreation", f"Flood Control, {POND}, Recreation, Other"),
        (Purpose.RECREATION, Purpose.FLOOD_RISK_REDUCTION, Purpose.FIRE_STOCK_OR_FARM_POND, Purpose.OTHER),
    ),
    (
        "purposes of 2018, one repeated",
        codes("Purpose", PURPOSES, by_letter),
        ("HRSR",),
        (Purpose.HYDROELECTRIC, Purpose.RECREATION, Purpose.WATER_SUPPLY),
    ),
    (
        "purposes since 2021, the primary one first",
        codes("Purpose", PURPOSES),
        ("Recreation", f"Flood Risk Reduction;{POND};Recreation"),
        (Purpose.RECREATION, Purpose.FLOOD_RISK_REDUCTION, Purpose.FIRE_STOCK_OR_FARM_POND),
    ),
    ("no purposes", codes("Purpose", PURPOSES), ("",), ()),
    ("every code is its own word", codes("Purpose", PURPOSES), (";".join(Purpose),), tuple(Purpose)),
    ("every name is a word", codes("Purpose", PURPOSES), (";".join(p.name for p in Purpose),), tuple(Purpose)),
    ("owner types of 2013", codes("Owner type", OWNER_TYPES), ("Not Listed",), (OwnerType.NOT_LISTED,)),
    (
        "owner types of 2018",
        codes("Owner type", OWNER_TYPES, by_letter),
        ("FU",),
        (OwnerType.FEDERAL, OwnerType.PUBLIC_UTILITY),
    ),
    ("owner types since 2021", codes("Owner type", OWNER_TYPES), ("Tribal Government",), (OwnerType.TRIBAL,)),
    ("dam types of 2013", codes("Dam type", DAM_TYPES, by_comma), ("RCC",), (DamType.ROLLER_COMPACTED_CONCRETE,)),
    ("dam types of 2018", codes("Dam type", DAM_TYPES, by_pair), ("PGRE",), (DamType.GRAVITY, DamType.EARTH)),
    (
        "dam types since 2021 that say nothing",
        codes("Dam type", DAM_TYPES),
        ("Earth", "Earth;Unlisted/Unknown;Unlisted/Unknown"),
        (DamType.EARTH,),
    ),
    ("hazard of 2018", code("Hazard", HAZARDS), ("S",), Hazard.SIGNIFICANT),
    ("hazard not available", code("Hazard", HAZARDS), ("N",), None),
    ("hazard since 2021", code("Hazard", HAZARDS), ("Undetermined",), Hazard.UNDETERMINED),
]


@pytest.mark.parametrize(("clean", "cells", "value"), [pytest.param(*case[1:], id=case[0]) for case in VALUES])
def test_a_cell_means(clean: Cleaner, cells: tuple[str, ...], value: Any) -> None:
    assert clean(*cells) == value


NOTES: list[tuple[str, Cleaner, str, Any, str]] = [
    ("a name that was 1-2", NAME, "2-Jan", "2-Jan", 'Name "2-Jan" looks mangled by a spreadsheet.'),
    ("a name that was 8-32", NAME, "Aug-32", "Aug-32", 'Name "Aug-32" looks mangled by a spreadsheet.'),
    ("a river that was a formula", RIVER, "#NAME?", None, 'River "#NAME?" looks mangled by a spreadsheet.'),
    ("a name that can be mended", NAME, "PEÃ±A DAM", "PEñA DAM", 'Name "PEÃ±A DAM" is mended to "PEñA DAM".'),
    *[
        (f"{name}, read by an old terminal", NAME, name, name, f'Name "{name}" has wrongly decoded characters.')
        for name in ("CANAL ΓÇô DIKE", "CANAL ÔÇô DIKE", "PE├▒A DAM", "PE├æA DAM")
    ],
    (
        "a name that has lost a byte",
        NAME,
        "CANAL ?Çô LEFT DIKE",
        "CANAL ?Çô LEFT DIKE",
        'Name "CANAL ?Çô LEFT DIKE" has wrongly decoded characters.',
    ),
    ("a state abroad", state, "Ontario", None, 'State "Ontario" is not a state of the US, and left out.'),
    (
        "a purpose of a later edition",
        codes("Purpose", PURPOSES),
        "Irrigation;Space Travel",
        (Purpose.IRRIGATION,),
        'Purpose "space travel" is not known, and left out.',
    ),
    (
        "a hazard of a later edition",
        code("Hazard", HAZARDS),
        "Grave",
        None,
        'Hazard "grave" is not known, and left out.',
    ),
]


@pytest.mark.parametrize(("clean", "cell", "value", "note"), [pytest.param(*case[1:], id=case[0]) for case in NOTES])
def test_a_doubtful_cell_is_noted_and_not_guessed(clean: Cleaner, cell: str, value: Any, note: str) -> None:
    assert clean(cell) == Noted(value, (note,))


REFUSALS: list[tuple[str, Cleaner, tuple[str, ...], str]] = [
    ("a long name", NAME, ("x" * 10_000,), "Name has 10,000 characters; 200 are allowed."),
    ("a control character", RIVER, ("PROVO\x07",), "River contains control characters or half of a character pair."),
    ("an id that was a date", identity("NID id"), ("2-Jan",), 'NID id "2-Jan" looks mangled by a spreadsheet.'),
    ("a negative height", HEIGHT, ("-3",), "Height -3 is negative."),
    ("a height with its unit", HEIGHT, ("12 ft",), 'Height "12 ft" is not a number.'),
    ("a height with a thousands separator", HEIGHT, ("1,000",), 'Height "1,000" is not a number.'),
    ("a height in Python's spelling", HEIGHT, ("1_000",), 'Height "1_000" is not a number.'),
    ("a height that is no number", HEIGHT, ("NaN",), 'Height "NaN" is not a number.'),
    ("a height past all numbers", HEIGHT, ("1e999",), 'Height "1e999" is not a number.'),
    ("no coordinates", point, ("", ""), "Location is missing."),
    ("one coordinate", point, ("-79.87", " "), "Location is missing."),
    ("a coordinate that is no number", point, ("-79,87", "40"), 'Longitude "-79,87" is not a number.'),
    ("latitude 91", point, ("10", "91"), "Latitude 91 is outside -90 to 90. Latitude and longitude look swapped."),
    ("longitude 181", point, ("181", "10"), "Longitude 181 is outside -180 to 180."),
    ("0, 0", point, ("0.0", "0"), "Location 0, 0 is in the Gulf of Guinea; it usually means that none is known."),
    ("a national 0", national_point, ("0.0", "35.3"), "Location has a coordinate of 0, which means unknown here."),
    (
        "a day of two meanings",
        build_date,
        ("02/04/2013",),
        'Date built "02/04/2013" could be one of two days; write 1941, 1993-04 or 1993-04-12.',
    ),
    ("no date at all", build_date, ("soon",), 'Date built "soon" is not a date; write 1941, 1993-04 or 1993-04-12.'),
    ("February 30", build_date, ("1993-02-30",), 'Date built "1993-02-30" is not a date of the calendar.'),
    ("a year to come", build_date, ("2999",), 'Date built "2999" is in the future.'),
    (
        "before all dams",
        national_year,
        ("1639",),
        'Date built "1639" is before 1640, the oldest dam of this inventory.',
    ),
]


@pytest.mark.parametrize(("clean", "cells", "reason"), [pytest.param(*case[1:], id=case[0]) for case in REFUSALS])
def test_an_unusable_cell_is_refused_with_the_reason(clean: Cleaner, cells: tuple[str, ...], reason: str) -> None:
    with pytest.raises(REFUSED) as refusal:
        clean(*cells)
    assert str(refusal.value) == reason


def test_this_year_is_not_in_the_future() -> None:
    year = str(datetime.now(UTC).year)
    assert build_date(year)[0] == date(int(year), 1, 1)
