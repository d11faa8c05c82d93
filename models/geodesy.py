"""Geometry in Python: the functions that SQLite lacks, and what decides whether a new dam meets a filter."""

import itertools
import math
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

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


@dataclass(frozen=True)
class Area:
    """A polygon or several, prepared for many points."""

    shape: BaseGeometry
    number: int = field(default_factory=itertools.count().__next__, compare=False)
    """Stands for the area in SQLite, which would copy the whole shape for each row."""

    def __post_init__(self) -> None:
        shapely.prepare(self.shape)
        _areas[self.number] = self

    def holds(self, longitude: float, latitude: float) -> bool:
        """True inside the area and on its edge, lines straight in degrees, as ST_Intersects on geometries."""
        return bool(shapely.intersects_xy(self.shape, longitude, latitude))


_areas: WeakValueDictionary[int, Area] = WeakValueDictionary()


def in_area(longitude: float, latitude: float, number: int) -> bool:
    """Raises KeyError for an area that is no longer in use; a statement keeps those it is about."""
    return _areas[number].holds(longitude, latitude)


def circle_bounds(longitude: float, latitude: float, metres: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a box that holds the circle; west > east where it crosses 180°."""
    degrees = metres / METRES_PER_DEGREE
    south, north = latitude - degrees, latitude + degrees
    nearest_to_pole = abs(latitude) + degrees
    width = degrees / math.cos(math.radians(nearest_to_pole)) if nearest_to_pole < 89.9 else 180.0
    if width >= 180:
        return -180.0, south, 180.0, north
    return (longitude - width + 180) % 360 - 180, south, (longitude + width + 180) % 360 - 180, north
