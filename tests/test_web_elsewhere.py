"""What settings let the pages ask elsewhere, in a real browser: an OpenID provider to sign in at, and map tiles."""

import asyncio
import base64
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from playwright.async_api import Page, expect

from tests.conftest import Server, until
from tests.fixtures_browser import Gateway, OpenPage, clients_of, started
from tests.openid_provider import CLIENT, OpenIdServer, provided
from tests.test_accounts import SET_DISABLED
from tests.test_web_inventory import fill

GREEN = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMQqbABAAFsAMloBcADAAAAAElFTkSuQmCC")
"""A PNG of one point."""


class TileServer(ThreadingHTTPServer):
    """Every tile is green."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TileHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []


class TileHandler(BaseHTTPRequestHandler):
    server: TileServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.send_header("content-length", str(len(GREEN)))
        self.end_headers()
        self.wfile.write(GREEN)

    def log_message(self, *message: Any) -> None:
        pass


class GatewayWithOthers(Gateway):
    def __init__(self, provider: OpenIdServer, tiles: TileServer) -> None:
        super().__init__()
        self.others = (provider.issuer, tiles.url)
        self._chosen = {
            "DAMS_OIDC_ISSUER": provider.issuer,
            "DAMS_OIDC_CLIENT_ID": CLIENT,
            "DAMS_OIDC_GROUPS": orjson.dumps({"dam-team": "contributor"}).decode(),
            "DAMS_OIDC_LEEWAY_S": "0",
            "DAMS_MAP_TILES": f"{tiles.url}/{{z}}/{{x}}/{{y}}.png",
            "DAMS_MAP_ATTRIBUTION": "Example Maps",
        }

    def settings(self) -> dict[str, str]:
        return super().settings() | self._chosen


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[OpenIdServer]:
    async with provided() as provider:
        yield provider


@pytest.fixture(scope="module")
def tiles() -> Iterator[TileServer]:
    with TileServer() as tiles:
        threading.Thread(target=tiles.serve_forever).start()
        yield tiles
        tiles.shutdown()


@pytest.fixture(scope="module")
async def gateway(provider: OpenIdServer, tiles: TileServer) -> AsyncIterator[Gateway]:
    with ExitStack() as stack:
        # In a thread: the server asks the provider, which answers from here.
        yield await asyncio.to_thread(stack.enter_context, started(GatewayWithOthers(provider, tiles)))


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    async with clients_of(gateway) as server:
        yield server


async def sign_in(page: Page, provider: OpenIdServer, user: str) -> None:
    await page.get_by_role("button", name="Sign in with 127.0.0.1").click()
    await expect(page).to_have_url(re.compile(re.escape(f"{provider.issuer}/authorize")))
    await page.get_by_role("link", name=user).click()


async def test_who_is_in_a_mapped_group_signs_in_adds_a_dam_and_signs_out(
    open_page: OpenPage, provider: OpenIdServer, server: Server
) -> None:
    page = await open_page("/sign-in")
    await sign_in(page, provider, "eve")
    await expect(page.get_by_role("link", name="eve")).to_be_visible()
    assert "code=" not in page.url
    await page.get_by_role("link", name="Add a dam").click()
    await fill(page, Name="Deer Creek", Owner="Reclamation", River="Provo River", Date_built="1941")
    await fill(page, Latitude="40.4066", Longitude="-111.5266")
    await page.get_by_role("button", name="Add dam").click()
    await page.get_by_role("group", name="Added").get_by_role("link", name="Deer Creek").click()
    await expect(page.get_by_role("region", name="History")).to_contain_text("Added")

    assert (await server.query("{ changes { nodes { actor } } }"))["changes"]["nodes"] == [{"actor": "eve"}]

    await page.get_by_role("link", name="eve", exact=True).click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Add a dam")).to_have_count(0)
    assert await page.evaluate("Object.values(sessionStorage).filter((value) => value.length > 20)") == []


async def test_who_is_in_no_mapped_group_may_not_add(open_page: OpenPage, provider: OpenIdServer) -> None:
    page = await open_page("/add")
    await page.get_by_role("main").get_by_role("link", name="Sign in").click()
    await sign_in(page, provider, "mallory")
    await expect(page.get_by_role("link", name="mallory")).to_be_visible()
    await expect(page.get_by_role("link", name="Add a dam")).to_have_count(0)


async def test_signing_in_that_is_given_up_is_told(open_page: OpenPage, provider: OpenIdServer) -> None:
    page = await open_page("/sign-in")
    await sign_in(page, provider, "Cancel")
    await expect(page.get_by_role("alert")).to_contain_text("Not today.")
    await sign_in(page, provider, "eve")
    await expect(page.get_by_role("link", name="eve")).to_be_visible()


async def test_a_session_that_ends_leads_to_a_prompt_and_back_to_where_one_was(
    open_page: OpenPage, provider: OpenIdServer, server: Server
) -> None:
    page = await open_page("/sign-in")
    await sign_in(page, provider, "eve")
    await page.get_by_role("link", name="Add a dam").click()
    await expect(page.get_by_role("heading", name="Add a dam")).to_be_visible()
    users = await server.query("{ users { nodes { id name } } }")
    (eve,) = [user["id"] for user in users["users"]["nodes"] if user["name"] == "eve"]
    prompt = page.get_by_role("dialog", name="Your session has ended")
    # Her token is refused from here on, as one that has expired; when that is, no clock of a busy machine decides.
    await server.query(SET_DISABLED, id=eve, isDisabled=True)
    try:
        await expect(prompt).to_be_visible()
    finally:
        await server.query(SET_DISABLED, id=eve, isDisabled=False)
    await sign_in(page, provider, "eve")
    await expect(page.get_by_role("heading", name="Add a dam")).to_be_visible()
    await expect(prompt).to_be_hidden()
    await expect(page.get_by_role("link", name="eve")).to_be_visible()


async def test_the_map_lies_on_the_tiles_of_the_setting(open_page: OpenPage, tiles: TileServer) -> None:
    page = await open_page("/", box="-112,40,-111,41")
    await expect(page.get_by_text("Example Maps")).to_be_visible()
    await until(lambda: tiles.asked)
    assert all(re.fullmatch(r"/\d+/\d+/\d+\.png", path) for path in tiles.asked)
    # A canvas that shows a picture of another origin cannot be read, and says so.
    drawn = """() => { try { document.querySelector(".ground canvas").getContext("2d").getImageData(0, 0, 1, 1) }
      catch (error) { return error.name } }"""
    await until(lambda: _evaluates(page, drawn, "SecurityError"))


async def _evaluates(page: Page, script: str, expected: str) -> bool:
    return bool(await page.evaluate(script) == expected)
