"""What may still be asked for within the minute."""

from datetime import UTC, datetime, timedelta

import strawberry

from schema.context import Info


@strawberry.type(description="What may be asked for within a minute, in points; it is given back evenly.")
class RateLimit:
    limit: int = strawberry.field(description="Points that may be used at once.")
    remaining: int = strawberry.field(description="Points that are left.")
    reset_at: datetime = strawberry.field(description="When all of them are back.")


@strawberry.type
class RateLimitQuery:
    @strawberry.field(description="What who asks may still ask for; null where there is no limit.")
    async def rate_limit(self, info: Info) -> RateLimit | None:
        state = info.context.rate_limits.state(await info.context.viewer(), info.context.address)
        if state is None:
            return None
        reset_at = datetime.now(UTC) + timedelta(seconds=state.full_in_s)
        return RateLimit(limit=state.limit, remaining=state.remaining, reset_at=reset_at)
