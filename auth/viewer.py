"""Who is asking, and what they may do: the same rule for every transport."""

from dataclasses import dataclass, field
from functools import cache

from auth.audit import Actor
from auth.claims import Claims, Credential
from models.errors import Forbidden, Unauthenticated
from models.identity import Permission


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user as one token shows them, or nobody in particular."""

    user_id: int | None
    name: str | None
    permissions: frozenset[Permission]
    """Those of the user's groups, limited to the scopes of the token."""
    token: str | None = None
    """Name of the API token, or `jti` of that of the OpenID provider."""
    is_limited: bool = False
    """Whether the token has scopes."""
    credential: Credential | None = field(default=None, compare=False, repr=False)
    """By which the user is known."""

    @property
    def is_of_provider(self) -> bool:
        return isinstance(self.credential, Claims)

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def actor(self) -> Actor:
        return Actor(self.name or "nobody", self.token)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises Unauthenticated for nobody in particular, Forbidden for a user without the permission."""
        if self.may(permission):
            return
        if not self.is_authenticated:
            raise Unauthenticated(f"Sign in with an API token that has the permission {permission}.")
        raise Forbidden(f"{self.name} has no permission {permission}.")


@cache
def anonymous(*, public_read: bool) -> Viewer:
    """Whoever comes without a token."""
    return Viewer(None, None, frozenset({Permission.VIEW_DAMS} if public_read else ()))
