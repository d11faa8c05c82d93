"""Users, their groups, what a group may do, and API tokens."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, by_value


class Permission(StrEnum):
    VIEW_DAMS = "view_dams"
    ADD_DAMS = "add_dams"
    EDIT_DAMS = "edit_dams"
    REMOVE_DAMS = "remove_dams"
    MANAGE_INVENTORY = "manage_inventory"


class User(Base):
    """Of this service, with a password or none; or of an OpenID provider, which says who it is."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "issuer", "subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    max_dams: Mapped[int | None]
    """This user's own quota; 0 means none. None: the inventory's `max_dams_per_user` applies."""
    password_hash: Mapped[str | None] = mapped_column(Text)
    """Argon2id with its salt and parameters. None: cannot sign in with a password."""
    issuer: Mapped[str | None] = mapped_column(Text)
    """The provider of a user who came with its token; together with the subject it tells who that is."""
    subject: Mapped[str | None] = mapped_column(Text)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    """Whose tokens and password are not taken, until it is enabled again."""


class Group(Base):
    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)


class GroupPermission(Base):
    __tablename__ = "group_permissions"

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[Permission] = mapped_column(by_value(Permission), primary_key=True)


class UserGroup(Base):
    __tablename__ = "user_groups"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)


class ApiToken(Base):
    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    """SHA-256 in hexadecimal: the token itself is 256 random bits, so no slow hash is needed."""
    scopes: Mapped[str | None] = mapped_column(Text)
    """Permissions it is limited to, separated by blanks. None: all that the user has."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_session: Mapped[bool] = mapped_column(default=False)
    """Whether it came of a sign-in with a password."""
