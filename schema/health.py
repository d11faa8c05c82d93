"""How delivery does, for people who look at a page."""

import strawberry


@strawberry.type(description="How the server process that answers delivers events.")
class SubscriptionHealth:
    is_live: bool = strawberry.field(
        description="Whether dams that other processes add arrive at once; otherwise they take up to a second."
    )
    event_cursor: str = strawberry.field(description="The last event that this process has seen.")
    median_lag_ms: float | None = strawberry.field(
        description="From the time of an event to its first send, the median of the latest 100 sends; null before."
    )
    open_subscriptions: int = strawberry.field(description="Subscriptions that are open.")
    groups: int = strawberry.field(description="Executions for each event: one for all subscriptions that are alike.")
