"""What is kept: tables, constraints and units. Nothing here runs; `database` opens the two engines."""

from models.audit import Action, AuditEntry
from models.base import Base
from models.dam import Dam
from models.event import Event, EventKind
from models.identity import ApiToken, Group, GroupPermission, User, UserGroup
from models.inventory import Inventory

__all__ = [
    "Action",
    "ApiToken",
    "AuditEntry",
    "Base",
    "Dam",
    "Event",
    "EventKind",
    "Group",
    "GroupPermission",
    "Inventory",
    "User",
    "UserGroup",
]
