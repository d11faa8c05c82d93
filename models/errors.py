"""Errors that people may read, each with the code that programs read. docs/errors.md tells them all."""

from typing import ClassVar


class InventoryError(Exception):
    """An expected failure. GraphQL copies `extensions` into the response; anything else is masked."""

    code: ClassVar[str]

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": self.code}


class BadUserInput(InventoryError):
    """An argument that cannot be used; the message names the value and says what would do."""

    code = "BAD_USER_INPUT"


class Unauthenticated(InventoryError):
    code = "UNAUTHENTICATED"


class Forbidden(InventoryError):
    code = "FORBIDDEN"


class CursorAhead(InventoryError):
    """A cursor later than the last change: it comes from another inventory, or from before a restore."""

    code = "CURSOR_AHEAD"


class CursorExpired(InventoryError):
    """Events after the cursor were deleted from the log: whoever went on from it would miss them."""

    code = "CURSOR_EXPIRED"


class DatabaseUnavailable(InventoryError):
    """The database is away or busy; the same request may succeed in a moment.

    Nothing was written, unless the connection was lost in the middle of a commit.
    """

    code = "DATABASE_UNAVAILABLE"


class InventoryFull(InventoryError):
    code = "INVENTORY_FULL"


class QuotaExceeded(InventoryError):
    code = "QUOTA_EXCEEDED"


class SlowConsumer(InventoryError):
    """A subscription whose client did not read on; `cursor` is that of the last event that was sent."""

    code = "SLOW_CONSUMER"

    def __init__(self, cursor: str) -> None:
        super().__init__("The client did not read on. Subscribe again with after: the cursor beside this message.")
        self.cursor = cursor

    @property
    def extensions(self) -> dict[str, str]:
        return super().extensions | {"cursor": self.cursor}


class ServerDraining(InventoryError):
    """The process is about to end; another one, or the next one here, takes over."""

    code = "SERVER_DRAINING"
