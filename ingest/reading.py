"""Opens a file of dams, CSV or GeoJSON, packed or not, and reads it row by row."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import orjson

from ingest.formats import Parser, UnknownFormat, folded
from ingest.record import Refusal, Row
from resolvers.locations import UnusableLocation, point_of_geojson


class ImportFileError(Exception):
    """A file that cannot be read to its end, so that nothing of it is imported; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Source:
    """An open file. Its entries are read while they are asked for, which may raise ImportFileError."""

    counted_in: Literal["line", "feature"]
    """What the numbers of the entries count, from 1; a CSV header is line 1."""
    ignored: list[str]
    """Headers of columns that are not read."""
    entries: Iterator[Row | Refusal]


Table: TypeAlias = Iterator[tuple[int, list[str]] | Refusal]
"""The header, then the rows, each with its number."""


def open_source(path: Path) -> Source:
    """Raises ImportFileError."""
    suffix = next((part for part in reversed(path.suffixes) if part.lower() != ".gz"), "").lower()
    if suffix not in READERS:
        raise ImportFileError(
            "UNKNOWN_FILE_TYPE", f"{path.name} must end in {', '.join(READERS)}, or in one of these and .gz."
        )
    read, counted_in = READERS[suffix]
    table = _told(path, read)
    first = next(table, None)
    if first is None or isinstance(first, Refusal):
        raise ImportFileError("EMPTY_FILE", f"{path.name} is empty. It must have a header and one row a dam.")
    try:
        parser = Parser(first[1])
    except UnknownFormat as error:
        raise ImportFileError("MISSING_COLUMNS", f"{path.name} has {error}.") from None
    return Source(counted_in, parser.ignored, _entries(parser, table))


def _entries(parser: Parser, table: Table) -> Iterator[Row | Refusal]:
    for row in table:
        yield row if isinstance(row, Refusal) else parser.parse(*row)


def _csv_table(path: Path) -> Table:
    with _opened(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)  # else a quote that is not closed swallows the rest without a word
        line = 1
        try:
            for cells in reader:
                if "".join(cells).strip():
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise ImportFileError(
                "BROKEN_CSV",
                f"{path.name} is not proper CSV in the row that begins on line {line}: {error}."
                " Look for a quote that is not closed, or not doubled inside a text.",
            ) from None


def _geojson_table(path: Path) -> Table:
    with _opened(path) as stream:
        data = stream.read().decode("utf-8-sig")
    if not data.strip():
        return
    collection = orjson.loads(data)
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise ImportFileError(
            "NOT_A_FEATURE_COLLECTION", f"{path.name} must hold one GeoJSON FeatureCollection of Points."
        )
    names = _property_names(features)
    yield 0, [*names, *COORDINATES]
    for number, feature in enumerate(features, start=1):
        yield _feature_row(number, feature, names)


COORDINATES = ("longitude", "latitude")


def _property_names(features: list[Any]) -> list[str]:
    """Of all features. The geometry says where a dam is, so properties that say it too are passed over."""
    names = dict.fromkeys(name for feature in features for name in _properties(feature))
    return [name for name in names if folded(name) not in {*COORDINATES, "lat", "lon", "lng"}]


def _properties(feature: Any) -> dict[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    return properties if isinstance(properties, dict) else {}


def _feature_row(number: int, feature: Any, names: list[str]) -> tuple[int, list[str]] | Refusal:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Refusal(number, "It is not a GeoJSON Feature.")
    properties = _properties(feature)
    cells = [_cell(properties.get(name)) for name in names]
    if feature.get("geometry") is None:
        return number, [*cells, "", ""]
    try:
        point = point_of_geojson(feature["geometry"])
    except UnusableLocation as error:
        return Refusal(number, str(error))
    return number, [*cells, repr(point.longitude), repr(point.latitude)]


def _cell(value: Any) -> str:
    """As a CSV file would have it: a list becomes a ";"-list."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ";".join(map(_cell, value))
    return orjson.dumps(value).decode()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked where it is gzip, whatever its name."""
    with path.open("rb") as stream:
        packed = stream.peek(2)[:2] == b"\x1f\x8b"
        yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream


def _told(path: Path, read: Callable[[Path], Table]) -> Table:
    """The table, with what may go wrong on the way told as ImportFileError."""
    try:
        yield from read(path)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ImportFileError(
            "DAMAGED_GZIP", f"{path.name} is damaged or not complete. Copy or download it again."
        ) from None
    except OSError as error:
        raise ImportFileError("UNREADABLE", f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ImportFileError("NOT_UTF8", _not_utf8(path)) from None
    except orjson.JSONDecodeError as error:
        raise ImportFileError("NOT_JSON", f"{path.name} is not JSON: {error}.") from None


def _not_utf8(path: Path) -> str:
    with _opened(path) as stream:
        for line, content in enumerate(stream, start=1):
            try:
                content.decode()
            except UnicodeDecodeError as error:
                place = f"line {line} has the byte 0x{content[error.start]:02x} at place {error.start + 1}"
                break
        else:
            place = "its end is cut off"
    return f"{path.name} is not UTF-8: {place}. Save it again as UTF-8 (in a spreadsheet: CSV UTF-8)."


READERS: dict[str, tuple[Callable[[Path], Table], Literal["line", "feature"]]] = {
    ".csv": (_csv_table, "line"),
    ".geojson": (_geojson_table, "feature"),
    ".json": (_geojson_table, "feature"),
}
