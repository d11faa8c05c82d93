"""A server that is measured."""

import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench.process import SERVER_CORE
from tests.services import Service

CONNECT_TIMEOUT_S = 1.0


class Server(Service, ABC):
    """Runs on a core of its own. What it needs is installed when it is made, or NotInstalled is raised."""

    stop_signal = signal.SIGKILL  # nobody needs what it holds

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @abstractmethod
    def program(self) -> Sequence[str | Path]: ...

    def environment(self) -> dict[str, str]:
        return {}

    def command(self) -> list[str]:
        environment = [f"{name}={value}" for name, value in self.environment().items()]
        return ["taskset", "--cpu-list", str(SERVER_CORE), "env", *environment, *map(str, self.program())]

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), CONNECT_TIMEOUT_S).close()
        except OSError:
            return False
        return True
