"""How processes wake each other: Redis pub/sub, one subscription a process, held from start-up.

A message carries the number of the last event and no data: what happened is read from the log. So a message
that is lost, doubled or forged costs a moment, never truth. Without Redis there is one process, and its hub
wakes itself.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

logger = logging.getLogger(__name__)

PING_INTERVAL_S = 2.0
"""Silence after which the connection is asked for a sign of life. A frozen Redis raises nothing by itself."""

RETRY_S = 0.5
"""Pause before a lost Redis is tried again."""


class RedisBus:
    """`connected` tells whether messages are known to arrive; None until the first answer."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis = Redis.from_url(
            url,
            # A command that Redis does not answer is given up after this long; the poll of the hub covers for it.
            socket_timeout=PING_INTERVAL_S,
            socket_connect_timeout=PING_INTERVAL_S,
            # A cut connection is made again at once. By default redis-py would wait for seconds and tell nobody.
            retry=Retry(NoBackoff(), 1),
        )
        self._channel = channel
        self.connected: bool | None = None

    async def publish(self, sequence: int) -> None:
        """Never raises: the others poll."""
        try:
            await self._redis.publish(self._channel, sequence)
        except Exception as error:
            if self.connected:
                logger.warning("could not tell the other processes of event %s: %s", sequence, error)

    async def signals(self) -> AsyncIterator[None]:
        """One item whenever there may be news, for ever: at each message, and at each (new) subscription.

        redis-py connects and subscribes again without an exception, and what was published meanwhile is lost;
        the only trace is another `subscribe` message. It counts as news.
        """
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    async with aclosing(self._arrivals(subscription)) as arrivals:
                        async for _ in arrivals:
                            self.connected = True
                            yield
            except Exception as error:
                if self.connected is not False:
                    logger.warning("Redis cannot be reached, polling the log until it is back: %s", error)
                self.connected = False
            await asyncio.sleep(RETRY_S)

    async def _arrivals(self, subscription: PubSub) -> AsyncGenerator[None]:
        """Raises TimeoutError where a ping stays without an answer."""
        asked = False
        while True:
            message = await subscription.get_message(timeout=PING_INTERVAL_S)
            if message is not None:
                asked = False
                if message["type"] != "pong":
                    yield
            elif asked:
                raise TimeoutError("Redis does not answer")
            else:
                asked = True
                await subscription.ping()

    async def close(self) -> None:
        await self._redis.aclose()
