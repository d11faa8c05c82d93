"""The map of the inventory in a real browser: what it shows, and that it hears of every dam, whatever fails."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.conftest import ADMIN_TOKEN, Server, until
from tests.fixtures_browser import Gateway, OpenPage, clients_of, started
from tests.services import Redis, running
from tests.test_web_pages import ADD, RECONNECT_TIMEOUT_MS

# Each test has a part of the map of its own, since they share an inventory.
BOXES = {
    "two pages": "-112,40,-111,41",
    "import": "-100,30,-99,31",
    "redis": "-90,40,-89,41",
    "restart": "-80,40,-79,41",
    "keyboard": "-70,44,-69,45",
    "crowd": "-120,36,-119,37",
    "phone": "-105,45,-104,46",
    "first": "-95,35,-94,36",
    "lost": "-85,35,-84,36",
}


class GatewayWithRedis(Gateway):
    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis

    def settings(self) -> dict[str, str]:
        return super().settings() | {"DAMS_REDIS_URL": self._redis.url}


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with running(Redis()) as redis:
        yield redis


@pytest.fixture(scope="module")
def gateway(redis: Redis) -> Iterator[Gateway]:
    with started(GatewayWithRedis(redis)) as gateway:
        yield gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    async with clients_of(gateway) as server:
        yield server


def middle(box: str) -> dict[str, float]:
    west, south, east, north = map(float, box.split(","))
    return {"latitude": (south + north) / 2, "longitude": (west + east) / 2}


def dam(name: str, box: str, **changes: Any) -> dict[str, Any]:
    """In the middle of the box."""
    return {
        "name": name,
        "owner": "Other",
        "river": "Provo River",
        "dateBuilt": "1941",
        "location": middle(box),
    } | changes


async def add(server: Server, name: str, box: str, **changes: Any) -> None:
    assert await server.query(ADD, dam=dam(name, box, **changes)) == {"addDam": {"errors": []}}


async def open_map(open_page: OpenPage, box: str, **parameters: str) -> Page:
    page = await open_page("/", box=box, **parameters)
    await expect(the_map(page)).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text("live")
    await shows(page, groups=None)
    return page


def the_map(page: Page) -> Any:
    return page.get_by_role("application", name=re.compile("Map of dams"))


async def shows(page: Page, groups: int | None, dams: int = 0) -> None:
    """So many marks; `None` for any."""
    pattern = r"\d+" if groups is None else f"{groups} groups of dams and {dams} single dams"
    await expect(page.get_by_text(re.compile(f"^The map shows {pattern}"))).to_have_count(1)


def notice(page: Page) -> Any:
    return page.get_by_role("log", name="New dams")


ADD_FROM_THE_PAGE = """async ({ query, variables, token }) => {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  return (await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json();
}"""


async def test_a_dam_added_on_one_page_drops_into_the_map_of_another(open_page: OpenPage) -> None:
    box = BOXES["two pages"]
    follower, adder = await open_map(open_page, box), await open_map(open_page, box)
    await shows(follower, groups=0, dams=0)
    request = {"query": ADD, "variables": {"dam": dam("Jordanelle", box)}, "token": ADMIN_TOKEN}
    answer = await adder.evaluate(ADD_FROM_THE_PAGE, request)
    assert answer["data"] == {"addDam": {"errors": []}}
    for page in (follower, adder):
        await expect(notice(page)).to_contain_text("Dam added: Jordanelle, by Other")
        await expect(page.locator("[data-dam-id]")).to_have_count(1)
        await shows(page, groups=0, dams=1)
    await notice(follower).get_by_role("button", name="Show").click()
    popup = follower.get_by_role("region", name="Jordanelle")
    await expect(popup).to_contain_text("Provo River")
    await expect(popup.get_by_role("link")).to_have_attribute("href", re.compile(r"^/dams/\d+$"))
    await notice(adder).get_by_role("button", name="Dismiss").click()
    await expect(notice(adder)).to_be_empty()
    await expect(adder.locator("[data-dam-id]")).to_have_count(0, timeout=10_000)


async def test_an_import_is_one_notice_and_the_page_goes_on_moving(
    open_page: OpenPage, gateway: Gateway, tmp_path: Path
) -> None:
    box, count = BOXES["import"], 1_000
    page = await open_map(open_page, box)
    where = middle(box)
    rows = [
        f"Imported {number},Other,Deer Creek,1941,{where['latitude'] + number / count / 4},{where['longitude']}"
        for number in range(count)
    ]
    file = tmp_path / "dams.csv"
    file.write_text("\n".join(["name,owner,river,date_built,latitude,longitude", *rows]))
    await page.evaluate(
        """() => {
          window.longestPause = 0;
          let last = performance.now();
          const frame = (now) => {
            window.longestPause = Math.max(window.longestPause, now - last);
            last = now;
            requestAnimationFrame(frame);
          };
          requestAnimationFrame(frame);
        }"""
    )
    await asyncio.to_thread(
        subprocess.run, gateway.dams("import", str(file)), cwd=gateway.folder, check=True, capture_output=True
    )
    await expect(notice(page)).to_contain_text(f"{count:,} dams added", timeout=20_000)
    await expect(page.get_by_text(f"{count:,} dams", exact=True)).to_be_visible()
    assert await page.evaluate("window.longestPause") < 2_000
    total = await page.evaluate(
        """async (variables) => {
          const query = `query ($box: BoxInput!) { damClusters(box: $box, zoom: 8) { nodes { count } } }`;
          const answer = await fetch("/graphql", {
            method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query, variables })
          });
          return (await answer.json()).data.damClusters.nodes.reduce((sum, { count }) => sum + count, 0);
        }""",
        {"box": dict(zip(("west", "south", "east", "north"), map(float, box.split(",")), strict=True))},
    )
    assert total == count


async def test_dams_arrive_while_redis_is_away_and_after_it_is_back(
    open_page: OpenPage, server: Server, redis: Redis
) -> None:
    box = BOXES["redis"]
    page = await open_map(open_page, box)
    await asyncio.to_thread(redis.kill)
    await add(server, "Without Redis", box)
    await expect(notice(page)).to_contain_text("Dam added: Without Redis")
    await asyncio.to_thread(redis.start)
    await notice(page).get_by_role("button", name="Dismiss").click()
    await add(server, "With Redis", box)
    await expect(notice(page)).to_contain_text("Dam added: With Redis")
    await shows(page, groups=0, dams=2)


class HeldBack:
    """What the server tells a page over new connections, kept until it is released."""

    def __init__(self) -> None:
        self._messages: list[tuple[WebSocketRoute, str | bytes]] = []
        self._is_released = False

    def route(self, to_page: WebSocketRoute) -> None:
        def take(message: str | bytes) -> None:
            if self._is_released or '"damAdded"' not in str(message):
                to_page.send(message)
            else:
                self._messages.append((to_page, message))

        to_page.connect_to_server().on_message(take)

    def release(self) -> None:
        self._is_released = True
        for to_page, message in self._messages:
            to_page.send(message)


async def test_a_map_misses_nothing_while_it_is_away(open_page: OpenPage, gateway: Gateway, server: Server) -> None:
    box = BOXES["restart"]
    await add(server, "Removed while away", box, location={"latitude": 40.1, "longitude": -79.9})
    page = await open_map(open_page, box)
    held_back = HeldBack()
    await page.route_web_socket("**/graphql", held_back.route)
    await page.reload()  # sockets of a page that is there already would not all take that way
    await shows(page, groups=0, dams=1)
    await expect(page.get_by_role("status")).to_have_text("live")

    await page.context.set_offline(True)
    await asyncio.to_thread(gateway.restart)
    await expect(page.get_by_role("status")).to_have_text("reconnecting")
    for number in range(3):
        await add(server, f"Added while away {number}", box)
    gone = (await server.query('{ dams(where: {text: "Removed while away"}) { nodes { id } } }'))["dams"]["nodes"]
    await server.query("mutation ($id: ID!) { removeDam(id: $id) { errors { code } } }", id=gone[0]["id"])

    await page.context.set_offline(False)
    # Three came and one went, so there are two more.
    await expect(page.get_by_role("status")).to_have_text("catching up: 2", timeout=RECONNECT_TIMEOUT_MS)
    held_back.release()
    await expect(page.get_by_role("status")).to_have_text("live")
    await expect(notice(page)).to_contain_text("3 dams added")
    await shows(page, groups=1, dams=0)


async def test_what_the_map_could_not_read_comes_when_the_server_is_back(open_page: OpenPage) -> None:
    page = await open_map(open_page, BOXES["lost"])
    await page.context.set_offline(True)
    await page.get_by_role("searchbox").fill("no such dam")
    lost = page.get_by_text("The dams could not be read.")
    await expect(lost).to_be_visible()
    await page.context.set_offline(False)
    await expect(lost).to_be_hidden()
    await shows(page, groups=0, dams=0)


async def test_the_map_is_worked_by_keyboard(open_page: OpenPage, server: Server) -> None:
    box = BOXES["keyboard"]
    await add(server, "In the middle", box)
    page = await open_map(open_page, box)
    await shows(page, groups=0, dams=1)
    await the_map(page).focus()
    await page.keyboard.press("Enter")
    popup = page.get_by_role("region", name="In the middle")
    await expect(popup.get_by_role("button", name="Close")).to_be_focused()
    await expect(page).to_have_url(re.compile(r"dam=\d+"))
    await page.keyboard.press("Escape")
    await expect(popup).to_be_hidden()
    await expect(the_map(page)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page).not_to_have_url(re.compile(re.escape("box=" + box.replace(",", "%2C")) + "(&|$)"))


async def test_dams_that_stand_in_one_place_are_listed(open_page: OpenPage, server: Server) -> None:
    box = BOXES["crowd"]
    for name in ("Main dam", "Saddle dam", "Dike"):
        await add(server, name, box)
    page = await open_map(open_page, box)
    await shows(page, groups=1, dams=0)
    await the_map(page).focus()
    await page.keyboard.press("Enter")
    crowd = page.get_by_role("region", name="3 dams here")
    await crowd.get_by_role("button", name="Saddle dam").click()
    await expect(page.get_by_role("region", name="Saddle dam")).to_be_visible()


async def test_the_map_goes_to_the_result_of_a_filter(open_page: OpenPage, server: Server) -> None:
    await add(server, "Far away", BOXES["phone"], river="Lonely River")
    page = await open_map(open_page, BOXES["two pages"], where='{"river":"lonely river"}')
    await expect(page.get_by_text("No dams in this part of the map.")).to_be_visible()
    await page.get_by_role("button", name="Zoom to the result").click()
    await expect(page).to_have_url(re.compile("box=-104.5"))
    await shows(page, groups=0, dams=1)
    await page.get_by_text("Owner type", exact=True).click()
    await expect(page.get_by_role("region", name="Legend")).to_contain_text("Public utility")


async def test_the_map_goes_to_where_one_is_or_says_why_not(open_page: OpenPage) -> None:
    page = await open_map(open_page, BOXES["phone"])
    await page.get_by_role("button", name="Show where I am").click()
    await expect(page.get_by_role("button", name="The browser does not tell where you are.")).to_be_visible()
    await page.context.grant_permissions(["geolocation"])
    await page.context.set_geolocation({"latitude": 39.5, "longitude": -98.5})
    await page.get_by_role("button", name="The browser does not tell where you are.").click()
    await expect(page).to_have_url(re.compile(r"box=-9[89]\."))
    west, south, east, north = map(float, parse_qs(urlsplit(page.url).query)["box"][0].split(","))
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((-98.5, 39.5), abs=0.01)


IN_THE_MIDDLE = """() => {
  const canvas = document.querySelector(".ol-layer canvas");
  return [...(canvas?.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data ?? [])];
}"""
UNKNOWN_HAZARD = [0x8B, 0x93, 0x9C, 0xFF]


async def hold(page: Page, pattern: str, operation: str | None = None) -> list[Route]:
    """Requests of the page that are kept until they are continued."""
    held: list[Route] = []

    async def take(route: Route) -> None:
        if operation is None or (route.request.post_data_json or {}).get("operationName") == operation:
            held.append(route)
        else:
            await route.continue_()

    await page.route(pattern, take)
    return held


async def test_the_map_is_drawn_before_the_page_has_its_scripts(open_page: OpenPage, server: Server) -> None:
    box = BOXES["first"]
    await add(server, "Early", box)
    page = await open_page("/livez")
    scripts = await hold(page, "**/assets/main-*.js")
    await page.goto(page.url.replace("/livez", "/") + urlencode({"box": box}), wait_until="commit")

    async def shows_the_dam() -> bool:
        return bool(await page.evaluate(IN_THE_MIDDLE) == UNKNOWN_HAZARD)

    await until(shows_the_dam)
    await expect(the_map(page)).to_have_count(0)
    await page.evaluate("window.firstViewport = document.querySelector('.ol-viewport')")
    for script in scripts:
        await script.continue_()
    await shows(page, groups=0, dams=1)
    await expect(page.locator(".ol-viewport")).to_have_count(1)
    assert await the_map(page).locator(".ol-viewport").evaluate("it => it === window.firstViewport")
    assert await shows_the_dam()


@pytest.mark.parametrize("path", ["/", "/add"])
async def test_a_page_is_dark_before_it_has_its_scripts(open_page: OpenPage, path: str) -> None:
    page = await open_page("/livez")
    await page.emulate_media(color_scheme="dark")
    scripts = await hold(page, "**/assets/main-*.js")
    await page.goto(page.url.replace("/livez?", path), wait_until="commit")
    await until(lambda: scripts)
    await expect(page.locator("body")).to_have_css("background-color", "rgb(36, 36, 36)")
    for script in scripts:
        await script.continue_()
    await expect(page.get_by_role("button", name="Light colours")).to_be_visible()
    await expect(page.locator("body")).to_have_css("background-color", "rgb(36, 36, 36)")


async def test_the_page_does_not_wait_long_for_the_dams(open_page: OpenPage) -> None:
    page = await open_page("/livez")
    questions = await hold(page, "**/graphql", "DamClusters")
    await page.goto(page.url.replace("/livez", "/") + urlencode({"box": BOXES["first"]}))
    await expect(page.get_by_role("status")).to_have_text("live")
    for question in questions:
        await question.continue_()
    await page.unroute("**/graphql")
    await shows(page, groups=None)


async def test_a_phone_shows_the_map_without_scrolling_sideways(open_page: OpenPage) -> None:
    page = await open_page("/", box=BOXES["phone"])
    await page.set_viewport_size({"width": 360, "height": 740})
    await expect(the_map(page)).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
