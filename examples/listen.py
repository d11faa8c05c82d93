"""Prints each dam that is added, for ever. Reconnects by itself, and resumes where it was: nothing is missed.

    python examples/listen.py [ws://127.0.0.1:8000/graphql]
"""

import asyncio
import os
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

URL = sys.argv[1] if len(sys.argv) > 1 else f"ws://127.0.0.1:{os.environ.get('DAMS_PORT', 8000)}/graphql"
DAM_ADDED = gql("subscription ($after: String) { damAdded(after: $after) { cursor name river owner } }")
NOW = gql("{ inventory { eventCursor } }")


async def main() -> None:
    cursor = None
    while True:
        transport = WebsocketsTransport(URL, subprotocols=["graphql-transport-ws"], ping_interval=20, pong_timeout=10)
        try:
            async with Client(transport=transport) as session:
                cursor = cursor or (await session.execute(NOW))["inventory"]["eventCursor"]
                print("listening", flush=True)
                async for event in session.subscribe(DAM_ADDED, variable_values={"after": cursor}):
                    dam = event["damAdded"]
                    cursor = dam["cursor"]
                    print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
        except (TransportError, OSError) as error:
            print(f"reconnecting: {error}", file=sys.stderr, flush=True)
            await asyncio.sleep(1)


asyncio.run(main())
