"""Dams, as the National Inventory of Dams (USACE) describes them and as people add them."""

from collections import namedtuple
from datetime import date

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Codes, Key, Lines, PostgisPoint, by_value
from models.vocabulary import DamType, Hazard, OwnerType, Purpose


class Dam(Base):
    """One row a structure: a dike has a row of its own beside that of its main dam."""

    __tablename__ = "dams"
    __table_args__ = (
        UniqueConstraint("external_id", "structure_id"),
        UniqueConstraint("added_by_id", "idempotency_key"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_in_range"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_in_range"),
        CheckConstraint("built_first_day <= built_last_day", name="built_in_order"),
        Index("ix_dams_latitude_longitude", "latitude", "longitude").ddl_if(dialect="sqlite"),
        Index("ix_dams_point", "point", postgresql_using="gist").ddl_if(dialect="postgresql"),
        Index("ix_dams_geography", text("geography(point)"), postgresql_using="gist").ddl_if(dialect="postgresql"),
        Index("ix_dams_name_key_id", "name_key", "id"),
        Index("ix_dams_river_key_id", "river_key", "id"),
        Index("ix_dams_owner_key_id", "owner_key", "id"),
        Index("ix_dams_state_id", "state", "id"),  # the national dams come state by state: the last one is far away
        Index("ix_dams_state_county_key", "state", "county_key"),
        Index("ix_dams_built_first_day_id", "built_first_day", "id"),
        Index("ix_dams_height_ft_id", "height_ft", "id"),
        Index("ix_dams_storage_acre_ft_id", "storage_acre_ft", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The sequence number of the event that added it: ids follow the order of adding and are never used again."""

    name: Mapped[str | None] = mapped_column(Text)
    """None where the source has none (some 4,300 rows of the 2018 edition)."""
    other_names: Mapped[tuple[str, ...]] = mapped_column(Lines)
    owner: Mapped[str | None] = mapped_column(Text)
    """Name of the owner. None for dams of the national data, which has owner types only."""
    owner_types: Mapped[tuple[OwnerType, ...]] = mapped_column(Codes(OwnerType))
    river: Mapped[str | None] = mapped_column(Text)
    """River or stream as published, tributary notation included (`TR-DEER CREEK`)."""

    built_first_day: Mapped[date | None]
    built_last_day: Mapped[date | None]
    """The build date as the span that is known: a year, a month or one day (ISO 8601 reduced precision)."""

    longitude: Mapped[float]
    latitude: Mapped[float]
    """Decimal degrees, WGS 84 (the NID states NAD 83, which differs by less than its precision)."""
    point = mapped_column(
        PostgisPoint,
        Computed("ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)", persisted=True),
        deferred=True,
        deferred_raiseload=True,
    )

    external_id: Mapped[str | None] = mapped_column(Text)
    """Id in the national inventory (`UT10117`). Not unique: a dike shares that of its main dam."""
    structure_id: Mapped[str] = mapped_column(Text, default="")
    """Other Structure ID (`S001`), empty for the main dam; unique together with the external id."""
    state: Mapped[str | None] = mapped_column(Text)
    """USPS code of the state or territory (`UT`, `PR`)."""
    county: Mapped[str | None] = mapped_column(Text)
    height_ft: Mapped[float | None]
    """NID height in feet: the largest of dam, structural and hydraulic height. None where the source has 0."""
    storage_acre_ft: Mapped[float | None]
    """NID storage in acre-feet: the larger of maximum and normal storage. None where the source has 0."""
    drainage_area_sq_mi: Mapped[float | None]
    """Square miles. None where the source has 0."""
    purposes: Mapped[tuple[Purpose, ...]] = mapped_column(Codes(Purpose))
    """In the order published: the primary one first where the source tells it."""
    dam_types: Mapped[tuple[DamType, ...]] = mapped_column(Codes(DamType))
    """In the order published."""
    hazard: Mapped[Hazard | None] = mapped_column(by_value(Hazard))
    """None where the source withholds it."""

    name_key: Mapped[str | None] = mapped_column(Key)
    owner_key: Mapped[str | None] = mapped_column(Key)
    river_key: Mapped[str | None] = mapped_column(Key)
    county_key: Mapped[str | None] = mapped_column(Key)
    search_key: Mapped[str] = mapped_column(Key)
    """Folded text (no case, no accents): name, owner, river and county; names and river together for search."""

    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """Whose quota it counts against. None for imports from the command line."""
    idempotency_key: Mapped[str | None] = mapped_column(Text)


DAM_COLUMNS = [column for column in Dam.__table__.columns if column.key not in {"point", "idempotency_key"}]
"""What is read of a dam."""

DamRow = namedtuple("DamRow", [column.key for column in DAM_COLUMNS])  # type: ignore[misc]  # the fields are the table's
"""A row of dams, be it read or written."""
