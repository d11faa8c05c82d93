"""Passwords, users of an OpenID provider, sessions; with which token a change was made; what was done to accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in ("password_hash", "issuer", "subject"):
        op.add_column("users", sa.Column(column, sa.Text))
    op.create_index("ix_users_issuer_subject", "users", ["issuer", "subject"], unique=True)
    op.add_column("api_tokens", sa.Column("is_session", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("events", sa.Column("token", sa.Text))
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
    )
