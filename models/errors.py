"""Errors that people may read, each with the code that programs read. docs/errors.md tells them all."""


class InventoryError(Exception):
    """An expected failure. GraphQL copies `extensions` into the response; anything else is masked."""

    code: str

    @property
    def extensions(self) -> dict[str, str | int]:
        return {"code": self.code}


class BadUserInput(InventoryError):
    """An argument that cannot be used; the message names the value and says what would do."""

    code = "BAD_USER_INPUT"


class Refused(BadUserInput):
    """An input that cannot be taken, which payloads tell as data."""

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        """As clients name it; None where it is not about one."""


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


class ProviderUnavailable(InventoryError):
    """A token cannot be checked, because the OpenID provider is away; the same request may succeed in a moment."""

    code = "PROVIDER_UNAVAILABLE"


class OperationTimeout(InventoryError):
    """It took longer than it may; the same would take as long again. A write may have been done nevertheless."""

    code = "OPERATION_TIMEOUT"


class InventoryFull(InventoryError):
    code = "INVENTORY_FULL"


class QuotaExceeded(InventoryError):
    code = "QUOTA_EXCEEDED"


class RateLimited(InventoryError):
    """Whoever asks has asked for as much as they may within the minute."""

    code = "RATE_LIMITED"

    def __init__(self, whose: str, limit: int, retry_after_s: int) -> None:
        super().__init__(f"{whose} may ask for {limit:,} points a minute. Try again in {retry_after_s:,} s.")
        self.retry_after_s = retry_after_s

    @property
    def extensions(self) -> dict[str, str | int]:
        return super().extensions | {"retryAfter": self.retry_after_s}


class SlowConsumer(InventoryError):
    """A subscription whose client did not read on; `cursor` is that of the last event that was sent."""

    code = "SLOW_CONSUMER"

    def __init__(self, cursor: str) -> None:
        super().__init__("The client did not read on. Subscribe again with after: the cursor beside this message.")
        self.cursor = cursor

    @property
    def extensions(self) -> dict[str, str | int]:
        return super().extensions | {"cursor": self.cursor}


class ServerDraining(InventoryError):
    """The process is about to end; another one, or the next one here, takes over."""

    code = "SERVER_DRAINING"
