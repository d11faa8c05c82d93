"""The built front end in a real browser, on a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.conftest import ADMIN_TOKEN, Server, until
from tests.fixtures_browser import Gateway, OpenPage, clients_of, started

ADD = "mutation Add($dam: AddDamInput!) { addDam(input: $dam) { errors { message } } }"
ADD_EXAMPLE = Path(__file__).parent.parent / "web/src/pages/graphiql/examples/add-a-dam.graphql"
FOLLOW = "subscription Follow($after: String) { damAdded(after: $after) { name cursor } }"
RECONNECT_TIMEOUT_MS = 20_000
"""Twice the longest wait of the page between two attempts."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with started(Gateway()) as gateway:
        yield gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    async with clients_of(gateway) as server:
        yield server


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


async def test_an_inventory_without_dams_offers_to_add_one(open_page: OpenPage, as_admin: OpenPage) -> None:
    """The first of this file, as the others add some."""
    reader, admin = await open_page("/"), await as_admin("/")
    offer = "Add the first one"
    await admin.get_by_role("link", name=offer).click()
    await expect(admin.get_by_role("heading", name="Add a dam")).to_be_visible()
    await expect(reader.get_by_text("There is no dam in the inventory yet.")).to_be_visible()
    await expect(reader.get_by_role("link", name=offer)).to_have_count(0)


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
