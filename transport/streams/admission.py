"""How much may be open at a time, counted by who opened it."""

from collections import Counter
from collections.abc import Mapping

from models.errors import InventoryError

PLACES = {"process": "in this server process", "address": "from your address", "user": "by your user"}

Scope = tuple[str, str]
"""What is limited, and whose it is: `("address", "192.0.2.1")`."""


class TooMany(InventoryError):
    """Nothing more of this kind can be opened for the moment; the message says the limit."""

    code = "TOO_MANY_SUBSCRIPTIONS"

    def __init__(self, what: str, scope: str, limit: int) -> None:
        super().__init__(f"At most {limit:,} {what} may be open at a time {PLACES[scope]}. Close one or wait.")


class Admission:
    def __init__(self, what: str, limits: Mapping[str, int]) -> None:
        self.what = what
        self.limits = limits
        self.count: Counter[Scope] = Counter()

    @property
    def open(self) -> int:
        return self.count["process", ""]

    def admitted(self, **who: str | None) -> "Permit":
        """Counts one as open while the permit is entered. `who` is by scope: `address`, `user`."""
        return Permit(self, ("process", ""), *((scope, name) for scope, name in who.items() if name is not None))


class Permit:
    """Not a generator, which would take more than half a KB for each socket and each subscription."""

    __slots__ = ("_admission", "_scopes")

    def __init__(self, admission: Admission, *scopes: Scope) -> None:
        self._admission = admission
        self._scopes = scopes

    def __enter__(self) -> None:
        """Raises TooMany."""
        admission = self._admission
        for scope in self._scopes:
            limit = admission.limits[scope[0]]
            if admission.count[scope] >= limit:
                raise TooMany(admission.what, scope[0], limit)
        admission.count.update(self._scopes)

    def __exit__(self, *_: object) -> None:
        count = self._admission.count
        for scope in self._scopes:
            count[scope] -= 1
            if not count[scope]:
                del count[scope]
