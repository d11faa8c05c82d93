"""Signing in at an OpenID provider, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack

import orjson
import pytest
from playwright.async_api import Page, expect

from tests.conftest import Server
from tests.fixtures_browser import Gateway, OpenPage, clients_of, started
from tests.openid_provider import CLIENT, OpenIdServer, provided
from tests.test_accounts import SET_DISABLED
from tests.test_web_inventory import fill


class GatewayWithProvider(Gateway):
    def __init__(self, provider: OpenIdServer) -> None:
        super().__init__()
        self.others = (provider.issuer,)
        self._chosen = {
            "DAMS_OIDC_ISSUER": provider.issuer,
            "DAMS_OIDC_CLIENT_ID": CLIENT,
            "DAMS_OIDC_GROUPS": orjson.dumps({"dam-team": "contributor"}).decode(),
            "DAMS_OIDC_LEEWAY_S": "0",
        }

    def settings(self) -> dict[str, str]:
        return super().settings() | self._chosen


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[OpenIdServer]:
    async with provided() as provider:
        yield provider


@pytest.fixture(scope="module")
async def gateway(provider: OpenIdServer) -> AsyncIterator[Gateway]:
    with ExitStack() as stack:
        # In a thread: the server asks the provider, which answers from here.
        yield await asyncio.to_thread(stack.enter_context, started(GatewayWithProvider(provider)))


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
    await expect(page.get_by_text("You may not add dams")).to_be_visible()
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
