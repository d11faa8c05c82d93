"""SQLite has no time limit of its own, but asks now and then whether to go on."""

import sqlite3
import threading
import time
from typing import Any

INSTRUCTIONS = 10_000
"""Of SQLite's machine, between two looks at the clock: some tenths of a millisecond."""


class BoundConnection(sqlite3.Connection):
    """Each statement ends with SQLITE_INTERRUPT when it has taken `timeout_s`, or its caller is `gone`."""

    def __init__(self, *args: Any, timeout_s: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timeout_s = timeout_s
        self._deadline = float("inf")
        self.gone = threading.Event()
        self.set_progress_handler(self._is_over, INSTRUCTIONS)

    def cursor(self, *args: Any) -> Any:
        """There is one for each statement."""
        self._deadline = time.monotonic() + self._timeout_s
        return super().cursor(*args)

    def execute(self, *args: Any) -> Any:
        """Python's own makes its cursor past ours."""
        return self.cursor().execute(*args)

    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline or self.gone.is_set()
