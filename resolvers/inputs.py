"""A dam as it is sent: what is required, what is refused, and how that is said."""

from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Row

from resolvers.adding import NewDam, Problem
from resolvers.dates import BuildDate, UnusableDate, parse_build_date
from resolvers.locations import Point, UnusableLocation, check_point, point_of_geojson
from resolvers.text import UnusableText, clean_text

KNOWN_OWNERS = ("Reclamation", "Army Corp", "Other")
"""The choices of the portal app's form; any other text is an owner as well."""


class Coordinates(Protocol):
    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


class DamInput(Protocol):
    """`geometry` is GeoJSON and stands in place of `location`."""

    name: str | None
    owner: str | None
    river: str | None
    date_built: str | None
    idempotency_key: str | None

    @property
    def location(self) -> Coordinates | None: ...

    @property
    def geometry(self) -> Any: ...


class Refused(ValueError):
    """Says why, as a whole sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def check(sent: DamInput) -> NewDam | list[Problem]:
    """The dam, or all that is wrong with it."""
    place = "location" if sent.geometry is None else "geometry"
    steps = (
        ("name", "name", lambda: _required("Name", sent.name)),
        ("owner", "owner", lambda: _required("Owner", sent.owner)),
        ("river", "river", lambda: _required("River", sent.river)),
        ("built", "dateBuilt", lambda: _build_date(sent.date_built)),
        ("point", place, lambda: _point(sent)),
        ("idempotency_key", "idempotencyKey", lambda: _key(sent.idempotency_key)),
    )
    values: dict[str, Any] = {}
    problems = []
    for attribute, field, read in steps:
        try:
            values[attribute] = read()
        except (Refused, UnusableLocation) as error:
            problems.append(Problem(error.code, field, str(error)))
    return problems or NewDam(**values)


def _text(label: str, text: str | None) -> str | None:
    try:
        return clean_text(text)
    except UnusableText as error:
        raise Refused(error.code, f"{label} {error}.") from None


def _required(label: str, text: str | None) -> str:
    cleaned = _text(label, text)
    if cleaned is None:
        raise Refused("REQUIRED", f"{label} is required.")
    return cleaned


def _key(text: str | None) -> str | None:
    key = _text("idempotencyKey", text)
    if key is None and text is not None:
        raise Refused("INVALID_TEXT", "idempotencyKey is blank. Give one that is new for each dam, or none.")
    return key


def _build_date(text: str | None) -> BuildDate:
    try:
        return parse_build_date(_required("Date Built", text))
    except UnusableDate as error:
        raise Refused("INVALID_DATE", f"Date Built {error}.") from None


def _point(sent: DamInput) -> Point:
    if sent.location is None and sent.geometry is None:
        raise Refused("REQUIRED", "Location is required.")
    if sent.location is None:
        return point_of_geojson(sent.geometry)
    if sent.geometry is not None:
        raise Refused("INVALID_LOCATION", "Give location or geometry, not both.")
    return check_point(sent.location.longitude, sent.location.latitude)


def hints(sent: NewDam, kept: Row[Any]) -> list[str]:
    """What is accepted though it looks like a slip; `kept` is the dam that is in the inventory now."""
    found = []
    if sent.point == Point(0.0, 0.0):
        found.append("Latitude 0, longitude 0 is in the Atlantic Ocean. Is the location known?")
    if kept_as_sent(kept) != replace(sent, idempotency_key=None):
        found.append("This idempotencyKey was used before, for another dam: that one is returned, nothing was added.")
    return found


def kept_as_sent(row: Row[Any]) -> NewDam:
    built = BuildDate(row.built_first_day, row.built_last_day)
    return NewDam(row.name, row.owner, row.river, built, Point(row.longitude, row.latitude))
