"""What the resolvers of one request or one socket share."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import strawberry

from auth.tokens import authenticate, token_of_header
from auth.viewer import Viewer, anonymous
from models.database import Database
from models.identity import Permission
from pubsub.hub import Hub

Result = TypeVar("Result")


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

    async def written(self, work: Coroutine[Any, Any, Result], sequence_of: Callable[[Result], int | None]) -> Result:
        """What the work gives; its event is announced, also where the client has hung up meanwhile."""

        async def announced() -> Result:
            result = await work
            if sequence := sequence_of(result):
                self.hub.announce(sequence)
            return result

        return await self.database.finish(announced())


Info = strawberry.Info["Context", None]
