"""`dams serve` in a process of its own."""

import sys
from pathlib import Path

import httpx

from tests.services import Service

DAMS = Path(sys.executable).with_name("dams")


class Process(Service):
    """`dams serve` on the test's database."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self.settings = settings | {"DAMS_PORT": str(self.port)}

    def command(self) -> list[str]:
        return ["env", *(f"{name}={value}" for name, value in self.settings.items()), str(DAMS), "serve"]

    def is_ready(self) -> bool:
        try:
            return bool(httpx.get(f"http://127.0.0.1:{self.port}/readyz").json()["status"] == "ok")
        except httpx.TransportError:
            return False
