"""Prints each dam that is added, for ever, over Server-Sent Events. Reconnects, and resumes: nothing is missed.

pip install httpx httpx-sse
[DAMS_TOKEN=dams_...] python examples/follow_sse.py [http://127.0.0.1:8000/graphql]
"""

import os
import random
import re
import sys
import time

import httpx
from httpx_sse import connect_sse

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/graphql"
HEADERS = {"Authorization": f"Bearer {os.environ['DAMS_TOKEN']}"} if "DAMS_TOKEN" in os.environ else {}
DAM_ADDED = {"query": "subscription { damAdded { name river owner } }"}
PASSING = "SLOW_CONSUMER|SERVER_DRAINING|DATABASE_UNAVAILABLE|INTERNAL_SERVER_ERROR|TOO_MANY_SUBSCRIPTIONS|RATE_LIMITED"

client = httpx.Client(headers=HEADERS, timeout=httpx.Timeout(10, read=60))  # the server is never silent for so long
pause = 1
while True:
    try:
        with connect_sse(client, "POST", URL, json=DAM_ADDED) as stream:
            if stream.response.status_code in (400, 401, 403):
                stream.response.read()
                sys.exit(stream.response.json()["errors"][0]["message"])
            stream.response.raise_for_status()
            for event in stream.iter_sse():
                if event.id:  # an answer that says only what is wrong has none
                    if "Last-Event-ID" not in client.headers:
                        print("listening", flush=True)
                    client.headers["Last-Event-ID"] = event.id
                match event.json() if event.event == "next" else None:
                    case {"errors": [problem, *_]} if not re.fullmatch(PASSING, problem["extensions"]["code"]):
                        sys.exit(problem["message"])
                    case {"data": {"damAdded": dam}}:
                        print(f"{dam['name']} on {dam['river']}, by {dam['owner']}", flush=True)
                        pause = 1
    except httpx.HTTPError as error:
        print(error, flush=True)
    print("reconnecting", flush=True)
    time.sleep(pause * random.uniform(0.5, 1))
    pause = min(2 * pause, 30)
