"""Prints each dam that is added, for ever. Reconnects by itself, and resumes where it was: nothing is missed.

python examples/listen.py [ws://127.0.0.1:8000/graphql]
"""

import asyncio
import json
import os
import sys
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

URL = sys.argv[1] if len(sys.argv) > 1 else f"ws://127.0.0.1:{os.environ.get('DAMS_PORT', 8000)}/graphql"
NOW = "{ inventory { eventCursor } }"
DAM_ADDED = "subscription ($after: String) { damAdded(after: $after) { cursor name river owner } }"


async def ask(socket: ClientConnection, query: str, **variables: Any) -> None:
    """https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""
    await socket.send(
        json.dumps({"id": query, "type": "subscribe", "payload": {"query": query, "variables": variables}})
    )


async def main() -> None:
    cursor = None
    async for socket in connect(URL, subprotocols=["graphql-transport-ws"]):  # again and again, less often with time
        try:
            await socket.send('{"type": "connection_init"}')
            await ask(socket, DAM_ADDED, after=cursor) if cursor else await ask(socket, NOW)
            async for text in socket:
                match json.loads(text):
                    case {"payload": {"data": {"inventory": inventory}}}:
                        cursor = inventory["eventCursor"]
                        await ask(socket, DAM_ADDED, after=cursor)
                        print("listening", flush=True)
                    case {"payload": {"data": {"damAdded": dam}}}:
                        cursor = dam["cursor"]
                        print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
                    case {"type": "ping"}:
                        await socket.send('{"type": "pong"}')
                    case {"type": "error", "payload": errors}:
                        sys.exit(errors[0]["message"])
        except ConnectionClosed:
            pass
        print("reconnecting", flush=True)


asyncio.run(main())
