"""How processes wake each other: Redis pub/sub, one subscription a process, held from start-up.

A message carries the number of the last event and no data: what happened is read from the log. So a message
that is lost, doubled or forged costs a moment, never truth. Without Redis there is one process, and its hub
wakes itself.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from redis.asyncio.client import PubSub

from pubsub.redis_url import connect

logger = logging.getLogger(__name__)

PING_INTERVAL_S = 2.0
"""Silence after which the connection is asked for a sign of life. A frozen Redis raises nothing by itself.

A command that Redis does not answer is given up after as long; the poll of the hub covers for it.
"""

RETRY_S = 0.5
"""Pause before a lost Redis is tried again."""


class RedisBus:
    """`connected` tells whether messages are known to arrive; None until the first answer."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis = connect(url, PING_INTERVAL_S)
        self._channel = channel
        self.connected: bool | None = None

    async def publish(self, sequence: int) -> None:
        """Never raises: the others poll."""
        try:
            await self._redis.publish(self._channel, sequence)
        except Exception as error:
            if self.connected:
                logger.warning("could not tell the other processes of event %s: %s", sequence, error)
        heed_cancellation()

    async def signals(self) -> AsyncGenerator[int | None]:
        """One item whenever there may be news, for ever: the number of an event that a message tells of, or None.

        None comes at each (new) subscription. redis-py connects and subscribes again without an exception, and what
        was published meanwhile is lost; the only trace is another `subscribe` message. It counts as news.
        """
        while True:
            heed_cancellation()
            try:
                async with (
                    self._redis.subscribed(self._channel) as subscription,
                    aclosing(self._arrivals(subscription)) as arrivals,
                ):
                    async for sequence in arrivals:
                        if self.connected is False:
                            logger.warning("Redis is back")
                        self.connected = True
                        yield sequence
            except Exception as error:
                if self.connected is not False:
                    logger.warning("Redis cannot be reached, polling the log until it is back: %s", error)
                self.connected = False
            await asyncio.sleep(RETRY_S)

    async def _arrivals(self, subscription: PubSub) -> AsyncGenerator[int | None]:
        """Raises TimeoutError where a ping has no answer, ConnectionError where a cluster moves the channel."""
        asked = False
        while True:
            heed_cancellation()
            message = await subscription.get_message(timeout=PING_INTERVAL_S)
            if message is not None:
                asked = False
                if message["type"] == "sunsubscribe":
                    raise ConnectionError("the channel has moved to another node of the cluster")
                if message["type"] != "pong":
                    yield announced(message)
            elif asked:
                raise TimeoutError("Redis does not answer")
            else:
                asked = True
                await subscription.ping()

    async def close(self) -> None:
        await self._redis.close()


def heed_cancellation() -> None:
    """Raises CancelledError in a task that was cancelled.

    redis-py sends with `asyncio.wait_for`, which in Python 3.11 forgets a cancellation that comes just when the sending
    is done (mended in 3.12). The task would go on, and a server that waits for its end would never stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def announced(message: dict[str, Any]) -> int | None:
    """The number in the message; None where it holds none, whoever has sent it."""
    try:
        return int(message["data"]) if message["type"] in PubSub.PUBLISH_MESSAGE_TYPES else None
    except ValueError:
        return None
