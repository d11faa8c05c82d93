"""The inventory: dams, the counter row, the event log, users and their tokens."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

GROUPS = {
    "admin": ("view_dams", "add_dams", "edit_dams", "remove_dams", "manage_inventory"),
    "contributor": ("view_dams", "add_dams"),
    "reader": ("view_dams",),
}


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    create_identity()
    create_inventory()
    create_dams(sa.Text(collation="C") if on_postgresql else sa.Text())
    if on_postgresql:
        op.execute(
            "ALTER TABLE dams ADD COLUMN point geometry(Point, 4326)"
            " GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)) STORED"
        )
        op.execute("CREATE INDEX ix_dams_point ON dams USING gist (point)")
        op.execute("CREATE INDEX ix_dams_geography ON dams USING gist (geography(point))")
    else:
        op.create_index("ix_dams_latitude_longitude", "dams", ["latitude", "longitude"])


def create_identity() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("max_dams", sa.Integer),
    )
    groups = op.create_table(
        "groups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
    )
    permissions = op.create_table(
        "group_permissions",
        sa.Column("group_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("permission", sa.String(40), primary_key=True),
    )
    op.create_table(
        "user_groups",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("group_id", sa.Integer, sa.ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("user_id", "name"),
    )
    for group_id, (name, granted) in enumerate(GROUPS.items(), start=1):
        op.bulk_insert(groups, [{"id": group_id, "name": name}])
        op.bulk_insert(permissions, [{"group_id": group_id, "permission": each} for each in granted])


def create_inventory() -> None:
    inventory = op.create_table(
        "inventory",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uuid", sa.Text, nullable=False),
        sa.Column("dam_count", sa.Integer, nullable=False),
        sa.Column("last_sequence", sa.Integer, nullable=False),
        sa.Column("max_dams", sa.Integer, nullable=False),
        sa.Column("max_dams_per_user", sa.Integer, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.CheckConstraint("dam_count >= 0", name="count_not_negative"),
    )
    op.bulk_insert(
        inventory,
        [
            {
                "id": 1,
                "uuid": str(uuid.uuid4()),
                "dam_count": 0,
                "last_sequence": 0,
                "max_dams": 0,
                "max_dams_per_user": 0,
            }
        ],
    )
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("dam_id", sa.Integer, nullable=False, index=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
    )


def create_dams(key: sa.Text) -> None:
    op.create_table(
        "dams",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text),
        sa.Column("other_names", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("owner_types", sa.Text, nullable=False),
        sa.Column("river", sa.Text),
        sa.Column("built_first_day", sa.Date),
        sa.Column("built_last_day", sa.Date),
        sa.Column("longitude", sa.Double, nullable=False),
        sa.Column("latitude", sa.Double, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("structure_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("county", sa.Text),
        sa.Column("height_ft", sa.Double),
        sa.Column("storage_acre_ft", sa.Double),
        sa.Column("drainage_area_sq_mi", sa.Double),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("dam_types", sa.Text, nullable=False),
        sa.Column("hazard", sa.String(40)),
        sa.Column("name_key", key),
        sa.Column("owner_key", key),
        sa.Column("river_key", key),
        sa.Column("county_key", key),
        sa.Column("search_key", key, nullable=False),
        sa.Column("added_by_id", sa.Integer, sa.ForeignKey("users.id", ondelete="SET NULL")),
        sa.Column("idempotency_key", sa.Text),
        sa.UniqueConstraint("external_id", "structure_id"),
        sa.UniqueConstraint("added_by_id", "idempotency_key"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_in_range"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_in_range"),
        sa.CheckConstraint("built_first_day <= built_last_day", name="built_in_order"),
    )
    for columns in (
        ["name_key", "id"],
        ["river_key", "id"],
        ["owner_key", "id"],
        ["state", "county_key"],
        ["built_first_day", "id"],
        ["height_ft", "id"],
        ["storage_acre_ft", "id"],
    ):
        op.create_index(f"ix_dams_{'_'.join(columns)}", "dams", columns)
