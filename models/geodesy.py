"""Geometry in Python: the functions that SQLite lacks, and what decides whether a new dam meets a filter."""

import math
from functools import lru_cache

import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

WGS84 = Geod(ellps="WGS84")
METRES_PER_DEGREE = 110_500.0
"""A little less than the shortest degree of latitude, so that a box made with it holds the circle."""


def metres_between(longitude: float, latitude: float, to_longitude: float, to_latitude: float) -> float:
    """Geodesic distance on WGS 84, as ST_Distance of two geographies; equal to the millimetre."""
    metres: float = WGS84.inv(longitude, latitude, to_longitude, to_latitude)[2]
    return metres


@lru_cache(64)
def _prepared(wkt: str) -> BaseGeometry:
    area = shapely.from_wkt(wkt)
    shapely.prepare(area)
    return area


def in_area(longitude: float, latitude: float, wkt: str) -> bool:
    """True inside the area and on its edge, lines straight in degrees, as ST_Intersects on geometries."""
    return bool(shapely.intersects_xy(_prepared(wkt), longitude, latitude))


def area_bounds(wkt: str) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    west, south, east, north = _prepared(wkt).bounds
    return west, south, east, north


def circle_bounds(longitude: float, latitude: float, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a box that holds the circle; west > east where it crosses 180°."""
    degrees = metres / METRES_PER_DEGREE
    south, north = latitude - degrees, latitude + degrees
    nearest_to_pole = abs(latitude) + degrees
    width = degrees / math.cos(math.radians(nearest_to_pole)) if nearest_to_pole < 89.9 else 180.0
    if width >= 180:
        return -180.0, south, 180.0, north
    return (longitude - width + 180) % 360 - 180, south, (longitude + width + 180) % 360 - 180, north
