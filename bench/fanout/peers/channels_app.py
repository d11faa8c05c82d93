"""Django Channels as Strawberry's documents show it: the stock consumer, which listens to a group of the layer."""

from collections.abc import AsyncGenerator

import channels_layers  # noqa: F401  # before anything that reads Django's settings
import strawberry
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path
from inventory import Dam, Query, dam_from
from strawberry.channels import GraphQLWSConsumer
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def dam_added(self, info: strawberry.Info) -> AsyncGenerator[Dam, None]:
        async with info.context["ws"].listen_to_channel("dam.added", groups=["dams"]) as messages:
            async for message in messages:
                yield dam_from(message["dam"])


consumer = GraphQLWSConsumer.as_asgi(
    schema=strawberry.Schema(query=Query, subscription=Subscription),
    subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
)
app = ProtocolTypeRouter({"websocket": URLRouter([re_path("^graphql$", consumer)])})
