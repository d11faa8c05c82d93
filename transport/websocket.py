"""graphql-transport-ws: Strawberry's handler, made to survive any message and any moment of hanging up.

What is no message of the protocol closes the socket with 4400. What is wrong with one operation is answered with
`error` for that operation, so that the others on the same socket go on.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

MAX_OPERATIONS = 100
"""At a time on one socket."""

MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5."""


class Socket(ASGIWebSocketAdapter):
    """Raises WebSocketDisconnected, which the handler expects, whoever hung up and however far that has come."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        with _disconnected():
            await super().send_json(message)

    async def close(self, code: int, reason: str) -> None:
        with _disconnected():
            await super().close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))


@contextmanager
def _disconnected() -> Iterator[None]:
    try:
        yield
    except (WebSocketDisconnect, RuntimeError) as error:  # by the client; by ourselves, a moment ago
        raise WebSocketDisconnected from error


class Handler(BaseGraphQLTransportWSHandler[Any, None]):
    async def handle_message(self, message: Any) -> None:
        if not is_message(message):
            await self.handle_invalid_message("This is no message of graphql-transport-ws.")
            return
        if message["type"] == "connection_init" and message.get("payload") is None:
            message = {"type": "connection_init"}  # null is as good as nothing, but not for Strawberry
        await super().handle_message(message)

    async def handle_subscribe(self, message: Any) -> None:
        if len(self.operations) < MAX_OPERATIONS:
            await super().handle_subscribe(message)
            return
        error = GraphQLError(
            f"One socket may have {MAX_OPERATIONS} operations at a time. Complete one or open another socket.",
            extensions={"code": "TOO_MANY_OPERATIONS"},
        )
        await self.send_message({"id": message["id"], "type": "error", "payload": [error.formatted]})

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """Strawberry would close the socket, and with it all other operations, for a syntax error."""
        return None


def is_message(message: object) -> bool:
    """Whether a client may send this: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""
    match message:
        case {"type": "connection_init" | "ping" | "pong", **rest}:
            return isinstance(rest.get("payload"), dict | None)
        case {"type": "complete", "id": str()}:
            return True
        case {"type": "subscribe", "id": str(), "payload": {"query": str(query)} as payload}:
            variables, name = payload.get("variables"), payload.get("operationName")
            return bool(query) and isinstance(variables, dict | None) and isinstance(name, str | None)
    return False
