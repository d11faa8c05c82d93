"""Strawberry as its documents show it: the stock ASGI app, one Redis subscription a process, a queue a subscriber."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import strawberry
from inventory import Dam, Query, dam_from
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

queues: set[asyncio.Queue[Dam]] = set()


async def listen() -> None:
    async with Redis.from_url(os.environ["REDIS_URL"]) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe("dams")
        async for message in pubsub.listen():
            if message["type"] == "message":
                dam = dam_from(json.loads(message["data"]))
                for queue in queues:
                    queue.put_nowait(dam)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def dam_added(self) -> AsyncGenerator[Dam, None]:
        queue: asyncio.Queue[Dam] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    listener = asyncio.create_task(listen())
    yield
    listener.cancel()


graphql = GraphQL(
    strawberry.Schema(query=Query, subscription=Subscription), subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL]
)
app = Starlette(routes=[WebSocketRoute("/graphql", graphql)], lifespan=lifespan)
