"""Who did what to users, tokens and caps."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Action, AuditEntry


class Actor(NamedTuple):
    """On whose behalf something is done."""

    name: str
    token: str | None = None
    """Its name."""


COMMAND_LINE = Actor("command line")


async def note(connection: AsyncConnection, by: Actor, action: Action, subject: str, detail: str | None = None) -> None:
    """`subject` is the user or the setting that it was done to."""
    entry = {"actor": by.name, "token": by.token, "action": action, "subject": subject, "detail": detail}
    await connection.execute(insert(AuditEntry), entry | {"at": datetime.now(UTC)})
