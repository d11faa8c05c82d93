"""What the resolvers of one request or one socket share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import strawberry

from auth.tokens import authenticate, token_of_header
from auth.viewer import Viewer, anonymous
from models.database import Database
from models.identity import Permission
from pubsub.hub import Hub


@dataclass(slots=True)
class Context:
    database: Database
    hub: Hub
    public_read: bool
    max_page_size: int
    authorization: str | None
    """The header of the request or of the handshake; on a socket, `connection_init` may bring another."""
    request_id: str
    connection_params: dict[str, Any] = field(default_factory=dict)
    """Payload of `connection_init`; Strawberry sets it."""

    async def viewer(self) -> Viewer:
        """Looked up each time: a socket lives long, and a token may be revoked meanwhile.

        Whoever has a token may do what anybody may, whatever its scopes.
        Raises Unauthenticated for a token that is not valid.
        """
        anybody = anonymous(public_read=self.public_read)
        if self.authorization is None:
            return anybody
        viewer = await authenticate(self.database, token_of_header(self.authorization))
        return replace(viewer, permissions=viewer.permissions | anybody.permissions)

    async def require(self, permission: Permission) -> Viewer:
        """Raises Unauthenticated or Forbidden."""
        viewer = await self.viewer()
        viewer.require(permission)
        return viewer


Info = strawberry.Info["Context", None]
MakeContext = Callable[..., Awaitable[Context]]
