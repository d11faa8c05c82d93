"""How much may be open at a time, counted by who opened it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from models.errors import InventoryError

PLACES = {"process": "in this server process", "address": "from your address", "user": "by your user"}


class TooMany(InventoryError):
    """Nothing more of this kind can be opened for the moment; the message says the limit."""

    code = "TOO_MANY_SUBSCRIPTIONS"

    def __init__(self, what: str, scope: str, limit: int) -> None:
        super().__init__(f"There are {limit:,} {what} open {PLACES[scope]}, the most there may be. Close one or wait.")
        self.scope = scope


class Admission:
    def __init__(self, what: str, limits: Mapping[str, int]) -> None:
        self.what = what
        self._limits = limits
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def open(self) -> int:
        return self._open["process", ""]

    @contextmanager
    def admitted(self, **who: str | None) -> Iterator[None]:
        """`who` is by scope: `address`, `user`. Raises TooMany."""
        counted = [("process", ""), *((scope, name) for scope, name in who.items() if name is not None)]
        for scope, name in counted:
            if self._open[scope, name] >= self._limits[scope]:
                raise TooMany(self.what, scope, self._limits[scope])
        self._open.update(counted)
        try:
            yield
        finally:
            for key in counted:
                self._open[key] -= 1
                if not self._open[key]:
                    del self._open[key]
