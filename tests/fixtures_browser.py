"""Chromium on a server that runs as a process of its own. A module that opens pages has a fixture `gateway`."""

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.conftest import ADMIN_TOKEN, Server
from tests.services import Service, find_chromium, running

expect.set_options(timeout=20_000)
"""A page takes a second to load, and several where the tests of other files run beside it."""

NETWORK_ERRORS = ("Failed to load resource", "WebSocket connection to")
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # which root, in a container, may not use
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Gateway(Service):
    """`dams serve` on an empty embedded database in its folder: a process, so that it can be restarted."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def dams(self, command: str, *options: str) -> list[str]:
        settings = [f"DAMS_PORT={self.port}", f"DAMS_DATA_DIR={self.folder}", f"DAMS_ADMIN_TOKEN={ADMIN_TOKEN}"]
        return ["env", *settings, str(Path(sys.executable).with_name("dams")), command, *options]

    def command(self) -> list[str]:
        return self.dams("serve")

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").is_success
        except httpx.TransportError:
            return False


@contextmanager
def started(gateway: Gateway) -> Iterator[Gateway]:
    """On an inventory that is empty but for its administrator."""
    subprocess.run(gateway.dams("init", "--empty"), cwd=gateway.folder, check=True, capture_output=True)
    with running(gateway):
        yield gateway


@asynccontextmanager
async def clients_of(gateway: Gateway) -> AsyncIterator[Server]:
    async with AsyncExitStack() as stack:
        server = Server(gateway.url, stack)
        stack.push_async_callback(server.http.aclose)
        yield server


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        yield browser
        await browser.close()


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, gateway: Gateway) -> AsyncIterator[OpenPage]:
    """Opens a path in a profile of its own.

    Fails in the end where a page asked another origin for anything, broke the Content-Security-Policy (which Chromium
    tells as an error on the console) or logged an error other than that the server was away or refused.
    """
    complaints: list[str] = []
    contexts = []

    ours = (f"{gateway.url}/", f"ws://127.0.0.1:{gateway.port}/", "data:")

    def note(address: str) -> None:
        if not address.startswith(ours):
            complaints.append(address)

    def note_error(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NETWORK_ERRORS):
            complaints.append(message.text)

    async def open_page(path: str, **parameters: str) -> Page:
        contexts.append(await browser.new_context())
        page = await contexts[-1].new_page()
        page.on("request", lambda request: note(request.url))
        page.on("websocket", lambda socket: note(socket.url))
        page.on("console", note_error)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{gateway.url}{path}?{urlencode(parameters)}")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert complaints == []
