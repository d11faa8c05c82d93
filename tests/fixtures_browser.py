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

AXE = (Path(__file__).parent.parent / "web/node_modules/axe-core/axe.min.js").read_text()
GRAVE = """() => axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`))"""
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

    others: tuple[str, ...] = ()
    """Addresses of servers that its settings let the pages ask."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        return {"DAMS_PORT": str(self.port), "DAMS_DATA_DIR": str(self.folder), "DAMS_ADMIN_TOKEN": ADMIN_TOKEN}

    def dams(self, command: str, *options: str) -> list[str]:
        settings = [f"{name}={value}" for name, value in self.settings().items()]
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


SIGNED_IN = f"sessionStorage.setItem('dams:token', '{ADMIN_TOKEN}')"
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, gateway: Gateway) -> AsyncIterator[OpenPage]:
    """Opens a path in a profile of its own.

    Fails in the end where a page asked another origin for anything, broke the Content-Security-Policy (which Chromium
    tells as an error on the console) or logged an error other than that the server was away or refused.
    """
    complaints: list[str] = []
    contexts = []

    ours = (f"{gateway.url}/", f"ws://127.0.0.1:{gateway.port}/", "data:", *gateway.others)

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


@pytest.fixture
async def as_admin(open_page: OpenPage) -> OpenPage:
    """Opens a page as who is signed in with the administrator's token."""

    async def open_signed_in(path: str, **parameters: str) -> Page:
        page = await open_page("/livez")
        await page.evaluate(SIGNED_IN)
        await page.goto(page.url.replace("/livez?", f"{path}?"))
        return page

    return open_signed_in


async def faults(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(GRAVE)
    return found
