"""Users that are disabled; what one user did is found without reading what all others did."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("is_disabled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_events_actor_sequence", "events", ["actor", "sequence"])
    op.create_index("ix_audit_actor_id", "audit", ["actor", "id"])
