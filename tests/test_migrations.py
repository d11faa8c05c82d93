"""The migrations make what the models describe, on both engines."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Text, select, text

from models import Base, Group, GroupPermission, migrations
from models.base import Key
from models.database import Database
from models.identity import Permission

ONLY_ON = {
    "point": "postgresql",
    "ix_dams_point": "postgresql",
    "ix_dams_geography": "postgresql",
    "ix_dams_latitude_longitude": "sqlite",
}


def _types_differ(*compared: Any) -> bool | None:
    """None leaves the comparison to Alembic, which takes the collation of a key for another type."""
    *_, found, wanted = compared
    return not isinstance(found, Text) if isinstance(wanted, Key) else None


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_migrated_tables_match_the_models(database: Database) -> None:
    def differences(connection: Connection) -> Any:
        def comparable(item: object, name: str, kind: str, reflected: bool, compare_to: object) -> bool:
            """Not PostGIS's own tables, and of our own things those of this engine."""
            if kind == "table":
                return name in Base.metadata.tables
            return ONLY_ON.get(name, database.dialect) == database.dialect

        options = {"include_object": comparable, "compare_type": _types_differ}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(database: Database) -> None:
    await migrations.migrate(database)
    assert await migrations.current(database) == migrations.head()


async def test_the_group_admin_holds_every_permission(database: Database) -> None:
    statement = (
        select(GroupPermission.permission)
        .join(Group, Group.id == GroupPermission.group_id)
        .where(Group.name == "admin")
    )
    async with database.read() as connection:
        assert set(await connection.scalars(statement)) == set(Permission)


async def test_postgis_point_follows_the_coordinates(database: Database) -> None:
    if database.dialect != "postgresql":
        return
    insert = (
        "INSERT INTO dams (id, other_names, owner_types, longitude, latitude, structure_id, purposes, dam_types,"
        " search_key) VALUES (1, '', '', -111.5, 40.4, '', '', '', '')"
    )
    async with database.write() as connection:
        await connection.execute(text(insert))
        assert await connection.scalar(text("SELECT ST_AsText(point) FROM dams")) == "POINT(-111.5 40.4)"
