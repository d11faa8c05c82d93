"""GraphQL over HTTP: JSON in, JSON out, also when something is wrong; a subscription becomes a stream.

How a request is read is in `requests.py`, what is sent in `negotiation.py` and `answers.py`; Strawberry executes, and
opens the WebSockets.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema.base import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET

from models.errors import DatabaseUnavailable, InventoryError, ProviderUnavailable, Unauthenticated
from resolvers.cursors import sequence_of
from schema.context import Context
from schema.errors import UNRESOLVED
from transport import answers
from transport.connections import CONNECTION
from transport.deadline import RequestDeadline
from transport.event_stream import EventStream, ServerSentEvents
from transport.kept_answers import KeptAnswers
from transport.negotiation import ANY_CLIENT, Accepted, negotiated
from transport.persisted import PersistedDocuments
from transport.refusal import Refusal
from transport.requests import GraphQLRequest, read_request
from transport.streams.delivery import Delivery, host_of
from transport.streams.operations import Operation, Subscription, subscription_of
from transport.streams.subscriber import End, Subscriber, refusal
from transport.websocket import Handler, Socket

logger = logging.getLogger(__name__)
logging.getLogger("strawberry.ws").setLevel(logging.ERROR)  # it warns of each strange page, which are counted

INIT_TIMEOUT = timedelta(seconds=10)
"""What a socket has to send `connection_init`; until then nobody knows whose it is."""

BY_METHOD = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
ELSEWHERE: dict[OperationType, tuple[int, str, dict[str, str]]] = {
    OperationType.MUTATION: (405, "Send mutations by POST.", {"allow": "POST"}),
    OperationType.SUBSCRIPTION: (
        400,
        "Subscribe over a WebSocket with the subprotocol graphql-transport-ws, or accept text/event-stream"
        " or multipart/mixed;subscriptionSpec=1.0.",
        {},
    ),
}
"""What is said to operations that came by a way on which they cannot be done."""

MakeContext = Callable[[Request | WebSocket], Awaitable[Any]]


class GraphQLEndpoint(GraphQL[Any, None]):
    """`make_context` gives each request and each socket its context."""

    websocket_adapter_class = Socket
    graphql_transport_ws_handler_class = Handler

    def __init__(
        self,
        schema: BaseSchema,
        make_context: MakeContext,
        *,
        allowed_origins: tuple[str, ...],
        max_request_bytes: int,
        timeout_s: float,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=None,  # the handler's own limit has a code
            allowed_origins=allowed_origins,
        )
        self._make_context = make_context
        self._max_request_bytes = max_request_bytes
        self.timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        accepted = ANY_CLIENT
        with ExitStack() as stack:
            response: ASGIApp
            try:
                accepted = negotiated(request)
                asked = await read_request(request, self._max_request_bytes)
                with RequestDeadline(self.timeout_s, scope["extensions"][CONNECTION]):
                    response = await self._respond(request, asked, accepted, stack)
            except ClientDisconnect:
                return
            except (InventoryError, Refusal) as error:
                response = answers.refusal(error, accepted, request.headers.get("authorization"))
                request.state.delivery.metrics.told(answers.answer_to(error)["errors"])
            await response(scope, receive, send)

    async def _respond(self, request: Request, asked: GraphQLRequest, accepted: Accepted, stack: ExitStack) -> ASGIApp:
        """`stack` is closed when the response is over. Raises Refusal and InventoryError."""
        documents: PersistedDocuments = request.state.documents
        if (text := await documents.text_of(asked)) is not asked.query:
            asked = asked._replace(query=text)
        if not text:
            raise Refusal(400, "There is no query in this request.")
        context = await self._make_context(request)
        await context.charge(1)
        if accepted.stream is not None:
            operation = Operation(asked.query, asked.variables, asked.name)
            if subscription := subscription_of(operation.query, operation.name):
                return await self._stream(request, context, accepted, operation, subscription, stack)
        answer = partial(self._answer, request, context, accepted, asked)
        kept: KeptAnswers = request.state.kept_answers
        response = await kept.answer(request, context, accepted, asked, answer)
        if accepted.json is None and isinstance(accepted.stream, ServerSentEvents) and response.status_code == 200:
            return Response(accepted.stream.single(bytes(response.body)), headers=dict(accepted.stream.headers))
        return response

    async def _answer(self, request: Request, context: Context, accepted: Accepted, asked: GraphQLRequest) -> Response:
        """To a query or a mutation. Raises Refusal."""
        allowed = BY_METHOD[request.method]
        if accepted.stream is not None:  # one that could be run became a stream; its validation tells why this cannot
            allowed = {*allowed, OperationType.SUBSCRIPTION}
        try:
            result = await self.schema.execute(
                asked.query,
                variable_values=dict(asked.variables),
                context_value=context,
                operation_name=asked.name,
                allowed_operation_types=allowed,
            )
        except InvalidOperationTypeError as error:
            raise Refusal(*ELSEWHERE[error.operation_type]) from error
        except CannotGetOperationTypeError as error:
            answer = answers.answer_of_error(error.as_http_error_reason(), {"code": UNRESOLVED})
        else:
            answer = answers.answer_of(result)
        request.state.delivery.metrics.told(answer.get("errors", ()))
        return answers.response(answer, accepted, request.headers.get("authorization"))

    async def _stream(
        self,
        request: Request,
        context: Context,
        accepted: Accepted,
        operation: Operation,
        subscription: Subscription,
        stack: ExitStack,
    ) -> ASGIApp:
        """Raises Refusal, and what the viewer and Delivery.admitted raise: nothing has been sent yet."""
        assert accepted.stream is not None
        if not self._check_websocket_origin(request):  # type: ignore[arg-type]  # it reads nothing but headers
            raise Refusal(403, "Pages of this origin may not subscribe. DAMS_ALLOWED_ORIGINS names those that may.")
        delivery: Delivery = request.state.delivery
        position = delivery.hub.position
        last_id = request.headers.get("last-event-id")
        after = sequence_of(last_id) if last_id else None
        viewer = await context.viewer()
        stack.enter_context(delivery.admitted(operation, viewer, host_of(request)))

        async def follow(subscriber: Subscriber) -> End:
            with delivery.watching(context, viewer, lambda error: subscriber.finish(refusal(error))):
                end = await delivery.follow(subscriber, operation, subscription, context, viewer, after)
            delivery.metrics.told((end.payload or {}).get("errors", ()))
            return end

        return EventStream(accepted.stream, position, follow)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        return await self._make_context(request)

    async def on_ws_connect(self, context: Any) -> Any:
        """Takes the token of `connection_init`; a token that is not valid closes the socket with 4403."""
        parameters, context.connection_params = context.connection_params, {}  # the rest is not to be kept
        authorization = parameters.get("Authorization") or parameters.get("authorization")
        if authorization is not None:
            context.authorization = str(authorization)
        try:
            context.connected_as = await context.viewer()
        except Unauthenticated as error:
            raise ConnectionRejectionError from error
        except (DatabaseUnavailable, ProviderUnavailable):
            pass  # each operation looks the token up again
        except Exception:  # and then tells it, masked
            logger.exception("unexpected error in connection_init, request %s", context.request_id)
        return UNSET

    def decode_json(self, data: str | bytes) -> object:
        # As in requests.py.
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        # Text, as bytes would become binary frames on a WebSocket.
        return orjson.dumps(data).decode()
