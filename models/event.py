"""The log of changes, from which streams resume and auditors read."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, by_value


class EventKind(StrEnum):
    DAM_ADDED = "dam_added"
    DAM_REMOVED = "dam_removed"


class Event(Base):
    """One row a change, in the transaction of the change.

    The sequence comes from the counter row, whose lock makes the order of sequences the order of commits:
    who has read sequence n has missed nothing before it.
    """

    __tablename__ = "events"
    __table_args__ = (Index(None, "actor", "sequence"),)

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[EventKind] = mapped_column(by_value(EventKind))
    dam_id: Mapped[int] = mapped_column(index=True)
    """No foreign key: the log outlives the dam."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    """Name of the user, or `import` for the command line."""
    token: Mapped[str | None] = mapped_column(Text)
    """Name of the actor's API token, or `jti` of that of the OpenID provider."""
