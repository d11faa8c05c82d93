"""What a file says about dams, row by row."""

from dataclasses import dataclass
from datetime import date

from models.vocabulary import DamType, Hazard, OwnerType, Purpose


@dataclass(frozen=True, slots=True)
class DamRecord:
    """The columns of `models.Dam` that a file can give, cleaned."""

    name: str | None
    longitude: float
    latitude: float
    other_names: tuple[str, ...] = ()
    owner: str | None = None
    owner_types: tuple[OwnerType, ...] = ()
    river: str | None = None
    built_first_day: date | None = None
    built_last_day: date | None = None
    external_id: str | None = None
    structure_id: str = ""
    state: str | None = None
    county: str | None = None
    height_ft: float | None = None
    storage_acre_ft: float | None = None
    drainage_area_sq_mi: float | None = None
    purposes: tuple[Purpose, ...] = ()
    dam_types: tuple[DamType, ...] = ()
    hazard: Hazard | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be added. `notes` are sentences on what was read with doubt."""

    line: int
    record: DamRecord
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be added, and the sentence that says why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something of an accepted row that its owner should look at."""

    line: int
    text: str
