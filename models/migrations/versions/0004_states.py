"""The dams of a state in the order of adding, without reading those of the others."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_dams_state_id", "dams", ["state", "id"])
