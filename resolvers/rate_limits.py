"""How much everybody may ask for within a minute: each token and each user, and each address without one."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

from pyrate_limiter import Duration, Rate

from auth.viewer import Viewer
from models.errors import RateLimited
from pubsub.buckets import Buckets


@dataclass(frozen=True, slots=True)
class State:
    limit: int
    remaining: int
    full_in_s: float


class RateLimits:
    def __init__(self, buckets: Buckets, *, per_address: int, per_user: int, per_token: int) -> None:
        """Points a minute; 0 means no limit."""
        self.buckets = buckets
        limits = {"address": per_address, "user": per_user, "token": per_token}
        self._rates = {whose: Rate(limit, Duration.MINUTE) for whose, limit in limits.items() if limit}

    def charge(self, viewer: Viewer, address: str, cost: int) -> None:
        """Raises RateLimited."""
        for whose, key, rate in self._of(viewer, address):
            if wait_s := self.buckets.charge(key, rate, cost):
                raise RateLimited(whose, rate.limit, wait_s)

    def state(self, viewer: Viewer, address: str) -> State | None:
        """Of what is used up the most; None where nothing is limited."""
        levels = [(self.buckets.level(key, rate), rate) for _, key, rate in self._of(viewer, address)]
        if not levels:
            return None
        level, rate = min(levels, key=lambda each: each[0].remaining)
        return State(rate.limit, level.remaining, level.full_in_s)

    def _of(self, viewer: Viewer, address: str) -> Iterator[tuple[str, str, Rate]]:
        if viewer.is_authenticated:
            keys = [("user", f"{viewer.user_id}"), ("token", f"{viewer.user_id}:{viewer.token}")]
        else:
            keys = [("address", network_of(address))]
        for whose, key in keys:
            if rate := self._rates.get(whose):
                yield WHOSE[whose], f"{whose}:{key}", rate


def network_of(address: str) -> str:
    """Of IPv6 the first half, which one customer has at least; IPv4 that is written as IPv6 is IPv4."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))


WHOSE = {"address": "Your address", "user": "Your user", "token": "Your token"}
