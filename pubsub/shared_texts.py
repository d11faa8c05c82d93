"""Texts that the processes share through Redis by their key: as many as there is room for, those used last."""

import logging
from collections import OrderedDict
from typing import Protocol

from pubsub.redis_url import connect

logger = logging.getLogger(__name__)

TIMEOUT_S = 1.0

# KEYS: the texts by key, and when each was used last.
FIND = """
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text then redis.call('ZADD', KEYS[2], 'XX', redis.call('TIME')[1], ARGV[1]) end
return text
"""
KEEP = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[3]
if surplus > 0 then
  local popped = redis.call('ZPOPMIN', KEYS[2], surplus)
  for place = 1, #popped, 2 do redis.call('HDEL', KEYS[1], popped[place]) end
end
"""


class Texts(Protocol):
    async def find(self, key: str) -> str | None: ...

    async def keep(self, key: str, text: str) -> None: ...


class OwnTexts:
    """Of one process."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._texts: OrderedDict[str, str] = OrderedDict()

    async def find(self, key: str) -> str | None:
        if (text := self._texts.get(key)) is not None:
            self._texts.move_to_end(key)
        return text

    async def keep(self, key: str, text: str) -> None:
        self._texts[key] = text
        self._texts.move_to_end(key)
        if len(self._texts) > self._room:
            self._texts.popitem(last=False)


class SharedTexts:
    """Those that this process has met it keeps too. Never raises: without Redis there are no others."""

    def __init__(self, url: str, channel: str, room: int) -> None:
        """`channel` is that of the inventory: `dams:<uuid>`."""
        self._redis = connect(url, TIMEOUT_S)
        name, _, inventory = channel.partition(":")
        self._keys = [f"{name}:{{{inventory}}}:{what}" for what in ("texts", "texts-used")]  # on one node of a cluster
        self._room = room
        self._own = OwnTexts(room)

    async def find(self, key: str) -> str | None:
        if (own := await self._own.find(key)) is not None:
            return own
        if (found := await self._evaluate(FIND, key)) is None:
            return None
        await self._own.keep(key, found.decode())
        return found.decode()

    async def keep(self, key: str, text: str) -> None:
        await self._own.keep(key, text)
        await self._evaluate(KEEP, key, text, self._room)

    async def _evaluate(self, script: str, *arguments: str | int) -> bytes | None:
        try:
            found: bytes | None = await self._redis.evaluate(script, self._keys, arguments)
        except Exception as error:
            logger.warning("texts of other processes are not found: %s", error)
            return None
        return found

    async def close(self) -> None:
        await self._redis.close()
