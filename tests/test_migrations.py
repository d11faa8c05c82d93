"""The migrations make what the models describe, on both engines."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Text, func, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from models import ApiToken, Base, Group, GroupPermission, migrations
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


ORPHAN = "INSERT INTO user_groups (user_id, group_id) VALUES (99, 99)"
LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("users", recreate="auto") as table:
        table.add_column(sa.Column("nickname", sa.Text))
        table.alter_column("name", new_column_name="login")
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    {then}
"""


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a migration that comes after ours, and ends with the statement."""

    def add(then: str) -> None:
        (tmp_path / "9999_later.py").write_text(LATER.format(head=migrations.head(), then=then))
        config = migrations._config()
        ours = Path(migrations.__file__).parent / "versions"
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", f"{ours}{os.pathsep}{tmp_path}")
        monkeypatch.setattr(migrations, "_config", lambda: config)

    return add


async def tables_and_tokens(database: Database) -> tuple[set[str], int | None]:
    async with database.read() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        return set(names), await connection.scalar(select(func.count()).select_from(ApiToken))


@pytest.mark.usefixtures("admin")
async def test_a_table_changed_by_a_migration_keeps_what_refers_to_it(
    database: Database, later: Callable[[str], None]
) -> None:
    later("pass")
    await migrations.migrate(database)
    assert await migrations.current(database) == "9999"
    assert (await tables_and_tokens(database))[1] == 1
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(text(ORPHAN))


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("failure", ["raise LookupError", 'op.execute("SELECT nonsense")', f"op.execute({ORPHAN!r})"])
async def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, later: Callable[[str], None], failure: str
) -> None:
    before = await tables_and_tokens(database)
    later(failure)
    with pytest.raises((LookupError, RuntimeError, DBAPIError)):
        await migrations.migrate(database)
    assert await migrations.current(database) == migrations.head()
    assert await tables_and_tokens(database) == before


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
