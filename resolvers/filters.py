"""What a filter of dams may ask: each condition once, told to the database and to a single dam alike.

How long lists may be and how many vertices a polygon may have is held in `schema/limits`, for all inputs alike.
The database decides for queries; `holds` decides for streams, whether they replay an event or have just heard of it.
A test compares the two on both engines.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from shapely import from_geojson
from shapely.errors import GEOSException
from shapely.validation import explain_validity
from sqlalchemy import ColumnElement, Text, and_, false, or_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from models import Dam, EventKind
from models.errors import BadUserInput
from models.geodesy import Area, metres_between
from models.spatial import Spatial, area_values, box_values, circle_values
from models.statement import Parameters, named, parameters
from pubsub.log import LoggedEvent
from resolvers.dates import UnusableDate, parse_iso
from resolvers.locations import UnusableLocation, check_point
from resolvers.text import fold

MAX_RADIUS_M = 20_100_000.0
"""A little more than half the circumference of the Earth."""

MAX_FILTER_TEXT = 200


class Condition(NamedTuple):
    check: Callable[[str, Any], Any]
    """Turns the value as sent into the value as used, or raises BadUserInput."""
    values: Callable[[Any], Mapping[str, Any]]
    """What the database is told of the value, by the names of parameters."""
    sql: Callable[[Spatial, Parameters], ColumnElement[bool]]
    """Made once for all values that have parameters of the same names."""
    holds: Callable[[Any, Any], bool]
    """Whether a dam meets it."""


def check_text(name: str, value: str) -> str:
    if len(value) > MAX_FILTER_TEXT or "\x00" in value:
        raise BadUserInput(f"{name} must have at most {MAX_FILTER_TEXT} characters and no NUL among them.")
    return fold(value)


def _choices(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _texts(name: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(check_text(name, value) for value in _choices(name, values))


def _upper(name: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value.upper() for value in _texts(name, values))


def _range(name: str, value: Any) -> tuple[float, float]:
    low = -math.inf if value.min is None else value.min
    high = math.inf if value.max is None else value.max
    if low > high:
        raise BadUserInput(f"{name} must have a min that is not above its max; {low:g} is above {high:g}.")
    return low, high


def _date(name: str, value: str) -> Any:
    try:
        return parse_iso(value)
    except UnusableDate as error:
        raise BadUserInput(f"{name}: {error}.") from None


def _box(name: str, value: Any) -> tuple[float, float, float, float]:
    for longitude, latitude in ((value.west, value.south), (value.east, value.north)):
        checked_point(name, longitude, latitude)
    if value.south > value.north:
        raise BadUserInput(f"{name}: south {value.south:g} is north of {value.north:g}.")
    return value.west, value.south, value.east, value.north


def _circle(name: str, value: Any) -> tuple[float, float, float]:
    checked_point(name, value.longitude, value.latitude)
    if not 0 < value.metres <= MAX_RADIUS_M:
        raise BadUserInput(f"{name}: metres must be above 0 and at most {MAX_RADIUS_M:,.0f}, not {value.metres:g}.")
    # In whole millimetres, and half of one more: a distanceM taken as a radius finds its dam, on both engines.
    return value.longitude, value.latitude, round(value.metres, 3) + 0.0005


def checked_point(name: str, longitude: float, latitude: float) -> None:
    try:
        check_point(longitude, latitude)
    except UnusableLocation as error:
        raise BadUserInput(f"{name}: {error}") from None


def _polygon(name: str, value: Any) -> Area:
    """Of a GeoJSON Polygon or MultiPolygon."""
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise BadUserInput(f"{name} must be a GeoJSON Polygon or MultiPolygon.")
    try:
        shape = from_geojson(orjson.dumps(value))
    except (GEOSException, TypeError, ValueError):
        raise BadUserInput(
            f"{name} must have rings of at least 4 positions [longitude, latitude], the last one as the first."
        ) from None
    if shape.is_empty or not shape.is_valid:
        reason = "it is empty" if shape.is_empty else explain_validity(shape)
        raise BadUserInput(f"{name} is not a valid area: {reason}.")
    west, south, east, north = shape.bounds
    checked_point(name, west, south)
    checked_point(name, east, north)
    return Area(shape)


ESCAPED = str.maketrans({sign: f"/{sign}" for sign in "/%_"})


def _pattern(part: str) -> str:
    """For LIKE, with "/" as its escape."""
    return f"%{part.translate(ESCAPED)}%"


def _equals(key: InstrumentedAttribute[Any]) -> Condition:
    return Condition(
        check_text,
        lambda text: {"text": text},
        lambda _, told: key == told["text"],
        lambda dam, text: getattr(dam, key.key) == text,
    )


def _one_of(column: InstrumentedAttribute[Any], check: Callable[[str, Any], Any] = _choices) -> Condition:
    return Condition(
        check,
        lambda choices: {str(number): str(choice) for number, choice in enumerate(choices)},
        lambda _, told: column.in_(list(told.values())) if told else false(),
        lambda dam, choices: getattr(dam, column.key) in choices,
    )


def _any_code(column: InstrumentedAttribute[Any]) -> Condition:
    codes = type_coerce(column, Text)
    return Condition(
        _choices,
        lambda choices: {str(number): f"% {choice} %" for number, choice in enumerate(choices)},
        lambda _, told: or_(false(), *map(codes.like, told.values())),
        lambda dam, choices: not set(choices).isdisjoint(getattr(dam, column.key)),
    )


def _between(column: InstrumentedAttribute[Any]) -> Condition:
    def values(limits: tuple[float, float]) -> Mapping[str, float]:
        low, high = limits
        return ({"low": low} if low > -math.inf else {}) | ({"high": high} if high < math.inf else {})

    def sql(_: Spatial, told: Parameters) -> ColumnElement[bool]:
        bounds = {"low": column.__ge__, "high": column.__le__}
        return and_(column.is_not(None), *(bounds[side](limit) for side, limit in told.items()))

    def holds(dam: Any, limits: tuple[float, float]) -> bool:
        value = getattr(dam, column.key)
        return value is not None and limits[0] <= value <= limits[1]

    return Condition(_range, values, sql, holds)


CONDITIONS: dict[str, Condition] = {
    "text": Condition(
        check_text,
        lambda text: {"pattern": _pattern(text)},
        lambda _, told: Dam.search_key.like(told["pattern"], escape="/"),
        lambda dam, text: text in dam.search_key,
    ),
    "owner": _equals(Dam.owner_key),
    "river": _equals(Dam.river_key),
    "counties": _one_of(Dam.county_key, _texts),
    "states": _one_of(Dam.state, _upper),
    "external_ids": _one_of(Dam.external_id, _upper),
    "hazards": _one_of(Dam.hazard),
    "owner_types": _any_code(Dam.owner_types),
    "purposes": _any_code(Dam.purposes),
    "height_ft": _between(Dam.height_ft),
    "storage_acre_ft": _between(Dam.storage_acre_ft),
    # A date of reduced precision is a span of days; only what is wholly on one side counts as before or after.
    "built_before": Condition(
        _date,
        lambda built: {"day": built.first_day},
        lambda _, told: Dam.built_last_day < told["day"],
        lambda dam, built: dam.built_last_day is not None and dam.built_last_day < built.first_day,
    ),
    "built_after": Condition(
        _date,
        lambda built: {"day": built.last_day},
        lambda _, told: Dam.built_first_day > told["day"],
        lambda dam, built: dam.built_first_day is not None and dam.built_first_day > built.last_day,
    ),
    "box": Condition(
        _box,
        box_values,
        lambda spatial, told: spatial.box(told),
        lambda dam, box: (
            box[1] <= dam.latitude <= box[3]
            and (box[0] <= dam.longitude <= box[2] if box[0] <= box[2] else not box[2] < dam.longitude < box[0])
        ),
    ),
    "within": Condition(
        _circle,
        lambda circle: circle_values(*circle),
        lambda spatial, told: spatial.within(told),
        lambda dam, circle: round(metres_between(dam.longitude, dam.latitude, *circle[:2]), 3) <= circle[2],
    ),
    "polygon": Condition(
        _polygon,
        area_values,
        lambda spatial, told: spatial.area(told),
        lambda dam, area: area.holds(dam.longitude, dam.latitude),
    ),
}
"""By the name of the filter's field."""

Filter = tuple[tuple[str, Any], ...]
"""The conditions asked for, checked: equal filters are equal and hash alike."""


def checked(where: Mapping[str, Any]) -> Filter:
    """Raises BadUserInput. A condition that is None was not asked for."""
    return tuple(
        (name, condition.check(_camel_case(name), where[name]))
        for name, condition in CONDITIONS.items()
        if where.get(name) is not None
    )


def _camel_case(name: str) -> str:
    """As clients know the field."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


class Asked(NamedTuple):
    """Filters of the same shape have the same `clauses` and differ in their values."""

    shape: Hashable
    values: Mapping[str, Any]


def asked(where: Filter) -> Asked:
    values: dict[str, Any] = {}
    for name, value in where:
        values |= named(name, CONDITIONS[name].values(value))
    return Asked((tuple([name for name, _ in where]), tuple(values)), values)


def clauses(where: Filter, spatial: Spatial) -> list[ColumnElement[bool]]:
    """With parameters for the values of `asked`."""
    conditions = [(name, CONDITIONS[name], value) for name, value in where]
    return [each.sql(spatial, parameters(name, each.values(value))) for name, each, value in conditions]


def meets(dam: Any, where: Filter) -> bool:
    """True where the row meets every condition."""
    return all(CONDITIONS[name].holds(dam, value) for name, value in where)


@dataclass(frozen=True)
class DamAdded:
    """Whether an event adds a dam that meets the filter and is still there."""

    where: Filter

    def __call__(self, event: LoggedEvent) -> bool:
        return event.kind is EventKind.DAM_ADDED and event.dam is not None and meets(event.dam, self.where)
