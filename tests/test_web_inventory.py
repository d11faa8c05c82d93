"""List, dam page, add form, signing in and administration, in a real browser."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from playwright.async_api import Download, Page, Route, expect

from tests.conftest import ADMIN_TOKEN, Server, until
from tests.fixtures_browser import Gateway, OpenPage, clients_of, faults, started
from tests.test_web_pages import ADD

PASSWORD = "correct horse battery"
UPDATE = "mutation ($most: Int) { updateInventory(input: {maxDams: $most, maxDamsPerUser: 0}) { errors { message } } }"
REVOKE = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { errors { message } } }"

# name, river, year, latitude, longitude
DAMS = [
    ("Deer Creek", "Provo River", "1941", 40.4066, -111.5266),
    ("Jordanelle", "Provo River", "1993-04", 40.5969, -111.4243),
    ("=Echo", "Weber River", "1931", 40.9641, -111.4296),
]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    with started(gateway):
        command = gateway.dams("user", "password", "admin")
        subprocess.run(command, input=PASSWORD, text=True, cwd=gateway.folder, check=True, capture_output=True)
        command = gateway.dams("user", "add", "ada", "--group", "reader")
        subprocess.run(command, cwd=gateway.folder, check=True, capture_output=True)
        yield gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    async with clients_of(gateway) as server:
        if (await server.query("{ inventory { damCount } }"))["inventory"]["damCount"] == 0:
            for name, river, built, latitude, longitude in DAMS:
                location = {"latitude": latitude, "longitude": longitude}
                dam = {"name": name, "owner": "Other", "river": river, "dateBuilt": built, "location": location}
                assert await server.query(ADD, dam=dam) == {"addDam": {"errors": []}}
        yield server


def names(page: Page) -> Any:
    return page.locator("tbody th a")


async def fill(page: Page, **values: str) -> None:
    for label, value in values.items():
        box = page.locator("input").and_(page.get_by_label(re.compile(f"^{label.replace('_', ' ')}")))
        await box.fill(value)
        await box.press("Tab")


async def test_list_is_searched_ordered_and_exported(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/")
    await expect(names(page)).to_have_text(["=Echo", "Deer Creek", "Jordanelle"])
    await page.get_by_role("searchbox").fill("PROVO")
    await expect(names(page)).to_have_text(["Deer Creek", "Jordanelle"])
    await expect(page.get_by_text("2 dams", exact=True)).to_be_visible()
    await page.get_by_role("button", name="River", exact=True).click()
    await page.get_by_role("button", name="River", exact=True).click()
    await expect(names(page)).to_have_text(["Jordanelle", "Deer Creek"])
    query = await page.get_by_role("link", name="Open this query").get_attribute("href")
    asked = parse_qs(urlsplit(query or "").query)
    assert orjson.loads(asked["variables"][0])["where"] == {"text": "PROVO"}
    assert asked["query"][0].startswith("query Dams(")
    await page.get_by_role("button", name="Show Jordanelle on the map").click()
    await expect(page).to_have_url(re.compile(r"where=.*PROVO.*&orderBy=RIVER_DESC.*&dam=\d+"))
    await page.reload()
    await expect(page.get_by_role("row", name="Jordanelle")).to_have_attribute("aria-current", "true")

    await page.get_by_role("button", name="Clear the search").click()
    await expect(names(page)).to_have_count(3)
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="CSV").click()
    file = Path(await (await download.value).path())
    header, *rows = await asyncio.to_thread(file.read_text)
    lines = (header + "".join(rows)).splitlines()
    assert [line.split(",")[1] for line in lines] == ["name", "'=Echo", "Jordanelle", "Deer Creek"]


async def test_filters_are_set_by_what_people_type_and_say_what_they_take(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/")
    await page.get_by_role("button", name="Filters").click()
    filters = page.get_by_role("dialog", name="Filters")
    await filters.get_by_label("States").fill("utah")
    await page.get_by_role("option", name="Utah (UT)").click()
    await filters.get_by_label("Height at least, ft").fill("100")
    built = filters.get_by_label("Built after")
    await built.fill("soon")
    await built.press("Enter")
    await expect(filters.get_by_text("A year, or a date such as 1950-06-30.")).to_be_visible()
    await built.fill("1950")
    await built.press("Enter")
    await expect(filters.get_by_text("A year, or a date such as 1950-06-30.")).to_be_hidden()
    assert await faults(page) == []
    await filters.get_by_role("button", name="Close").click()
    for condition in ("State: UT", "Height: at least 100 ft", "Built after 1950"):
        await expect(page.get_by_role("button", name=f"Remove {condition}")).to_be_visible()


async def test_an_export_can_be_cancelled_and_begun_again(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/")
    exports: list[Route] = []

    async def hold(route: Route) -> None:
        if route.request.post_data_json["operationName"] == "ExportDams":
            exports.append(route)
        else:
            await route.continue_()

    await page.route("**/graphql", hold)
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("menuitem", name="GeoJSON").click()
    running = page.get_by_role("dialog", name="Export as GeoJSON")
    await expect(running).to_contain_text(re.compile(r"0 of \d+ dams"))
    await until(lambda: exports)
    await running.get_by_role("button", name="Cancel").click()
    await expect(running).to_be_hidden()
    downloads: list[Download] = []
    page.on("download", lambda file: downloads.append(file))
    await exports[0].continue_()
    await page.unroute("**/graphql")
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="GeoJSON").click()
    file = Path(await (await download.value).path())
    features = orjson.loads(await asyncio.to_thread(file.read_bytes))["features"]
    assert {"Deer Creek", "Jordanelle"} <= {feature["properties"]["name"] for feature in features}
    assert len(downloads) == 1


async def test_nothing_found_says_what_to_do(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/", where='{"states":["UT"]}')
    await page.get_by_role("button", name="Show all dams").click()
    await expect(names(page)).to_have_count(3)


async def test_dam_page_tells_all_in_the_units_that_are_chosen(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/dams/1")
    await expect(page.get_by_role("heading", name="Deer Creek")).to_be_visible()
    await expect(page.get_by_text("40.40660° N, 111.52660° W")).to_be_visible()
    await expect(page.get_by_role("region", name="History")).to_contain_text("Added")
    await page.get_by_role("link", name="Open this query").click()
    await expect(page.get_by_role("tab").first).to_have_accessible_name(re.compile("^Dam "))
    await page.goto(page.url.split("/graphiql")[0] + "/dams/4711")
    await expect(page.get_by_text("There is no dam 4711")).to_be_visible()


async def test_a_dam_is_added_with_the_keyboard_alone_after_all_that_is_wrong_is_told(
    as_admin: OpenPage, server: Server
) -> None:
    await server.query(UPDATE, most=4)
    page = await as_admin("/add")
    await expect(page.get_by_text("1 of 4 left in the inventory.")).to_be_visible()
    name = page.get_by_label(re.compile("^Name"))
    await name.focus()
    await page.keyboard.press("Enter")
    for label in ("Name", "Owner", "River", "Date Built", "Location"):
        await expect(page.get_by_text(f"{label} is required.")).to_be_visible()
    await expect(name).to_be_focused()

    keys = page.keyboard
    await keys.type("Deer Creek dam")
    await keys.press("Tab")
    await keys.type("Recl")
    await expect(page.get_by_role("option", name="Reclamation")).to_be_visible()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await keys.press("Tab")
    await keys.type("prov")
    await expect(page.get_by_role("option", name="Provo River")).to_be_visible()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await keys.press("Tab")
    await keys.type("next year")
    await keys.press("Tab")
    await keys.type("40.4067")
    await keys.press("Tab")
    await keys.type("-111.5266")
    await expect(page.get_by_text("Is it one of these?")).to_be_visible()
    await expect(page.get_by_text(re.compile("called alike"))).to_be_visible()
    await keys.press("Enter")
    await expect(page.get_by_text(re.compile("^Date Built"))).to_be_visible()
    await expect(page.get_by_label(re.compile("^Date built"))).to_be_focused()
    await keys.press("Control+A")
    await keys.type("1941")
    await keys.press("Enter")
    await expect(page.get_by_text("The inventory is full")).to_be_visible()
    added = page.get_by_role("link", name="Deer Creek dam")
    await expect(added).to_be_visible()

    await fill(page, Name="One too many", Owner="Other", River="Weber River", Date_built="1950")
    await fill(page, Latitude="41", Longitude="-111")
    await page.get_by_role("button", name="Add dam").click()
    await expect(page.get_by_role("alert")).to_contain_text("because the inventory is full")
    await page.get_by_role("link", name="Dam Inventory").click()
    await expect(names(page)).to_have_text(["=Echo", "Deer Creek", "Deer Creek dam", "Jordanelle"])
    await server.query(UPDATE, most=0)


async def test_the_form_tells_how_much_room_others_leave(as_admin: OpenPage, server: Server) -> None:
    count = (await server.query("{ inventory { damCount } }"))["inventory"]["damCount"]
    await server.query(UPDATE, most=count + 2)
    page = await as_admin("/add")
    await expect(page.get_by_text(f"2 of {count + 2} left in the inventory.")).to_be_visible()
    await fill(page, Name="Not lost")
    await server.query(UPDATE, most=count)
    await expect(page.get_by_text("The inventory is full")).to_be_visible()
    await expect(page.get_by_label(re.compile("^Name"))).to_have_value("Not lost")
    await server.query(UPDATE, most=0)


async def test_a_place_is_picked_by_click_by_dragging_the_mark_and_by_enter(as_admin: OpenPage) -> None:
    page = await as_admin("/add")
    boxes = [page.get_by_label(re.compile(f"^{label}")) for label in ("Latitude", "Longitude")]

    async def place() -> tuple[float, ...]:
        return tuple([float(await box.input_value() or "nan") for box in boxes])

    small_map = page.get_by_role("application", name="Location of the dam")
    await small_map.click(position={"x": 200, "y": 200})
    await expect(boxes[0]).not_to_be_empty()
    clicked = await place()

    area = await small_map.bounding_box()
    assert area is not None
    x, y = area["x"] + 200, area["y"] + 200
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 60, y - 40, steps=4)
    await page.mouse.up()
    await until(lambda: _differs(place, clicked))
    dragged = await place()
    assert dragged[0] > clicked[0], "to the north"
    assert dragged[1] > clicked[1], "to the east"

    await small_map.focus()
    await page.keyboard.press("Enter")
    await until(lambda: _differs(place, dragged))
    assert await place() == pytest.approx((38.1, -95.75), abs=1.5), "the middle of the country"


async def _differs(read: Callable[[], Awaitable[tuple[float, ...]]], known: tuple[float, ...]) -> bool:
    return await read() != known


async def test_who_may_not_add_is_not_offered_to(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/add")
    await expect(page.get_by_text("You may not add dams")).to_be_visible()
    await expect(page.get_by_role("link", name="Add a dam")).to_have_count(0)


async def test_a_session_that_ends_is_prompted_for_and_nothing_typed_is_lost(
    open_page: OpenPage, server: Server
) -> None:
    page = await open_page("/sign-in")
    await fill(page, User_name="admin", Password="not it")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await fill(page, Password=PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("link", name="Add a dam").click()
    await fill(page, Name="Not lost")

    tokens = await server.query("{ apiTokens { nodes { id isSession revokedAt } } }")
    (session,) = [each["id"] for each in tokens["apiTokens"]["nodes"] if each["isSession"] and not each["revokedAt"]]
    await server.query(REVOKE, id=session)
    await page.get_by_role("button", name="Add dam").click()
    prompt = page.get_by_role("dialog", name="Your session has ended")
    await prompt.get_by_label(re.compile("^API token")).fill("no such token")
    await prompt.get_by_role("button", name="Use this token").click()
    await expect(prompt.get_by_text("The server does not accept this token.")).to_be_visible()
    await prompt.get_by_label(re.compile("^API token")).fill(ADMIN_TOKEN)
    await prompt.get_by_role("button", name="Use this token").click()
    await expect(prompt).to_be_hidden()
    await expect(page.get_by_label(re.compile("^Name"))).to_have_value("Not lost")

    await page.get_by_role("link", name="admin", exact=True).click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Add a dam")).to_have_count(0)
    assert await page.evaluate("sessionStorage.getItem('dams:token')") == ""
    assert (await server.query("{ viewer { name } }"))["viewer"] == {"name": "admin"}, "a token that was pasted goes on"


async def test_signing_in_leads_back_to_where_one_was(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/", where='{"text":"echo"}', orderBy="HEIGHT_DESC")
    await expect(names(page)).to_have_text(["=Echo"])
    seen = page.url
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_label(re.compile("^API token")).fill(ADMIN_TOKEN)
    await page.get_by_role("button", name="Use this token").click()
    await expect(page.get_by_role("link", name="Add a dam")).to_be_visible()
    await expect(names(page)).to_have_text(["=Echo"])
    assert page.url == seen


async def test_administrator_changes_caps_and_makes_and_revokes_tokens(as_admin: OpenPage, server: Server) -> None:
    page = await as_admin("/admin")
    await fill(page, Dams_in_all="50")
    await page.get_by_role("button", name="Save the caps").click()
    await expect(page.get_by_text("The caps apply from now on.")).to_be_visible()
    assert (await server.query("{ inventory { maxDams } }"))["inventory"] == {"maxDams": 50}
    await fill(page, New_token_for="backup")
    await page.get_by_role("button", name="Create").click()
    secret = await page.locator("code").inner_text()
    assert (await server.query("{ viewer { name } }", secret))["viewer"] == {"name": "admin"}
    await page.get_by_role("button", name="Revoke backup of admin").click()
    await expect(page.get_by_role("row", name="backup")).to_contain_text("revoked")
    assert (await server.post("{ viewer { name } }", secret))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    await expect(page.get_by_role("region", name="Delivery")).to_contain_text("at once")
    await server.query(UPDATE, most=0)


async def test_administrator_sets_groups_and_disables_and_enables(as_admin: OpenPage, server: Server) -> None:
    async def ada() -> Any:
        users = await server.query("{ users { nodes { name groups isDisabled } } }")
        (found,) = [user for user in users["users"]["nodes"] if user["name"] == "ada"]
        return set(found["groups"]), found["isDisabled"]

    page = await as_admin("/admin")
    row = page.get_by_role("row", name=re.compile("^ada"))
    await row.get_by_label("Groups of ada").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("option", name="contributor").click()
    await page.keyboard.press("Escape")
    save = row.get_by_role("button", name="Save the groups of ada")
    await save.click()
    await expect(save).to_be_hidden()
    assert await ada() == ({"reader", "contributor"}, False)
    await row.get_by_role("button", name="Disable ada").click()
    await expect(row).to_contain_text("disabled")
    assert await ada() == ({"reader", "contributor"}, True)
    await row.get_by_role("button", name="Enable ada").click()
    await expect(row).not_to_contain_text("disabled")
    assert await ada() == ({"reader", "contributor"}, False)
    await expect(page.get_by_role("button", name=re.compile("^Disable"))).to_have_count(1)
    await expect(page.get_by_label("Groups of admin")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 360)])
async def test_pages_have_no_serious_fault_of_accessibility(
    as_admin: OpenPage, scheme: str, width: int, server: Server
) -> None:
    page = await as_admin("/")
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.set_viewport_size({"width": width, "height": 740})
    if width == 360:
        await page.get_by_text("List", exact=True).click()
    base, found = page.url.split("/?")[0], {}
    for path, shown in {
        "": names(page).first,
        "/dams/1": page.get_by_role("heading", name="Deer Creek"),
        "/add": page.get_by_label(re.compile("^Name")),
        "/admin": page.get_by_role("button", name="Revoke").first,
        "/sign-in": page.get_by_role("button", name="Sign out"),
    }.items():
        if path:
            await page.goto(base + path)
        await expect(shown).to_be_visible()
        found[path] = await faults(page)
        found[path] += await page.evaluate(
            "document.documentElement.scrollWidth > innerWidth ? ['wider than it is'] : []"
        )
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_pages_fit_a_phone_to_its_edges(open_page: OpenPage, server: Server) -> None:
    page = await open_page("/")
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.get_by_text("List", exact=True).click()
    for name in ("Sign in", "Open this query"):
        await expect(page.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
    for name in ("Order", "Rows read at a time"):
        await expect(page.get_by_role("combobox", name=name)).to_be_in_viewport(ratio=1)
