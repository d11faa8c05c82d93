"""All that one process has open, and the rules for opening more."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from prometheus_client import generate_latest
from starlette.requests import HTTPConnection
from strawberry.schema import BaseSchema

from auth.viewer import Viewer, anonymous
from auth.watch import OnLoss, TokenWatch
from models.database import Database
from models.errors import DatabaseUnavailable, ServerDraining
from models.identity import Permission
from pubsub.hub import Hub
from resolvers.cursors import event_cursor
from resolvers.rate_limits import network_of
from schema.context import Context
from schema.health import SubscriptionHealth
from transport.connections import drain_delay
from transport.streams.admission import Admission, Permit
from transport.streams.groups import Groups
from transport.streams.metrics import Metrics
from transport.streams.operations import Operation, Subscription
from transport.streams.subscriber import End, ResponseSubscriber, Subscriber, refusal

logger = logging.getLogger(__name__)


def host_of(connection: HTTPConnection) -> str:
    """Of the client, or of the proxy that is nearest to it where uvicorn trusts none."""
    return connection.client.host if connection.client else ""


SUBSCRIPTIONS = "subscriptions, each counted once for every started KiB of its document and variables,"

DRAINING = "This server process is about to end. Come again, with after: the cursor of the last event."


class Delivery:
    def __init__(
        self,
        schema: BaseSchema,
        database: Database,
        hub: Hub,
        *,
        public_read: bool,
        max_sockets: Mapping[str, int],
        max_subscriptions: Mapping[str, int],
    ) -> None:
        """The limits are by scope: `process`, `address`, `user`."""
        self.hub = hub
        self.metrics = Metrics()
        self.sockets = Admission("WebSockets", max_sockets)
        self.subscriptions = Admission(SUBSCRIPTIONS, max_subscriptions)
        self.groups = Groups(schema, hub, self.metrics)
        self.watch = TokenWatch(database, anonymous(public_read=public_read))
        self._draining = False
        self._subscribers: set[Subscriber] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Delivery"]:
        async with self.watch.running():
            yield self

    def admitted(self, operation: Operation, viewer: Viewer, address: str) -> Permit:
        """Counts a subscription as open.

        Raises ServerDraining, BadUserInput and, when entered, TooMany.
        """
        if self._draining:
            raise ServerDraining(DRAINING)
        return self.subscriptions.admitted(operation.weight, address=network_of(address), user=viewer.name)

    def watching(self, context: Context, viewer: Viewer, on_loss: OnLoss) -> AbstractContextManager[None]:
        """Calls `on_loss` when the token loses its validity, or its user a permission."""
        if viewer.credential is None:
            return nullcontext()
        return self.watch.watching(viewer.credential, viewer, on_loss)

    async def follow(
        self,
        subscriber: Subscriber,
        operation: Operation,
        subscription: Subscription,
        context: Context,
        viewer: Viewer,
        after: int | None = None,
    ) -> End:
        """Until the subscription ends, or is cancelled. `after` counts instead of that of the operation."""
        reason = "left"
        self._subscribers.add(subscriber)
        if self._draining:  # since it was admitted
            subscriber.finish(refusal(ServerDraining(DRAINING)))
        try:
            end = await self._follow(subscriber, operation, subscription, context, viewer, after)
            reason = end.reason
            return end
        finally:
            self._subscribers.discard(subscriber)
            self.metrics.ended.labels(subscriber.end.reason if subscriber.end else reason).inc()

    async def _follow(
        self,
        subscriber: Subscriber,
        operation: Operation,
        subscription: Subscription,
        context: Context,
        viewer: Viewer,
        after: int | None,
    ) -> End:
        sharing = subscription.sharing
        if sharing is not None and viewer.may(Permission.VIEW_DAMS):
            try:
                start = sharing.begins_after(operation.variables)
                if after is not None:
                    start = after
                if start is not None:
                    await self.hub.require(start)
                key = sharing.key(operation, viewer.permissions)
            except DatabaseUnavailable as error:
                return refusal(error)
            except Exception as error:
                logger.debug("is executed for itself, which tells why: %r", error)
            else:
                await subscriber.begin(subscriber.position if start is None else start)
                return await self.groups.follow(subscriber, operation, key, context, viewer)
        if after is not None:
            subscriber.received = after
        return await self.groups.alone(subscriber, operation, context, viewer, placed=after is not None)

    def drain(self) -> None:
        """No more subscriptions; those over HTTP end within seconds, one after the other. Sockets are closed by
        their connections."""
        if self._draining:
            return
        self._draining = True
        loop = asyncio.get_running_loop()
        for subscriber in self._subscribers:
            if isinstance(subscriber, ResponseSubscriber):
                delay = drain_delay(len(self._subscribers))
                loop.call_later(delay, subscriber.finish, refusal(ServerDraining(DRAINING)))

    def health(self) -> SubscriptionHealth:
        lag = self.metrics.median_lag_s()
        return SubscriptionHealth(
            is_live=self.hub.bus_connected,
            event_cursor=event_cursor(self.hub.position),
            median_lag_ms=None if lag is None else lag * 1000,
            open_subscriptions=self.subscriptions.open,
            groups=len(self.groups),
        )

    def report(self) -> bytes:
        """In Prometheus' text format."""
        metrics = self.metrics
        metrics.sockets.set(self.sockets.open)
        metrics.subscriptions.set(self.subscriptions.open)
        metrics.groups.set(len(self.groups))
        metrics.waiting.set(sum(subscriber.waiting for subscriber in self._subscribers))
        metrics.position.set(self.hub.position)
        metrics.bus.set(self.hub.bus_connected)
        return generate_latest(metrics.registry)
