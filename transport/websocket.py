"""graphql-transport-ws: the protocol, on Strawberry's handler.

As in https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, and told from the server's side:

- A socket opens with the subprotocol `graphql-transport-ws`; another one is closed with 4406. Where as many sockets are
  open as there may be, in all or from this address, it is closed with 1013, on which stock clients come again.
- The client says `connection_init` within 10 seconds, else 4408; its payload may hold the token. The answer is
  `connection_ack`, or 4403 for a token that is not valid. Saying it twice is 4429.
- Then it may `subscribe`, before it 4401. Each operation has an id of the client's; one in use is 4409. A query or
  mutation gets one `next` and `complete`, a subscription `next` for each event. What is wrong with one operation is
  answered with `error` for that operation, so that the others on the same socket go on.
- `complete` from the client ends an operation; what crosses it on the way is no harm.
- Either side may `ping` at any time, the other answers `pong`. We ping who has said nothing for `PING_S`. Who then says
  nothing for `PONG_S` is asleep, frozen or gone, and closed with 4499, on which clients come again.
- A token that expires or is revoked, or whose user may do less than before, ends the socket's streams within a second
  and closes it with 4403, after the answers to what is under way: graphql-ws comes again, with fresh parameters.
- A process that is told to end closes its sockets with 1012, over some seconds, each after its last whole message.
- Anything that is not one of these messages is 4400, and a message over 256 KiB 1009.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation as RunningOperation

from models.errors import InventoryError, RateLimited
from resolvers.rate_limits import network_of
from transport.connections import CONNECTION
from transport.connections.websocket import Connection
from transport.deadline import Deadline, overdue
from transport.persisted import PersistedDocuments
from transport.requests import request_of, wrong_member
from transport.streams.admission import TooMany
from transport.streams.batch import frame
from transport.streams.delivery import Delivery, host_of
from transport.streams.operations import Operation, subscription_of
from transport.streams.subscriber import End, SocketSubscriber, failure, refusal

MAX_OPERATIONS = 100
"""At a time on one socket."""

MAX_ID_CHARACTERS = 128
"""Of an operation's id, which goes out with each of its messages. Clients take a number or a UUID."""

PING_S = 20.0
"""Proxies cut what is silent for a minute, some of them sooner."""

PONG_S = 20.0

PING = frame(b'{"type":"ping"}')


class TooManyOperations(InventoryError):
    code = "TOO_MANY_OPERATIONS"

    def __init__(self) -> None:
        super().__init__(
            f"One socket may have {MAX_OPERATIONS} operations at a time. Complete one or open another socket."
        )


class Socket(ASGIWebSocketAdapter):
    """Raises WebSocketDisconnected, which the handler expects, whoever hung up and however far that has come."""

    ws: WebSocket

    @property
    def connection(self) -> Connection:
        connection: Connection = self.ws.scope["extensions"][CONNECTION]
        return connection

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await super().send_json(message)
        except (WebSocketDisconnect, RuntimeError) as error:  # by the client; by ourselves, a moment ago
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        self.connection.end(code, reason)


class Handler(BaseGraphQLTransportWSHandler[Any, None]):
    view: Any
    websocket: Socket

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        websocket = self.websocket.ws
        self._delivery: Delivery = websocket.state.delivery
        self._documents: PersistedDocuments = websocket.state.documents
        self._connection = self.websocket.connection
        self._address = host_of(websocket)
        self._loop = asyncio.get_running_loop()
        self._keepalive = self._loop.call_later(PING_S, self._keep_alive)
        self._watching: AbstractContextManager[None] | None = None
        self._answering: set[RunningOperation[Any, None]] = set()
        self._loss: InventoryError | None = None

    async def handle(self) -> None:
        try:
            with self._delivery.sockets.admitted(address=network_of(self._address)):
                await super().handle()
        except TooMany as error:
            self._delivery.metrics.errors.labels("too_many_sockets").inc()
            await self.websocket.close(1013, str(error))
        finally:
            self._keepalive.cancel()

    async def shutdown(self) -> None:
        if self._watching is not None:
            self._watching.__exit__(None, None, None)
        await super().shutdown()

    def _keep_alive(self) -> None:
        silence = self._loop.time() - self._connection.heard
        if silence >= PING_S + PONG_S:
            self._connection.end(4499, "No sign of life")
            return
        if silence >= PING_S:
            self._connection.write(PING)
        patience = PING_S if silence < PING_S else PING_S + PONG_S
        self._keepalive = self._loop.call_later(patience - silence, self._keep_alive)

    async def handle_message(self, message: Any) -> None:
        if not is_message(message):
            await self.handle_invalid_message("This is no message of graphql-transport-ws.")
            return
        if message["type"] == "connection_init" and message.get("payload") is None:
            message = {"type": "connection_init"}  # null is as good as nothing, but not for Strawberry
        await super().handle_message(message)
        message.clear()  # which the handler's loop holds until the next one comes

    async def handle_connection_init(self, message: Any) -> None:
        await super().handle_connection_init(message)
        self.connection_init_timeout_task = None  # which has ended, and takes more than half a KB
        if self._watching is None and (viewer := self.context.connected_as):
            self._watching = self._delivery.watching(self.context, viewer, self._forbid)
            self._watching.__enter__()

    def _forbid(self, error: InventoryError) -> None:
        """Streams end at once. What is under way is answered before the close, as the signOut that was the reason."""
        self._loss = error
        for operation in self.operations.values():
            if operation.task is not None and operation not in self._answering:
                operation.task.cancel()
        self._close_if_lost()

    def _close_if_lost(self) -> None:
        if self._loss is not None and not self._answering:
            self._connection.end(4403, str(self._loss))

    async def handle_subscribe(self, message: Any) -> None:
        if self._loss is not None:
            return
        if self.connection_acknowledged and message["id"] not in self.operations:
            try:
                message["payload"]["query"] = await self._query_of(message["payload"])
            except InventoryError as error:
                refused = {"message": str(error), "extensions": error.extensions}
                answer: Any = {"id": message["id"], "type": "error", "payload": [refused]}
                await self.send_message(answer)
                return
        await super().handle_subscribe(message)

    async def _query_of(self, payload: dict[str, Any]) -> str:
        """Raises what the operation is refused with."""
        if len(self.operations) >= MAX_OPERATIONS:
            raise TooManyOperations
        return await self._documents.text_of(request_of(payload))

    async def run_operation(self, operation: RunningOperation[Any, None]) -> None:
        asked = Operation(operation.query, operation.variables or {}, operation.operation_name)
        subscription = subscription_of(asked.query, asked.name)
        if subscription is None:
            await self._answer(operation)
            return
        subscriber = SocketSubscriber(self._delivery.hub.position, self._connection, operation.id)
        try:
            viewer = await self.context.viewer()
            self.context.rate_limits.charge(viewer, self._address, 1)
            admitted = self._delivery.admitted(asked, viewer, self._address)
            # Watched besides the socket: the viewer may do more by now, or the database was away when it came.
            with admitted, self._delivery.watching(self.context, viewer, self._forbid):
                end = await self._delivery.follow(subscriber, asked, subscription, self.context, viewer)
        except InventoryError as error:
            end = refusal(error)
        except Exception:
            end = failure()
        await self._tell(operation, end)

    async def _answer(self, operation: RunningOperation[Any, None]) -> None:
        """To a query or a mutation."""
        self._answering.add(operation)
        try:
            await self.context.charge(1)
            with Deadline(self.view.timeout_s):
                await super().run_operation(operation)
        except TimeoutError:
            await self._tell(operation, refusal(overdue(self.view.timeout_s)))
        except RateLimited as error:
            await self._tell(operation, refusal(error))
        finally:
            self._answering.remove(operation)
            self._close_if_lost()

    async def _tell(self, operation: RunningOperation[Any, None], end: End) -> None:
        payload: Any = end.last
        errors: Any = end.errors
        with suppress(WebSocketDisconnected):
            if payload is not None:
                await operation.send_operation_message({"id": operation.id, "type": "next", "payload": payload})
            if errors:
                await operation.send_operation_message({"id": operation.id, "type": "error", "payload": errors})
            else:
                await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def send_message(self, message: Any) -> None:
        match message:
            case {"type": "error", "payload": errors} | {"type": "next", "payload": {"errors": errors}}:
                self._delivery.metrics.told(errors)
        await super().send_message(message)

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """Strawberry would close the socket, and with it all other operations, for a syntax error."""
        return None


def is_message(message: object) -> bool:
    """Whether a client may send this."""
    match message:
        case {"type": "connection_init" | "ping" | "pong", **rest}:
            return isinstance(rest.get("payload"), dict | None)
        case {"type": "complete", "id": str()}:
            return True
        case {"type": "subscribe", "id": str(id_), "payload": dict(payload)}:
            return len(id_) <= MAX_ID_CHARACTERS and wrong_member(payload) is None and names_document(payload)
    return False


def names_document(payload: Mapping[str, Any]) -> bool:
    persisted = (payload.get("extensions") or {}).get("persistedQuery")
    return bool(payload.get("query") or payload.get("documentId") or persisted)
