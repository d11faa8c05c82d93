"""How uvicorn serves: with connections of our own."""

from typing import Any

from transport.connections import DRAIN_S
from transport.connections.http import HttpConnection
from transport.connections.websocket import Connection

UVICORN: dict[str, Any] = {
    "loop": "uvloop",
    "http": HttpConnection,
    "ws": Connection,
    # uvicorn's own ping closes a sleeping laptop with 1011, which graphql-ws never retries.
    "ws_ping_interval": None,
    # Deflate doubles the cost of a message and adds 37 KB a socket.
    "ws_per_message_deflate": False,
    "access_log": False,
    # A process that is being loaded does not answer yet. By default one that takes 5 seconds is killed, and the next.
    "timeout_worker_healthcheck": 30,
    # What is still there by then is cut.
    "timeout_graceful_shutdown": int(DRAIN_S) + 5,
}
"""How uvicorn is to be configured, besides the settings."""
