"""Prints each dam that is added, for ever, over WebSocket. Reconnects by itself, and resumes: nothing is missed.

pip install "gql[websockets]"
[DAMS_TOKEN=dams_...] python examples/follow_websocket.py [ws://127.0.0.1:8000/graphql]
"""

import os
import random
import sys
import time

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/graphql"
HELLO = {"Authorization": f"Bearer {os.environ['DAMS_TOKEN']}"} if "DAMS_TOKEN" in os.environ else {}
NOW = gql("{ inventory { eventCursor } }")
DAM_ADDED = gql("subscription ($after: String) { damAdded(after: $after) { cursor name river owner } }")
PASSING = ("SLOW_CONSUMER", "SERVER_DRAINING", "_UNAVAILABLE", "_ERROR", "TOO_MANY_SUBSCRIPTIONS", "RATE_LIMITED")

client = Client(transport=WebsocketsTransport(URL, init_payload=HELLO, ping_interval=10))
cursor = None
while True:
    try:
        cursor = cursor or client.execute(NOW)["inventory"]["eventCursor"]
        print("listening", flush=True)
        for result in client.subscribe(GraphQLRequest(DAM_ADDED, variable_values={"after": cursor})):
            dam = result["damAdded"]
            cursor = dam["cursor"]
            print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
    except TransportQueryError as error:
        if not error.errors[0]["extensions"]["code"].endswith(PASSING):
            sys.exit(error.errors[0]["message"])
    except (TransportError, TimeoutError) as error:
        if getattr(getattr(error.__cause__, "rcvd", None), "code", None) == 4403:
            sys.exit("DAMS_TOKEN is not valid.")
    print("reconnecting", flush=True)
    time.sleep(random.uniform(0, 5))  # not all clients of a server at once
