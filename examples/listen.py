"""Prints each dam that is added, for ever. Reconnects by itself, and resumes where it was: nothing is missed.

[DAMS_TOKEN=dams_...] python examples/listen.py [ws://127.0.0.1:8000/graphql]
"""

import asyncio
import json
import os
import sys
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

URL = sys.argv[1] if len(sys.argv) > 1 else f"ws://127.0.0.1:{os.environ.get('DAMS_PORT', 8000)}/graphql"
HELLO = {"Authorization": f"Bearer {os.environ['DAMS_TOKEN']}"} if "DAMS_TOKEN" in os.environ else {}
NOW = "{ inventory { eventCursor } }"
DAM_ADDED = "subscription ($after: String) { damAdded(after: $after) { cursor name river owner } }"
PASSING = ("SLOW_CONSUMER", "SERVER_DRAINING", "_UNAVAILABLE", "_ERROR", "TOO_MANY_SUBSCRIPTIONS", "RATE_LIMITED")


async def send(socket: ClientConnection, **message: Any) -> None:
    """https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""
    await socket.send(json.dumps(message))


async def ask(socket: ClientConnection, query: str, **variables: Any) -> None:
    await send(socket, id=query, type="subscribe", payload={"query": query, "variables": variables})


async def main() -> str | None:
    """Ends with the reason why it is of no use to come again."""
    cursor = None
    async for socket in connect(URL, subprotocols=["graphql-transport-ws"]):  # again and again, less often with time
        try:
            await send(socket, type="connection_init", payload=HELLO)
            await ask(socket, DAM_ADDED, after=cursor) if cursor else await ask(socket, NOW)
            async for text in socket:
                match json.loads(text):
                    case {"type": "error", "payload": errors} | {"payload": {"errors": errors}}:
                        if not errors[0]["extensions"]["code"].endswith(PASSING):
                            return str(errors[0]["message"])
                        break
                    case {"payload": {"data": {"inventory": inventory}}}:
                        cursor = inventory["eventCursor"]
                        await ask(socket, DAM_ADDED, after=cursor)
                        print("listening", flush=True)
                    case {"payload": {"data": {"damAdded": dam}}}:
                        cursor = dam["cursor"]
                        print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
                    case {"type": "complete", "id": query} if query == DAM_ADDED:
                        break
                    case {"type": "ping"}:
                        await send(socket, type="pong")
        except ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code == 4403:
                return "DAMS_TOKEN is not valid."
        print("reconnecting", flush=True)
        await asyncio.sleep(1)
    return None


sys.exit(asyncio.run(main()))
