import csv
import gzip

import pytest

from ingest.national import NATIONAL_FILE
from ingest.reading import open_source
from ingest.record import DamRecord, Row


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """All of the file: no row of it is refused."""
    entries = list(open_source(NATIONAL_FILE).entries)
    assert [entry for entry in entries if not isinstance(entry, Row)] == []
    return [entry for entry in entries if isinstance(entry, Row)]


def test_the_box_holds_the_dams_of_2018_that_can_be_placed(rows: list[Row]) -> None:
    assert len(rows) == 91_457 - 234 - 10


def test_id_and_structure_are_unique(rows: list[Row]) -> None:
    assert len({(row.record.external_id, row.record.structure_id) for row in rows}) == len(rows)


def test_what_is_doubtful_is_told(rows: list[Row]) -> None:
    assert [note for row in rows for note in row.notes] == [
        'Name "Jan-33" looks mangled by a spreadsheet.',
        'Name "8-Dec" looks mangled by a spreadsheet.',
        'Other name "4-Sep" looks mangled by a spreadsheet.',
    ]


@pytest.mark.parametrize(
    ("name", "external_id", "iso_year"), [("DEER CREEK", "UT10117", 1941), ("JORDANELLE", "UT10204", 1993)]
)
def test_the_dams_of_the_portal_app_are_in_it(rows: list[Row], name: str, external_id: str, iso_year: int) -> None:
    (dam,) = [row.record for row in rows if row.record.external_id == external_id]
    assert (dam.name, dam.river, dam.state, dam.built_first_day and dam.built_first_day.year) == (
        name,
        "PROVO RIVER",
        "UT",
        iso_year,
    )


def test_fena_dam_is_on_guam(rows: list[Row]) -> None:
    (dam,) = [row.record for row in rows if row.record.external_id == "GU82301"]
    assert (dam.name, dam.longitude, dam.latitude) == ("FENA DAM", 144.706301, 13.361602)


def test_structures_of_one_dam_have_ids_of_2013_or_of_their_record(rows: list[Row]) -> None:
    def structures(external_id: str) -> dict[str | None, str]:
        dams: list[DamRecord] = [row.record for row in rows if row.record.external_id == external_id]
        return {dam.name: dam.structure_id for dam in dams}

    assert structures("AK00027") == {"SOLOMON GULCH": "", "SOLOMON GULCH SPILLWAY": "S001"}
    assert structures("CA00164") == {
        "PARDEE": "",
        "PARDEE SOUTH SPILLWAY": "R4150",
        "JACKSON CREEK SPILLWAY": "R4151",
    }


def test_a_river_is_not_taken_from_another_dam_of_the_same_id(rows: list[Row]) -> None:
    (dam,) = [row.record for row in rows if row.record.external_id == "CO00940"]
    assert (dam.name, dam.river) == ("BIG CREEK #5", None)


def test_no_owner_is_named() -> None:
    with gzip.open(NATIONAL_FILE, "rt", encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    assert "owner_types" in header
    assert "owner" not in header


def test_the_file_is_packed_without_a_time_or_a_name() -> None:
    packed = NATIONAL_FILE.read_bytes()
    assert packed[3:8] == b"\0\0\0\0\0"
    assert len(packed) < 3_000_000
