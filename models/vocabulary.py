"""The coded vocabularies of the National Inventory of Dams; each value is the code of the NID data dictionary."""

from enum import StrEnum


class Hazard(StrEnum):
    """What a failure would threaten (FEMA 333), not the condition of the dam."""

    HIGH = "H"
    SIGNIFICANT = "S"
    LOW = "L"
    UNDETERMINED = "U"


class OwnerType(StrEnum):
    FEDERAL = "F"
    STATE = "S"
    LOCAL_GOVERNMENT = "L"
    PUBLIC_UTILITY = "U"
    PRIVATE = "P"
    TRIBAL = "T"
    NOT_LISTED = "X"


class Purpose(StrEnum):
    IRRIGATION = "I"
    HYDROELECTRIC = "H"
    FLOOD_RISK_REDUCTION = "C"
    NAVIGATION = "N"
    WATER_SUPPLY = "S"
    RECREATION = "R"
    FIRE_STOCK_OR_FARM_POND = "P"
    FISH_AND_WILDLIFE = "F"
    DEBRIS_CONTROL = "D"
    TAILINGS = "T"
    GRADE_STABILIZATION = "G"
    OTHER = "O"


class DamType(StrEnum):
    EARTH = "RE"
    ROCKFILL = "ER"
    GRAVITY = "PG"
    BUTTRESS = "CB"
    ARCH = "VA"
    MULTI_ARCH = "MV"
    CONCRETE = "CN"
    ROLLER_COMPACTED_CONCRETE = "RC"
    MASONRY = "MS"
    STONE = "ST"
    TIMBER_CRIB = "TC"
    OTHER = "OT"
