"""GraphQL over HTTP: JSON in, JSON out, also when something is wrong; a subscription becomes a stream.

`application/graphql-response+json` is sent to those who accept it, with a status that tells what happened; others
get `application/json` with 200 wherever GraphQL could answer. Strawberry does the rest.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError, MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.base import BaseSchema
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UNSET

from models.errors import DatabaseUnavailable, InventoryError, Unauthenticated
from resolvers.cursors import sequence_of
from transport.event_stream import EventStream, Format, ServerSentEvents, format_of
from transport.streams.delivery import Delivery, host_of
from transport.streams.operations import Operation, subscription_of
from transport.streams.subscriber import End, Subscriber, refusal
from transport.websocket import Handler, Socket

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"

INIT_TIMEOUT = timedelta(seconds=10)
"""What a socket has to send `connection_init`; until then nobody knows whose it is."""

STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "TOO_MANY_SUBSCRIPTIONS": 429,
    "DATABASE_UNAVAILABLE": 503,
    "SERVER_DRAINING": 503,
    "INTERNAL_SERVER_ERROR": 500,
}
"""By code, of an answer that holds nothing but errors."""

RETRY_AFTER_S = "5"
"""For who is refused now and may be welcome in a moment."""

REFUSED = {
    400: "BAD_REQUEST",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    415: "UNSUPPORTED_MEDIA_TYPE",
}
"""Codes of requests in which no GraphQL could be found."""

BY_METHOD = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
ELSEWHERE = {
    OperationType.MUTATION: (405, "Send mutations by POST."),  # GraphQL over HTTP, section 6.2.1
    OperationType.SUBSCRIPTION: (
        400,
        "Subscribe over a WebSocket with the subprotocol graphql-transport-ws, or accept text/event-stream"
        " or multipart/mixed;subscriptionSpec=1.0.",
    ),
}
"""Status and reason for operations that came by a way on which they cannot be done."""

MakeContext = Callable[[Request | WebSocket], Awaitable[Any]]


class GraphQLEndpoint(GraphQL[Any, None]):
    """`make_context` gives each request and each socket its context."""

    websocket_adapter_class = Socket
    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: BaseSchema, make_context: MakeContext, allowed_origins: tuple[str, ...]) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=None,  # the handler's own limit has a code
            allowed_origins=allowed_origins,
        )
        self._make_context = make_context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            with ExitStack() as stack:
                if (form := format_of(request)) and (stream := await self._stream(request, form, stack)):
                    await stream(scope, receive, send)
                    return
            response: Response = await self.run(request)
            if isinstance(form, ServerSentEvents) and response.status_code == 200 and not accepts_json(request):
                response = Response(form.single(bytes(response.body)), headers=dict(form.headers))
        except ClientDisconnect:
            return
        except HTTPException as error:
            response = _refusal(request.method, error.status_code, error.reason)
        except InventoryError as error:
            response = _no_stream(error)
        if accepts_graphql_json(request):
            response.headers["content-type"] = f"{GRAPHQL_JSON}; charset=utf-8"
            response.status_code = getattr(request.state, "status", response.status_code)
        await response(scope, receive, send)

    async def _stream(self, request: Request, form: Format, stack: ExitStack) -> ASGIApp | None:
        """None where the request is no subscription and can be answered as any other.

        Raises HTTPException, and what the viewer and Delivery.admitted raise: nothing has been sent yet.
        """
        adapter = self.request_adapter_class(request)
        if not self.is_request_allowed(adapter):
            return None
        if not self._check_websocket_origin(request):  # type: ignore[arg-type]  # it reads nothing but headers
            raise HTTPException(
                403, "Pages of this origin may not subscribe. DAMS_ALLOWED_ORIGINS names those that may."
            )
        data = await self.parse_http_body(adapter)
        assert isinstance(data, GraphQLRequestData)
        if not isinstance(data.operation_name, str | None):
            raise HTTPException(400, "operationName must be a string.")
        operation = Operation(data.query or "", data.variables or {}, data.operation_name)
        subscription = subscription_of(operation.query, operation.name)
        if subscription is None:
            return None
        delivery: Delivery = request.state.delivery
        position = delivery.hub.position
        context = await self._make_context(request)
        last_id = request.headers.get("last-event-id")
        after = sequence_of(last_id) if last_id else None
        viewer = await context.viewer()
        stack.enter_context(delivery.admitted(viewer, host_of(request)))

        async def follow(subscriber: Subscriber) -> End:
            with delivery.watching(context, viewer, lambda error: subscriber.finish(refusal(error))):
                return await delivery.follow(subscriber, operation, subscription, context, viewer, after)

        return EventStream(form, position, follow)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        return await self._make_context(request)

    async def on_ws_connect(self, context: Any) -> Any:
        """Takes the token of `connection_init`; a token that is not valid closes the socket with 4403."""
        authorization = context.connection_params.get("Authorization") or context.connection_params.get("authorization")
        if authorization is not None:
            context.authorization = str(authorization)
        try:
            context.connected_as = await context.viewer()
        except Unauthenticated as error:
            raise ConnectionRejectionError from error
        except DatabaseUnavailable:
            pass  # each operation looks the token up again
        return UNSET

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Any,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Strawberry would take a subscription here, and then not know what to do with it."""
        allowed = BY_METHOD[request.method]
        if format_of(request):  # one that could be run became a stream; why this one cannot, its validation tells
            allowed = {*allowed, OperationType.SUBSCRIPTION}
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=allowed,
            )
        except InvalidOperationTypeError as error:
            raise HTTPException(*ELSEWHERE[error.operation_type]) from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except MissingQueryError as error:
            raise HTTPException(400, "There is no query in this request.") from error

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        answer = await super().process_result(request, result)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            del answer["data"]  # nothing was executed: GraphQL specification, section 7.1
        request.state.status = status_of(answer)
        return answer

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        return False

    def parse_json(self, data: str | bytes) -> Any:
        try:
            parsed = super().parse_json(data)
        except orjson.JSONDecodeError as error:
            raise HTTPException(400, "Unable to parse request body as JSON") from error
        if not isinstance(parsed, dict):
            raise HTTPException(400, "Send a JSON object; batches are not taken.")
        return parsed

    def decode_json(self, data: str | bytes) -> object:
        # orjson takes no NaN, no Infinity and no lone surrogates, and bounds the depth.
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        # Text, as bytes would become binary frames on a WebSocket.
        return orjson.dumps(data).decode()


def _refusal(method: str, status: int, reason: str) -> Response:
    if reason == "Unsupported content type":
        status, reason = 415, "Send the request as application/json."
    error = {"message": reason, "extensions": {"code": REFUSED.get(status, "BAD_REQUEST")}}
    allow = {"allow": "POST" if method == "GET" else "GET, POST"} if status == 405 else None
    return Response(orjson.dumps({"errors": [error]}), status, allow, f"{JSON}; charset=utf-8")


def _no_stream(error: InventoryError) -> Response:
    answer = {"errors": [{"message": str(error), "extensions": error.extensions}]}
    status = STATUS.get(error.code, 400)
    retry = {"retry-after": RETRY_AFTER_S} if status in (429, 503) else None
    return Response(orjson.dumps(answer), status, retry, f"{JSON}; charset=utf-8")


def accepts_json(request: Request) -> bool:
    return "json" in request.headers.get("accept", "")


def accepts_graphql_json(request: Request) -> bool:
    return GRAPHQL_JSON in request.headers.get("accept", "")


def status_of(answer: Mapping[str, Any]) -> int:
    """GraphQL over HTTP, section 6.4.2: 200 where there is data, also partial data."""
    if answer.get("data") is not None or not answer.get("errors"):
        return 200
    codes = {error.get("extensions", {}).get("code") for error in answer["errors"]}
    if known := [STATUS[code] for code in codes & STATUS.keys()]:
        return max(known)
    return 400 if "data" not in answer else 200
