"""What was done to users, tokens and caps, which the log of dams does not tell."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, by_value


class Action(StrEnum):
    USER_ADDED = "user_added"
    PASSWORD_SET = "password_set"  # noqa: S105  # no password
    QUOTA_SET = "quota_set"
    GROUPS_SET = "groups_set"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    TOKEN_CREATED = "token_created"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    CAP_SET = "cap_set"


class AuditEntry(Base):
    """One row a change, in the transaction of the change.

    A log of its own: who signs in does not wait for those who add dams, nor do streams hear of it.
    """

    __tablename__ = "audit"
    __table_args__ = (Index(None, "actor", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    """Name of the user, or `command line`."""
    token: Mapped[str | None] = mapped_column(Text)
    """As in the log of changes."""
    action: Mapped[Action] = mapped_column(by_value(Action))
    subject: Mapped[str] = mapped_column(Text)
    """The user or the setting that it was done to."""
    detail: Mapped[str | None] = mapped_column(Text)
    """The name of the token, the new value, the groups."""
