"""Signing in with a password, a few times at most."""

import logging
from datetime import timedelta

from pyrate_limiter import Duration, Rate

from auth import passwords
from models.database import Database
from models.errors import Refused
from pubsub.buckets import Buckets
from resolvers.rate_limits import network_of

logger = logging.getLogger(__name__)

TRIES_PER_ADDRESS = Rate(30, 5 * Duration.MINUTE)
"""Failed ones. An office shares one address."""

TRIES_PER_NAME = Rate(100, Duration.HOUR)
"""From everywhere. Whoever uses them up for another keeps that user from signing in, but not the user's tokens."""


async def sign_in(
    database: Database, tries: Buckets, address: str, name: str, password: str, life: timedelta
) -> passwords.Session:
    """Raises Refused with `WRONG_CREDENTIALS` or `TOO_MANY_TRIES`."""
    limits = {f"sign-in:address:{network_of(address)}": TRIES_PER_ADDRESS, f"sign-in:name:{name[:200]}": TRIES_PER_NAME}
    for key, rate in limits.items():
        if wait_s := tries.charge(key, rate, 1):
            raise Refused("TOO_MANY_TRIES", None, f"Too many failed sign-ins. Try again in {wait_s:,} s.")
    try:
        session = await passwords.sign_in(database, name, password, life)
    except Refused:
        logger.warning("failed sign-in as %r from %r", name[:200], address)  # quoted, whatever is in them
        raise
    for key, rate in limits.items():
        tries.charge(key, rate, -1)
    return session
