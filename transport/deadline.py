"""How long something may take, and what ends it before: each request has some, so they are to cost little."""

import asyncio
from typing import Self

from starlette.requests import ClientDisconnect

from models.errors import OperationTimeout
from transport.connections.http import HttpConnection


class Deadline:
    """Cancels what is done within, after so many seconds. Raises TimeoutError then.

    As asyncio.timeout, which takes three times as long.
    """

    __slots__ = ("_cancelled_before", "_is_over", "_task", "_timeout_s", "_timer")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._is_over = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelled_before = task, task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self.end)
        return self

    def end(self) -> None:
        """Before its time."""
        if not self._is_over:
            self._is_over = True
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
            raise TimeoutError from error


class RequestDeadline(Deadline):
    """Of a query or a mutation: until its time is over, or its client is gone.

    Raises OperationTimeout, or ClientDisconnect where nobody waits for an answer. A write that is under way goes on to
    its end.
    """

    __slots__ = ("_connection",)

    def __init__(self, timeout_s: float, connection: HttpConnection) -> None:
        super().__init__(timeout_s)
        self._connection = connection

    def __enter__(self) -> Self:
        if self._connection.transport.is_closing():
            raise ClientDisconnect
        self._connection.when_gone = self.end
        return super().__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        self._connection.when_gone = None
        try:
            super().__exit__(kind, error, traceback)
        except TimeoutError:
            if self._connection.transport.is_closing():
                raise ClientDisconnect from None
            raise overdue(self._timeout_s) from None


def overdue(timeout_s: float) -> OperationTimeout:
    return OperationTimeout(
        f"This took longer than {timeout_s:g} s. Ask for less. An add may have been done: send it again with the same"
        " idempotencyKey."
    )
