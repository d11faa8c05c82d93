"""The counter row: the count, the last sequence number and the caps, all under one lock."""

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Inventory(Base):
    """One row. Every writer updates it first, so that adds are counted and numbered one after the other."""

    __tablename__ = "inventory"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("dam_count >= 0", name="count_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    uuid: Mapped[str] = mapped_column(Text)
    """Names the channel on Redis, so that inventories on one Redis do not hear each other."""
    dam_count: Mapped[int] = mapped_column(default=0)
    last_sequence: Mapped[int] = mapped_column(default=0)
    max_dams: Mapped[int] = mapped_column(default=0)
    """Dams there may be in all. 0 means no cap."""
    max_dams_per_user: Mapped[int] = mapped_column(default=0)
    """Dams that one user may have added, where the user has no number of their own. 0 means no quota."""
