"""Prints each dam that is added, for ever, over Server-Sent Events. Reconnects, and resumes: nothing is missed.

pip install httpx httpx-sse
[DAMS_TOKEN=dams_...] python examples/follow_sse.py [http://127.0.0.1:8000/graphql]
"""

import os
import random
import sys
import time

import httpx
from httpx_sse import connect_sse

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/graphql"
HEADERS = {"Authorization": f"Bearer {os.environ['DAMS_TOKEN']}"} if "DAMS_TOKEN" in os.environ else {}
DAM_ADDED = {"query": "subscription { damAdded { name river owner } }"}
PASSING = ("SLOW_CONSUMER", "SERVER_DRAINING", "_UNAVAILABLE", "_ERROR", "TOO_MANY_SUBSCRIPTIONS", "RATE_LIMITED")

client = httpx.Client(headers=HEADERS, timeout=httpx.Timeout(10, read=60))  # the server is never silent for so long
while True:
    try:
        with connect_sse(client, "POST", URL, json=DAM_ADDED) as stream:
            if stream.response.status_code in (400, 401, 403):
                sys.exit(stream.response.read().decode())
            for event in stream.iter_sse():
                if event.id:  # an answer that says only what is wrong has none
                    client.headers["Last-Event-ID"] = event.id
                match event.event, event.data and event.json():
                    case "message", _:
                        print("listening", flush=True)
                    case "next", {"errors": [problem, *_]} if not problem["extensions"]["code"].endswith(PASSING):
                        sys.exit(problem["message"])
                    case "next", {"data": {"damAdded": dam}}:
                        print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
    except httpx.HTTPError as error:
        print(error, flush=True)
    print("reconnecting", flush=True)
    time.sleep(random.uniform(0, 5))  # not all clients of a server at once
