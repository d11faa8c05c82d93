"""uvicorn's connections for many open streams: sockets that can be written to directly, and an end that is no cut.

What is no request, or the head of one that is too long or too slow, is answered here, as no application hears of it.
"""

import logging
import random

CONNECTION = "dams.connection"
"""Key of the connection among the extensions of an ASGI scope."""

ON_DRAIN = "on_drain"
"""Key, in the state of the lifespan, of what is called when the process is told to end."""

ON_REFUSAL = "on_refusal"
"""Key, in the same state, of what is called with each refusal that no application hears of."""

OF_STRANGERS = {
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "Invalid UTF-8 sequence received from client.",
}
"""What uvicorn would write into the log as often as anybody likes. Refusals are counted instead."""

LOGGER = logging.getLogger(__name__)
"""In the place of uvicorn's, for its connections."""
LOGGER.setLevel(logging.WARNING)  # three lines for each socket would be an access log
LOGGER.addFilter(lambda record: record.msg not in OF_STRANGERS)

CLOSE_S = 3.0
"""How long a client has to read on and to answer a close. uvicorn would wait for ever for one that does not read."""

DRAIN_S = 3.0
"""Over which many streams are ended, so that their clients do not come again all at once."""

PER_STREAM_S = 0.002
"""Fewer streams take less time."""


def drain_delay(streams: int) -> float:
    """Seconds, at random, that one of so many streams goes on when the process is told to end."""
    return random.uniform(0, min(DRAIN_S, streams * PER_STREAM_S))  # noqa: S311  # no secret
