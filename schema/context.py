"""What the resolvers of one request or one socket share."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from auth.authentication import authenticate, token_of_header
from auth.openid import Provider
from auth.viewer import Viewer, anonymous
from models.database import Database
from models.identity import Permission
from pubsub.hub import Hub, Place
from resolvers.accounts import groups_of
from resolvers.cursors import sequence_of
from resolvers.rate_limits import RateLimits
from schema.health import SubscriptionHealth
from schema.history import HistoryEntry, load_histories
from schema.limits import Limits

Result = TypeVar("Result")


@dataclass(slots=True)
class Stream:
    """Of a subscription: on whose behalf it runs, and where it stands."""

    viewer: Viewer
    """Of one that runs for several, nobody in particular with the permissions that all of them have."""
    place: Place
    placed: bool = True
    """Whether it begins at the place whatever its `after` says."""
    begun: Callable[[int], Awaitable[None]] | None = None
    """Told where it begins."""


@dataclass(slots=True)
class Context:
    database: Database
    hub: Hub
    public_read: bool
    max_page_size: int
    authorization: str | None
    """The header of the request or of the handshake; on a socket, `connection_init` may bring another."""
    request_id: str
    health: Callable[[], SubscriptionHealth]
    """Of this process, at the moment."""
    address: str
    """Of the client."""
    rate_limits: RateLimits
    is_one_request: bool
    """False on a socket, which lives long."""
    provider: Provider | None
    """Of OpenID Connect."""
    session_life: timedelta
    """Of a sign-in with a password."""
    limits: Limits
    connection_params: dict[str, Any] = field(default_factory=dict)
    """Payload of `connection_init`; Strawberry sets it."""
    connected_as: Viewer | None = None
    """On a socket, whose token `connection_init` brought; None before, and where the database was away."""
    compile_selections: bool = True
    """Whether plain data is completed by compiled functions."""
    stream: Stream | None = None
    """Set for each subscription, by the transport."""
    _viewer: Viewer | None = None
    _charged: Viewer | None = None
    _histories: DataLoader[int, list[HistoryEntry]] | None = field(default=None, init=False)
    _groups: DataLoader[int, list[str]] | None = field(default=None, init=False)

    @property
    def histories(self) -> DataLoader[int, list[HistoryEntry]]:
        """Made when asked for, which most sockets never do, and without a cache, since a socket lives long."""
        if self._histories is None:
            self._histories = DataLoader(partial(load_histories, self), cache=False)
        return self._histories

    @property
    def groups(self) -> DataLoader[int, list[str]]:
        """Of users."""
        if self._groups is None:
            self._groups = DataLoader(partial(groups_of, self.database), cache=False)
        return self._groups

    async def viewer(self) -> Viewer:
        """Looked up for each request, and on a socket each time: a token may be revoked meanwhile.

        Whoever has a token may do what anybody may, whatever its scopes.
        Raises Unauthenticated for a token that is not valid.
        """
        if self.stream is not None:
            return self.stream.viewer
        anybody = anonymous(public_read=self.public_read)
        if self.authorization is None:
            return anybody
        if self._viewer is None or not self.is_one_request:
            viewer = await authenticate(self.database, token_of_header(self.authorization), self.provider)
            self._viewer = replace(viewer, permissions=viewer.permissions | anybody.permissions)
        return self._viewer

    async def charge(self, cost: int) -> None:
        """To the token and its user, or to the address of who has no valid one.

        Raises RateLimited.
        """
        try:
            viewer = await self.viewer()
        except Exception:  # which the operation itself tells
            viewer = anonymous(public_read=self.public_read)
        self._charged = viewer
        self.rate_limits.charge(viewer, self.address, cost)

    def charge_more(self, cost: int) -> None:
        """To whom `charge` has charged before.

        Raises RateLimited.
        """
        if cost > 0 and self._charged is not None:
            self.rate_limits.charge(self._charged, self.address, cost)

    async def require(self, permission: Permission) -> Viewer:
        """Raises Unauthenticated or Forbidden."""
        viewer = await self.viewer()
        viewer.require(permission)
        return viewer

    async def place_after(self, cursor: str | None) -> Place:
        """Where this subscription begins.

        Raises BadUserInput.
        """
        assert self.stream is not None
        place = self.stream.place
        if cursor is not None and not self.stream.placed:
            place.position = sequence_of(cursor)
        if self.stream.begun is not None:
            await self.stream.begun(place.position)
        return place

    async def written(self, work: Coroutine[Any, Any, Result], sequence_of: Callable[[Result], int | None]) -> Result:
        """What the work gives; its event is announced, also where the client has hung up meanwhile."""

        async def announced() -> Result:
            result = await work
            if sequence := sequence_of(result):
                self.hub.announce(sequence)
            return result

        return await self.database.finish(announced())


Info = strawberry.Info["Context", None]
