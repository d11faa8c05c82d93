"""Token buckets: how much somebody may still take.

A bucket holds `limit` and fills evenly within `period_s`. One number is all its state: when it will be full again
(the generic cell rate algorithm). Buckets that are full are forgotten.
"""

import math
import time
from dataclasses import dataclass

SWEEP_S = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    limit: int
    period_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Level:
    remaining: int
    full_in_s: float


class Buckets:
    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}
        self._swept_at = 0.0

    def charge(self, key: str, rate: Rate, cost: float) -> int:
        """0 where it was taken; otherwise nothing was, and in so many seconds it could be.

        What costs more than a bucket holds is taken from a full one. A negative cost gives back.
        """
        now = time.monotonic()
        full_at = max(self._full_at.get(key, now), now)
        filled_at = full_at + cost * rate.period_s / rate.limit
        wait_s = filled_at - now - rate.period_s
        if wait_s > 0 and full_at > now:
            return math.ceil(min(wait_s, full_at - now))
        self._full_at[key] = filled_at
        if now - self._swept_at > SWEEP_S:
            self._sweep(now)
        return 0

    def level(self, key: str, rate: Rate) -> Level:
        full_in_s = max(0.0, self._full_at.get(key, 0.0) - time.monotonic())
        return Level(max(0, rate.limit - math.ceil(full_in_s * rate.limit / rate.period_s)), full_in_s)

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
