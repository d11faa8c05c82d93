"""The words by which editions of the national inventory name what `models.vocabulary` keeps as codes."""

from collections.abc import Mapping
from enum import StrEnum

from models.vocabulary import DamType, Hazard, OwnerType, Purpose

NOTHING_SAID = frozenset({"", "n/a", "none", "unknown", "unlisted/unknown", "not available"})


def _words(vocabulary: type[StrEnum], more: Mapping[str, StrEnum | None]) -> dict[str, StrEnum | None]:
    """Folded word -> member, None for a word that says nothing. Codes and names of members are words too."""
    codes = {member.value.lower(): member for member in vocabulary}
    names = {member.name.lower().replace("_", " "): member for member in vocabulary}
    return {**dict.fromkeys(NOTHING_SAID), **names, **codes, **more}


PURPOSES = _words(
    Purpose,
    {
        "flood control": Purpose.FLOOD_RISK_REDUCTION,
        "fire protection, stock, or small fish pond": Purpose.FIRE_STOCK_OR_FARM_POND,
        "fish and wildlife pond": Purpose.FISH_AND_WILDLIFE,
    },
)
OWNER_TYPES = _words(OwnerType, {"tribal government": OwnerType.TRIBAL})
DAM_TYPES = _words(
    DamType,
    {
        "multi-arch": DamType.MULTI_ARCH,
        "rcc": DamType.ROLLER_COMPACTED_CONCRETE,
        "roller-compacted concrete": DamType.ROLLER_COMPACTED_CONCRETE,
    },
)
HAZARDS = _words(Hazard, {"n": None})  # 2018: "not available"

STATES: dict[str, str] = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AS": "American Samoa",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "GU": "Guam",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "MP": "Northern Mariana Islands",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "PR": "Puerto Rico",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VI": "Virgin Islands",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
}
"""By USPS code."""

STATE_CODES = {word.lower(): code for code, name in STATES.items() for word in (code, name)}
