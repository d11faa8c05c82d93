"""Prints each dam that is added, for ever, over WebSocket. Reconnects by itself, and resumes: nothing is missed.

pip install "gql[websockets]"
[DAMS_TOKEN=dams_...] python examples/follow_websocket.py [ws://127.0.0.1:8000/graphql]
"""

import asyncio
import os
import random
import re
import sys

from gql import Client, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/graphql"
HELLO = {"Authorization": f"Bearer {os.environ['DAMS_TOKEN']}"} if "DAMS_TOKEN" in os.environ else {}
PROTOCOLS = ["graphql-transport-ws"]
NOW = gql("{ inventory { eventCursor } }")
DAM_ADDED = gql("subscription ($after: String) { damAdded(after: $after) { cursor name river owner } }")
PASSING = "SLOW_CONSUMER|SERVER_DRAINING|DATABASE_UNAVAILABLE|INTERNAL_SERVER_ERROR|TOO_MANY_SUBSCRIPTIONS|RATE_LIMITED"


async def main() -> None:
    cursor, pause = None, 1
    while True:
        transport = WebsocketsTransport(URL, init_payload=HELLO, subprotocols=PROTOCOLS, ping_interval=10)
        try:
            async with Client(transport=transport) as session:
                cursor = cursor or (await session.execute(NOW))["inventory"]["eventCursor"]
                print("listening", flush=True)
                DAM_ADDED.variable_values = {"after": cursor}
                async for result in session.subscribe(DAM_ADDED):
                    dam = result["damAdded"]
                    print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
                    cursor, pause = dam["cursor"], 1
        except TransportQueryError as error:
            problem = error.errors[0]
            if not re.fullmatch(PASSING, problem["extensions"]["code"]):
                sys.exit(problem["message"])
            cursor = problem["extensions"].get("cursor", cursor)
        except (TransportError, TimeoutError) as error:
            match error.__cause__:
                case ConnectionClosed(rcvd=Close(code=4403)):
                    sys.exit("DAMS_TOKEN is not valid.")
        print("reconnecting", flush=True)
        await asyncio.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, 30)


asyncio.run(main())
