"""The application: routes, lifespan, wiring. Nothing else."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from auth.openid import Provider
from models.background import background
from models.database import Database
from pubsub.buckets import Buckets
from pubsub.bus import RedisBus
from pubsub.hub import Hub
from pubsub.log import keep_log_short
from pubsub.shared_buckets import SharedBuckets
from pubsub.shared_texts import OwnTexts, SharedTexts, Texts
from resolvers.inventory import redis_channel
from resolvers.rate_limits import RateLimits
from schema import schema
from schema.context import Context
from schema.errors import MASKED, masked_extensions
from schema.limits import Limits
from schema.limits.extension import is_valid
from settings import Settings
from transport.browsers import EVERYWHERE, NO_PAGE, REQUEST_ID, Marked, Origins
from transport.health import live, ready
from transport.http import GraphQLEndpoint
from transport.kept_answers import KeptAnswers
from transport.pages import GroundMap, page_routes
from transport.persisted import PersistedDocuments, read_manifests
from transport.refusal import Refusal
from transport.streams.delivery import Delivery, host_of

logger = logging.getLogger(__name__)

BUILT_FRONT_END = Path(__file__).parent / "web" / "dist"

PERSISTED_DOCUMENTS = 1_000
"""Kept of those that clients have made known by themselves; each has 10,000 characters at most."""


class State(TypedDict):
    """What the lifespan opens, as `request.state`."""

    database: Database
    hub: Hub
    delivery: Delivery
    documents: PersistedDocuments
    rate_limits: RateLimits
    provider: Provider | None
    kept_answers: KeptAnswers
    on_drain: Callable[[], None]
    on_refusal: Callable[[Refusal], None]


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    limits = limits_of(settings)
    own_manifest = BUILT_FRONT_END / "persisted-documents.json"
    trusted = read_manifests([*settings.trusted_documents, *([own_manifest] if own_manifest.is_file() else [])])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            database = Database(settings.database_url, settings.statement_timeout_s)
            stack.push_async_callback(database.close)
            bus, buckets = None, Buckets()
            texts: Texts = OwnTexts(PERSISTED_DOCUMENTS)
            if settings.redis_url is not None:
                channel = await redis_channel(database)
                bus, buckets = RedisBus(settings.redis_url, channel), SharedBuckets(settings.redis_url, channel)
                texts = shared_texts = SharedTexts(settings.redis_url, channel, PERSISTED_DOCUMENTS)
                stack.push_async_callback(bus.close)
                stack.push_async_callback(buckets.close)
                stack.push_async_callback(shared_texts.close)
                await stack.enter_async_context(background(buckets.settle_for_ever()))
            if settings.event_retention_days:
                await stack.enter_async_context(background(keep_log_short(database, settings.event_retention_days)))
            hub = await stack.enter_async_context(Hub(database, bus).running())
            delivery = Delivery(
                schema,
                database,
                hub,
                public_read=settings.public_read,
                max_sockets={"process": settings.max_sockets, "address": settings.max_sockets_per_address},
                max_subscriptions={
                    "process": settings.max_subscriptions,
                    "address": settings.max_subscriptions_per_address,
                    "user": settings.max_subscriptions_per_user,
                },
            )
            await stack.enter_async_context(delivery.running())
            provider = None
            if config := settings.open_id:
                provider = await stack.enter_async_context(Provider.running(config))
            rate_limits = RateLimits(
                buckets,
                per_address=settings.rate_limit_per_address,
                per_user=settings.rate_limit_per_user,
                per_token=settings.rate_limit_per_token,
            )
            documents = PersistedDocuments(
                texts,
                lambda text: is_valid(text, schema._schema, limits),
                trusted,
                only_trusted=settings.trusted_documents_only,
            )
            yield {
                "database": database,
                "hub": hub,
                "delivery": delivery,
                "documents": documents,
                "rate_limits": rate_limits,
                "provider": provider,
                "kept_answers": KeptAnswers(settings.kept_answers_mb * 2**20),
                "on_drain": delivery.drain,
                "on_refusal": lambda refusal: delivery.metrics.told([{"extensions": refusal.extensions}]),
            }

    session_life = timedelta(hours=settings.session_hours)

    async def make_context(request: Request | WebSocket) -> Context:
        state = request.scope["state"]
        return Context(
            database=state["database"],
            hub=state["hub"],
            public_read=settings.public_read,
            max_page_size=settings.max_page_size,
            authorization=request.headers.get("authorization"),
            request_id=state["request_id"],
            health=state["delivery"].health,
            address=host_of(request),
            is_one_request=isinstance(request, Request),
            rate_limits=state["rate_limits"],
            provider=state["provider"],
            session_life=session_life,
            limits=limits,
            compile_selections=settings.compile_selections,
        )

    endpoint = GraphQLEndpoint(
        schema,
        make_context,
        allowed_origins=settings.allowed_origins,
        max_request_bytes=settings.max_request_bytes,
        timeout_s=settings.request_timeout_s,
    )
    ground = GroundMap(settings.map_tiles, settings.map_attribution)
    app = Starlette(
        routes=[
            *(Route(path, endpoint) for path in ("/graphql", "/graphql/", "/graphql/stream")),
            *(WebSocketRoute(path, endpoint) for path in ("/graphql", "/graphql/")),
            *([Route("/schema.graphql", show_schema)] if settings.introspection else []),
            Route("/livez", live),
            Route("/readyz", ready),
            Route("/metrics", show_metrics),
            *page_routes(BUILT_FRONT_END, ground, settings.oidc_issuer),
        ],
        middleware=[Middleware(Marked), Middleware(Origins, settings.allowed_origins)],
        exception_handlers={HTTPException: show_http_error, Exception: show_fault},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # to wherever the header Host says
    return app


def limits_of(settings: Settings) -> Limits:
    return Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        aliases=settings.max_aliases,
        directives=settings.max_directives,
        root_fields=settings.max_root_fields,
        cost=settings.max_cost,
        list_length=settings.max_list_length,
        vertices=settings.max_vertices,
        introspection=settings.introspection,
    )


async def show_schema(request: Request) -> Response:
    return PlainTextResponse(schema.as_str(), media_type="application/graphql")


async def show_metrics(request: Request) -> Response:
    return Response(request.state.delivery.report(), media_type=CONTENT_TYPE_LATEST)


async def show_http_error(request: Request, error: Exception) -> Response:
    """JSON for every path: programs read it."""
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    answer = {"errors": [{"message": error.detail, "extensions": {"code": code}}]}
    return JSONResponse(answer, error.status_code, error.headers)


async def show_fault(request: Request, error: Exception) -> Response:
    """Logged and masked, as CodedErrors does within GraphQL."""
    request_id = request.state.request_id
    logger.error("unexpected error, request %s", request_id, exc_info=error)
    fault = {"message": MASKED, "extensions": masked_extensions(request_id)}
    return JSONResponse({"errors": [fault]}, 500, EVERYWHERE | NO_PAGE | {REQUEST_ID: request_id})
