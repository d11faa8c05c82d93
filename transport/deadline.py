"""How long a query or a mutation may take."""

from models.errors import OperationTimeout


def overdue(timeout_s: float) -> OperationTimeout:
    """What is said then. A write that is under way goes on to its end."""
    return OperationTimeout(
        f"This took longer than {timeout_s:g} s. Ask for less. An add may have been done: send it again with the same"
        " idempotencyKey."
    )
