"""The built front end in a real browser, on a real server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.conftest import ADMIN_TOKEN, Server, until
from tests.services import Service, find_chromium, running

ADD = "mutation Add($dam: AddDamInput!) { addDam(input: $dam) { errors { message } } }"
ADD_EXAMPLE = Path(__file__).parent.parent / "web/src/pages/graphiql/examples/add-a-dam.graphql"
FOLLOW = "subscription Follow($after: String) { damAdded(after: $after) { name cursor } }"
RECONNECT_TIMEOUT_MS = 20_000
"""Twice the longest wait of the page between two attempts."""

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


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    subprocess.run(gateway.dams("init", "--empty"), cwd=gateway.folder, check=True, capture_output=True)
    with running(gateway):
        yield gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
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


async def execute(page: Page) -> None:
    """Runs what is in the editor. The button works from the moment that the editor shows it."""
    await expect(page.locator(".graphiql-query-editor .view-lines")).not_to_be_empty()
    await page.get_by_role("button", name="Execute").click()


async def show_response(page: Page, text: str) -> None:
    await expect(page.locator(".result-window")).to_contain_text(text)


async def give_token(page: Page, token: str) -> None:
    await page.get_by_label("API token").fill(token)
    await page.get_by_label("API token").press("Enter")


async def read_inventory(server: Server) -> Any:
    return (await server.query("{ inventory { damCount eventCursor } }"))["inventory"]


async def add_dam(server: Server, name: str) -> None:
    point = {"latitude": 40.4, "longitude": -111.5}
    dam = {"name": name, "owner": "Other", "river": "Provo River", "dateBuilt": "1941", "location": point}
    assert await server.query(ADD, dam=dam) == {"addDam": {"errors": []}}


async def test_dam_added_in_one_explorer_arrives_in_another(open_page: OpenPage, server: Server) -> None:
    after = (await read_inventory(server))["eventCursor"]
    follower = await open_page("/graphiql", query=FOLLOW, variables=json.dumps({"after": after}))
    await execute(follower)
    adder = await open_page("/graphiql", query=ADD_EXAMPLE.read_text())
    await give_token(adder, ADMIN_TOKEN)
    await execute(adder)
    await show_response(adder, '"errors": []')
    await show_response(follower, '"Example Dam"')


async def test_first_visit_of_the_explorer_offers_examples(open_page: OpenPage) -> None:
    page = await open_page("/graphiql")
    examples = ["PageOfDams", "DamsNearAPoint", "AddADam", "DamsAsTheyAreAdded"]
    await expect(page.get_by_role("tab")).to_contain_text(examples)
    await execute(page)
    await show_response(page, '"totalCount"')


async def test_changed_token_reconnects_open_subscriptions(open_page: OpenPage) -> None:
    page = await open_page("/graphiql", query=FOLLOW, variables="{}")
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(json.loads(frame))))

    def subscriptions() -> int:
        return [message["type"] for message in sent].count("subscribe")

    await execute(page)
    await until(lambda: subscriptions() == 1)
    await give_token(page, ADMIN_TOKEN)
    await until(lambda: subscriptions() == 2)
    greetings = [message.get("payload") for message in sent if message["type"] == "connection_init"]
    assert greetings == [{}, {"Authorization": f"Bearer {ADMIN_TOKEN}"}]


async def test_explorer_says_that_a_token_is_refused(open_page: OpenPage) -> None:
    page = await open_page("/graphiql", query=FOLLOW, variables="{}")
    await give_token(page, "no such token")
    await execute(page)
    refusal = page.get_by_text("The server does not accept this token.")
    await expect(refusal).to_be_visible()
    await give_token(page, ADMIN_TOKEN)
    await expect(refusal).to_be_hidden()


async def test_the_address_of_each_page_can_be_opened(server: Server) -> None:
    paths = ["/", "/dams/12", "/add", "/sign-in", "/admin", "/graphiql", "/dams/Jordanelle", "/nowhere"]
    assert [(await server.http.get(path)).status_code for path in paths] == [200] * 6 + [404] * 2


async def test_dam_added_over_http_appears_on_the_home_page(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/", orderBy="ADDED_DESC")
    await expect(page.get_by_role("status")).to_have_text("live")
    await page.evaluate("window.sameDocument = true")
    await add_dam(server, "Jordanelle")
    await expect(page.locator("tbody th").first).to_have_text("Jordanelle")
    assert await page.evaluate("window.sameDocument")


async def test_home_page_misses_no_dam_while_it_is_away(open_page: OpenPage, gateway: Gateway, server: Server) -> None:
    page = await open_page("/", orderBy="ADDED_DESC")
    await add_dam(server, "Seen before")
    await expect(page.locator("tbody th").first).to_have_text("Seen before")

    await page.context.set_offline(True)
    await asyncio.to_thread(gateway.restart)
    await expect(page.get_by_role("status")).to_have_text("reconnecting")
    names = [f"Added while away {number}" for number in range(3)]
    for name in names:
        await add_dam(server, name)

    await page.context.set_offline(False)
    await expect(page.get_by_role("status")).to_have_text("live", timeout=RECONNECT_TIMEOUT_MS)
    await expect(page.locator("tbody th").first).to_have_text(names[-1])
    assert (await page.locator("tbody th").all_inner_texts())[:4] == [*reversed(names), "Seen before"]
    # What came before it went away is not told, and so not counted, again.
    count = (await read_inventory(server))["damCount"]
    await expect(page.get_by_text(f"{count} dams", exact=True)).to_be_visible()
