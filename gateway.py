"""The application: routes, lifespan, wiring. Nothing else."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypedDict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from models.database import Database
from pubsub.bus import RedisBus
from pubsub.hub import Hub
from resolvers.inventory import redis_channel
from schema import schema
from schema.context import Context
from settings import Settings
from transport.health import live, ready
from transport.http import GraphQLEndpoint
from transport.pages import page_routes

logger = logging.getLogger(__name__)

BUILT_FRONT_END = Path(__file__).parent / "web" / "dist"


class State(TypedDict):
    """What the lifespan opens, as `request.state`."""

    database: Database
    hub: Hub


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            database = Database(settings.database_url)
            stack.push_async_callback(database.close)
            bus = None
            if settings.redis_url is not None:
                bus = RedisBus(settings.redis_url, await redis_channel(database))
                stack.push_async_callback(bus.close)
            hub = await stack.enter_async_context(Hub(database, bus).running())
            yield {"database": database, "hub": hub}

    async def make_context(request: Request | WebSocket) -> Context:
        return Context(
            database=request.state.database,
            hub=request.state.hub,
            public_read=settings.public_read,
            max_page_size=settings.max_page_size,
            authorization=request.headers.get("authorization"),
            request_id=uuid.uuid4().hex,
        )

    endpoint = GraphQLEndpoint(schema, make_context, settings.allowed_origins)
    return Starlette(
        routes=[
            *(Route(path, endpoint) for path in ("/graphql", "/graphql/")),
            *(WebSocketRoute(path, endpoint) for path in ("/graphql", "/graphql/")),
            Route("/schema.graphql", show_schema),
            Route("/livez", live),
            Route("/readyz", ready),
            *page_routes(BUILT_FRONT_END),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type"],
            )
        ],
        exception_handlers={HTTPException: show_http_error, Exception: show_fault},
        lifespan=lifespan,
    )


async def show_schema(request: Request) -> Response:
    return PlainTextResponse(schema.as_str(), media_type="application/graphql")


async def show_http_error(request: Request, error: Exception) -> Response:
    """JSON for every path: programs read it."""
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    answer = {"errors": [{"message": error.detail, "extensions": {"code": code}}]}
    return JSONResponse(answer, error.status_code, error.headers)


async def show_fault(request: Request, error: Exception) -> Response:
    """Logged and masked, as CodedErrors does within GraphQL."""
    request_id = uuid.uuid4().hex
    logger.error("unexpected error, request %s", request_id, exc_info=error)
    message = "Something went wrong on our side. Report it with the request id."
    fault = {"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}}
    return JSONResponse({"errors": [fault]}, 500)
