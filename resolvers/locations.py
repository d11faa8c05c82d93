"""Where a dam is: one point in WGS 84, however it was sent."""

import math
from dataclasses import dataclass
from typing import Any


class UnusableLocation(ValueError):
    """Says why, naming the values."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Point:
    """Decimal degrees, WGS 84."""

    longitude: float
    latitude: float


def check_point(longitude: float, latitude: float) -> Point:
    """Raises UnusableLocation with `OUT_OF_RANGE`, and says so where the two look swapped."""
    for name, value, limit in (("Latitude", latitude, 90), ("Longitude", longitude, 180)):
        if not math.isfinite(value):
            raise UnusableLocation("OUT_OF_RANGE", f"{name} must be a number of degrees, not {value}.")
        if abs(value) > limit:
            swapped = abs(latitude) <= 180 and abs(longitude) <= 90
            hint = " Latitude and longitude look swapped." if swapped else ""
            raise UnusableLocation("OUT_OF_RANGE", f"{name} {value:g} is outside -{limit} to {limit}.{hint}")
    return Point(longitude, latitude)


def point_of_geojson(geometry: Any) -> Point:
    """The point of a GeoJSON Point (RFC 7946, `[longitude, latitude]`), or of a collection that holds just one.

    The form of the portal app sends such a GeometryCollection.
    Raises UnusableLocation with `INVALID_LOCATION` or `OUT_OF_RANGE`.
    """
    if not isinstance(geometry, dict):
        raise UnusableLocation("INVALID_LOCATION", "The geometry must be a GeoJSON object.")
    if geometry.get("type") == "GeometryCollection":
        members = geometry.get("geometries")
        if not (isinstance(members, list) and len(members) == 1 and isinstance(members[0], dict)):
            raise UnusableLocation("INVALID_LOCATION", "A GeometryCollection must hold just one Point.")
        geometry = members[0]
    if geometry.get("type") != "Point":
        kind = str(geometry.get("type"))[:40]
        raise UnusableLocation("INVALID_LOCATION", f"The geometry must be a GeoJSON Point, not {kind}.")
    coordinates = geometry.get("coordinates")
    if not (isinstance(coordinates, list) and len(coordinates) in {2, 3} and all(map(_is_number, coordinates))):
        raise UnusableLocation("INVALID_LOCATION", "The coordinates of a Point are [longitude, latitude].")
    return check_point(_degrees(coordinates[0]), _degrees(coordinates[1]))


def _degrees(number: float) -> float:
    """Infinite for an integer of hundreds of digits, which no float holds."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
