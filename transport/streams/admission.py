"""How much may be open at a time, counted by who opened it: each by its weight, in whole units."""

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
        self.open = 0
        self.weight: Counter[Scope] = Counter()

    def admitted(self, weight: int = 1, **who: str | None) -> "Permit":
        """Counts one as open while the permit is entered. `who` is by scope: `address`, `user`."""
        scopes = ("process", ""), *((scope, name) for scope, name in who.items() if name is not None)
        return Permit(self, weight, *scopes)


class Permit:
    """Not a generator, which would take more than half a KB for each socket and each subscription."""

    __slots__ = ("_admission", "_scopes", "_weight")

    def __init__(self, admission: Admission, weight: int, *scopes: Scope) -> None:
        self._admission = admission
        self._weight = weight
        self._scopes = scopes

    def __enter__(self) -> None:
        """Raises TooMany."""
        admission = self._admission
        for scope in self._scopes:
            limit = admission.limits[scope[0]]
            if admission.weight[scope] + self._weight > limit:
                raise TooMany(admission.what, scope[0], limit)
        for scope in self._scopes:
            admission.weight[scope] += self._weight
        admission.open += 1

    def __exit__(self, *_: object) -> None:
        admission = self._admission
        admission.open -= 1
        for scope in self._scopes:
            admission.weight[scope] -= self._weight
            if not admission.weight[scope]:
                del admission.weight[scope]
