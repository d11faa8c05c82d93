"""The declarative base, and the column types that differ between PostgreSQL and SQLite."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from geoalchemy2 import Geometry
from sqlalchemy import DateTime, Dialect, Enum, MetaData, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

Code = TypeVar("Code", bound=StrEnum)


class Base(DeclarativeBase):
    """Constraint names are fixed, so that a migration can name what it changes on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def by_value(vocabulary: type[StrEnum]) -> Enum:
    """One member, kept as its value in a text column: a new member needs no migration."""
    return Enum(
        vocabulary,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. SQLite keeps no zone: values are UTC there, and aware again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC))


class Codes(TypeDecorator[tuple[Any, ...]], Generic[Code]):
    """Codes of one vocabulary in the order published, as text: `" H R S "`, so that `LIKE '% R %'` finds one."""

    impl = Text
    cache_ok = True

    def __init__(self, vocabulary: type[Code]) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self._members = {member.value: member for member in vocabulary}

    def process_bind_param(self, value: Sequence[Code] | None, dialect: Dialect) -> str:
        return f" {' '.join(value)} " if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Code, ...]:
        return tuple([self._members[code] for code in value.split()]) if value else ()


class Lines(TypeDecorator[tuple[str, ...]]):
    """Short texts, one a line."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:
        return "\n".join(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple(value.split("\n")) if value else ()


class Key(TypeDecorator[str]):
    """Folded text, compared by code point on both engines, whatever the locale of the database."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class PostgisPoint(TypeDecorator[Any]):
    """geometry(Point, 4326) on PostgreSQL, no column elsewhere (GeoAlchemy2's own DDL hooks must skip it too)."""

    impl = Geometry("POINT", 4326, spatial_index=False)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect | None) -> TypeEngine[Any]:
        # GeoAlchemy2 asks with None while it looks for geometry columns.
        return self.impl_instance if dialect is None or dialect.name == "postgresql" else NullType()


@compiles(CreateColumn, "sqlite")
def _leave_out_postgis_columns(create: CreateColumn, compiler: Any, **kwargs: Any) -> str | None:
    if isinstance(create.element.type, PostgisPoint):
        return None
    column: str = compiler.visit_create_column(create, **kwargs)
    return column
