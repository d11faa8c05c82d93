"""Token buckets: how much somebody may still take.

A bucket holds the `limit` of its rate and fills evenly within the `interval`. pyrate_limiter decides, by the generic
cell rate algorithm: one number is all the state of a bucket, when it will be full again. Full ones are forgotten.
"""

import math
import time
from dataclasses import dataclass

from pyrate_limiter import GCRA, Rate

SWEEP_MS = 10_000
ALGORITHM = GCRA()


@dataclass(frozen=True, slots=True)
class Level:
    remaining: int
    full_in_s: float


class Buckets:
    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}
        """In microseconds, as the algorithm has it, of the clock of `now_ms`."""
        self._swept_at = 0

    def charge(self, key: str, rate: Rate, cost: int) -> int:
        """0 where it was taken; otherwise nothing was, and in so many seconds it could be.

        What costs more than a bucket holds is taken from a full one. A negative cost gives back.
        """
        now = now_ms()
        if cost > rate.limit:
            rate = Rate(rate.limit, rate.interval, burst=cost)
        (full_at,), decision = ALGORITHM.step([rate], (self._full_at.get(key, 0),), now, cost)
        if decision.retry_after_ms is not None:
            return math.ceil(decision.retry_after_ms / 1000)
        self._full_at[key] = full_at
        if now - self._swept_at > SWEEP_MS:
            self._sweep(now)
        return 0

    def level(self, key: str, rate: Rate) -> Level:
        now, full_at = now_ms(), self._full_at.get(key, 0)
        taken = ALGORITHM.consumed([rate], (full_at,), now)
        return Level(max(0, rate.limit - taken), max(0.0, full_at / 1000 - now) / 1000)

    def _sweep(self, now: int) -> None:
        self._swept_at = now
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now * 1000}


def now_ms() -> int:
    return int(time.monotonic() * 1000)
