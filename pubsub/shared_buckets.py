"""Token buckets that the processes share through Redis, at no cost to a request.

Each process decides by its own buckets, at once. What was taken is settled with Redis some times a second, in one
command for all buckets that were touched, and the answer says what the others took meanwhile. So together they give
at most what is asked for within `SETTLE_S` too much. While Redis is away each process counts for itself.
"""

import asyncio
import logging
from collections import defaultdict

from pyrate_limiter import Rate

from pubsub.buckets import Buckets, now_ms
from pubsub.bus import heed_cancellation
from pubsub.redis_url import connect

logger = logging.getLogger(__name__)

SETTLE_S = 0.1
TIMEOUT_S = 2.0

# By key, when the bucket is full again, in milliseconds; the arguments are those that it is emptied by.
SETTLE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local waits = {}
for place, key in ipairs(KEYS) do
  local full_at = math.max(tonumber(redis.call('GET', key) or 0), now) + ARGV[place]
  local wait = math.ceil(full_at - now)
  if wait > 0 then redis.call('SET', key, string.format('%.0f', full_at), 'PX', wait) else redis.call('DEL', key) end
  waits[place] = wait
end
return waits
"""


class SharedBuckets(Buckets):
    def __init__(self, url: str, channel: str) -> None:
        """`channel` is that of the inventory: `dams:<uuid>`."""
        super().__init__()
        self._redis = connect(url, TIMEOUT_S)
        name, _, inventory = channel.partition(":")
        self._prefix = f"{name}:{{{inventory}}}:taken:"  # in braces: on one node of a cluster
        self._unsettled: defaultdict[str, float] = defaultdict(float)
        """Milliseconds, in which what was taken is filled again."""
        self._is_away = False

    def charge(self, key: str, rate: Rate, cost: int) -> int:
        wait_s = super().charge(key, rate, cost)
        if not wait_s:
            self._unsettled[key] += cost * rate.interval / rate.limit
        return wait_s

    async def settle_for_ever(self) -> None:
        while True:
            heed_cancellation()
            await asyncio.sleep(SETTLE_S)
            if self._unsettled:
                await self.settle()

    async def settle(self) -> None:
        """Never raises: without Redis each process counts for itself."""
        taken, self._unsettled = self._unsettled, defaultdict(float)
        keys = [self._prefix + key for key in taken]
        try:
            waits_ms = await self._redis.evaluate(SETTLE, keys, list(taken.values()))
        except Exception as error:
            if not self._is_away:
                logger.warning("each process counts for itself what it is asked for, until Redis is back: %s", error)
            self._is_away = True
            return
        self._is_away = False
        now = now_ms()
        for key, wait_ms in zip(taken, waits_ms, strict=True):
            self._full_at[key] = max(self._full_at.get(key, 0), (now + wait_ms) * 1000)

    async def close(self) -> None:
        await self._redis.close()
