import gzip
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ingest.reading import ImportFileError, open_source
from ingest.record import DamRecord, Refusal, Row

HEADER = "name,longitude,latitude\n"
ROW = "DEER CREEK,-111.5278,40.4072\n"
DEER_CREEK = DamRecord(name="DEER CREEK", longitude=-111.5278, latitude=40.4072)

File = Callable[[str, bytes], Path]


@pytest.fixture
def file(tmp_path: Path) -> File:
    def write(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


def entries(path: Path) -> list[Row | Refusal]:
    return list(open_source(path).entries)


def feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: object) -> bytes:
    return orjson.dumps({"type": "FeatureCollection", "features": features})


POINT = {"type": "Point", "coordinates": [-111.5278, 40.4072]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("dams.csv", (HEADER + ROW).encode(), id="csv"),
        pytest.param("DAMS.CSV", (HEADER + ROW).encode(), id="name in capitals"),
        pytest.param("dams.csv.gz", gzip.compress((HEADER + ROW).encode()), id="packed csv"),
        pytest.param("dams.csv", gzip.compress((HEADER + ROW).encode()), id="packed csv that does not say so"),
        pytest.param("dams.csv", b"\xef\xbb\xbf" + (HEADER + ROW).encode(), id="byte order mark"),
        pytest.param("dams.csv", (HEADER + ROW).replace("\n", "\r\n").encode(), id="lines of Windows"),
        pytest.param("dams.geojson", collection(feature(POINT, name="DEER CREEK")), id="geojson"),
        pytest.param("dams.json", b"\xef\xbb\xbf" + collection(feature(POINT, Name="DEER CREEK")), id="json"),
        pytest.param("d.geojson.gz", gzip.compress(collection(feature(POINT, name="DEER CREEK"))), id="packed geojson"),
        pytest.param("dams.geojson", collection(feature(POINT, name="DEER CREEK", lat=1, lon=2)), id="geometry wins"),
    ],
)
def test_a_file_is_read(file: File, name: str, content: bytes) -> None:
    assert [entry.record for entry in entries(file(name, content)) if isinstance(entry, Row)] == [DEER_CREEK]


def test_rows_are_numbered_by_the_line_they_start_on(file: File) -> None:
    path = file("dams.csv", (HEADER + '"DEER\nCREEK",-111.5278,40.4072\n\n,,\n' + ROW + "A,1\n").encode())
    assert entries(path) == [
        Row(2, DEER_CREEK),
        Row(6, DEER_CREEK),
        Refusal(7, "The row has 2 cells; the header has 3."),
    ]


def test_a_field_of_10000_characters_is_refused_and_the_next_row_is_read(file: File) -> None:
    path = file("dams.csv", (HEADER + f"{'x' * 10_000},1,2\n" + ROW).encode())
    assert entries(path) == [Refusal(2, "Name has 10,000 characters; 200 are allowed."), Row(3, DEER_CREEK)]


def test_features_are_numbered_from_1_and_refused_one_by_one(file: File) -> None:
    path = file(
        "dams.geojson",
        collection(
            feature(POINT, name="DEER CREEK"),
            feature({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, name="LINE"),
            feature(None, name="NOWHERE"),
            feature({"type": "Point", "coordinates": [181, 2]}, name="FAR"),
            "a dam",
            feature(POINT),
        ),
    )
    source = open_source(path)
    assert source.counted_in == "feature"
    assert list(source.entries) == [
        Row(1, DEER_CREEK),
        Refusal(2, "The geometry must be a GeoJSON Point, not LineString."),
        Refusal(3, "Location is missing."),
        Refusal(4, "Longitude 181 is outside -180 to 180."),
        Refusal(5, "It is not a GeoJSON Feature."),
        Refusal(6, "Neither a name nor an id says which dam this is."),
    ]


def test_json_values_are_read_as_cells(file: File) -> None:
    dam = feature(
        POINT, name="DEER CREEK", height_ft=235.0, date_built=1941, purposes=["I", "R"], river=None, extra={"a": 1}
    )
    (row,) = entries(file("dams.geojson", collection(dam)))
    assert isinstance(row, Row)
    assert (row.record.height_ft, row.record.purposes, row.record.river) == (235.0, ("I", "R"), None)


def test_columns_that_are_not_read_are_named(file: File) -> None:
    source = open_source(file("dams.csv", b"name,heigth_ft,lon,lat\n"))
    assert (source.ignored, list(source.entries)) == (["heigth_ft"], [])


SAVE_AGAIN = " Save it again as UTF-8 (in a spreadsheet: CSV UTF-8)."
BAD_FILES = [
    pytest.param(
        "dams.csv", b"", "EMPTY_FILE", "dams.csv is empty. It must have a header and one row a dam.", id="empty"
    ),
    pytest.param(
        "dams.csv",
        b"\n \n,,\n",
        "EMPTY_FILE",
        "dams.csv is empty. It must have a header and one row a dam.",
        id="blank",
    ),
    pytest.param(
        "dams.geojson",
        b" ",
        "EMPTY_FILE",
        "dams.geojson is empty. It must have a header and one row a dam.",
        id="empty geojson",
    ),
    pytest.param(
        "dams.xlsx",
        b"PK",
        "UNKNOWN_FILE_TYPE",
        "dams.xlsx must end in .csv, .geojson, .json, or in one of these and .gz.",
        id="spreadsheet",
    ),
    pytest.param(
        "dams.csv.gz",
        gzip.compress((HEADER + ROW * 100).encode())[:-12],
        "DAMAGED_GZIP",
        "dams.csv.gz is damaged or not complete. Copy or download it again.",
        id="truncated gzip",
    ),
    pytest.param(
        "dams.csv.gz",
        b"\x1f\x8b\x08\x00 this is not gzip",
        "DAMAGED_GZIP",
        "dams.csv.gz is damaged or not complete. Copy or download it again.",
        id="damaged gzip",
    ),
    pytest.param(
        "dams.csv",
        (HEADER + "CAÑON,1,2\n").encode("latin-1"),
        "NOT_UTF8",
        "dams.csv is not UTF-8: line 2 has the byte 0xd1 at place 3." + SAVE_AGAIN,
        id="latin-1",
    ),
    pytest.param(
        "dams.csv",
        (HEADER + ROW).encode("utf-16"),
        "NOT_UTF8",
        "dams.csv is not UTF-8: line 1 has the byte 0xff at place 1." + SAVE_AGAIN,
        id="utf-16",
    ),
    pytest.param(
        "dams.json",
        b'{"a":\n"\xe9"}',
        "NOT_UTF8",
        "dams.json is not UTF-8: line 2 has the byte 0xe9 at place 2." + SAVE_AGAIN,
        id="latin-1 json",
    ),
    pytest.param(
        "dams.csv",
        b"Name,Lat,River\nA,1,B\n",
        "MISSING_COLUMNS",
        "dams.csv has columns missing for the format “columns by name”: longitude or lon or lng.",
        id="missing columns",
    ),
    pytest.param(
        "dams.csv",
        b"name;longitude;latitude\n",
        "MISSING_COLUMNS",
        "dams.csv has columns missing for the format “columns by name”: "
        "name, longitude or lon or lng, latitude or lat.",
        id="separated by semicolons",
    ),
    pytest.param(
        "dams.csv",
        b"recordid,dam_name,nidid,longitude,purposes\n",
        "MISSING_COLUMNS",
        "dams.csv has columns missing for the format “National Inventory of Dams, 2018”: latitude, year_completed.",
        id="missing columns of a national file",
    ),
    pytest.param(
        "dams.csv",
        (HEADER + '"' + ROW * 6000).encode(),
        "BROKEN_CSV",
        "dams.csv is not proper CSV in the row that begins on line 2: field larger than field limit (131072)."
        " Look for a quote that is not closed, or not doubled inside a text.",
        id="unclosed quote, long",
    ),
    pytest.param(
        "dams.csv",
        (HEADER + ROW + '"' + ROW + ROW).encode(),
        "BROKEN_CSV",
        "dams.csv is not proper CSV in the row that begins on line 3: unexpected end of data."
        " Look for a quote that is not closed, or not doubled inside a text.",
        id="unclosed quote, short",
    ),
    pytest.param(
        "dams.json",
        b'{"type": "FeatureCollection", "features": [',
        "NOT_JSON",
        "dams.json is not JSON: unexpected end of data: line 1 column 44 (char 43).",
        id="not json",
    ),
    pytest.param(
        "dams.geojson",
        orjson.dumps(feature(POINT, name="A")),
        "NOT_A_FEATURE_COLLECTION",
        "dams.geojson must hold one GeoJSON FeatureCollection of Points.",
        id="one feature",
    ),
    pytest.param(
        "dams.json",
        b"[1, 2]",
        "NOT_A_FEATURE_COLLECTION",
        "dams.json must hold one GeoJSON FeatureCollection of Points.",
        id="a list",
    ),
]


@pytest.mark.parametrize(("name", "content", "code", "message"), BAD_FILES)
def test_a_bad_file_is_told_in_one_sentence(file: File, name: str, content: bytes, code: str, message: str) -> None:
    with pytest.raises(ImportFileError) as error:
        entries(file(name, content))
    assert (error.value.code, str(error.value)) == (code, message)


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError) as error:
        open_source(tmp_path / "dams.csv")
    assert (error.value.code, str(error.value)) == (
        "UNREADABLE",
        f"{tmp_path}/dams.csv cannot be read: No such file or directory.",
    )


def test_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "dams.csv").mkdir()
    with pytest.raises(ImportFileError, match=r"cannot be read: Is a directory\.$"):
        open_source(tmp_path / "dams.csv")
