"""The pictures of docs/, taken of pages that show what they are there to show. `make screenshots` takes them anew.

With dams of federal owners alone, as a picture stays, and private persons are named in the inventory.
"""

import csv
import gzip
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from ingest.national import NATIONAL_FILE
from tests.conftest import Server, until
from tests.fixtures_browser import Gateway, OpenPage, clients_of, faults, started
from tests.test_web_inventory import fill, names
from tests.test_web_map import add, notice, shows
from tests.test_web_pages import execute, show_response

UTAH = "-114.6,36.4,-108.5,42.3"
WHOLE_COUNTRY = "-125,24.2,-66.5,49.6"
FEDERAL, IRRIGATION = "F", "I"
QUERY = """{
  dams(
    first: 5
    where: { states: ["UT"] }
    orderBy: { field: HEIGHT, direction: DESC }
  ) {
    totalCount
    nodes {
      name
      river
      heightFt
    }
  }
}"""
"""That of the README."""


@pytest.fixture(scope="module")
def federal_dams() -> list[dict[str, str]]:
    with gzip.open(NATIONAL_FILE, "rt") as file:
        return [dam for dam in csv.DictReader(file) if dam["owner_types"] == FEDERAL]


@pytest.fixture(scope="module")
def gateway(federal_dams: list[dict[str, str]]) -> Iterator[Gateway]:
    with started(Gateway()) as gateway:
        file = gateway.folder / "federal.csv"
        with file.open("w") as opened:
            writer = csv.DictWriter(opened, federal_dams[0])
            writer.writeheader()
            writer.writerows(federal_dams)
        subprocess.run(gateway.dams("import", str(file)), cwd=gateway.folder, check=True, capture_output=True)
        yield gateway


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Server]:
    async with clients_of(gateway) as server:
        yield server


TakePicture = Callable[..., Awaitable[None]]


@pytest.fixture
def take_picture(tmp_path: Path) -> TakePicture:
    """Of a page that does not change any more, into the folder `SCREENSHOTS` of the environment."""
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))

    async def take_picture(page: Page, name: str) -> None:
        pictures = [b""]

        async def is_still() -> bool:
            pictures.append(await page.screenshot(caret="hide"))
            return pictures[-1] == pictures[-2]

        await page.wait_for_load_state("networkidle")
        await until(is_still)
        (folder / f"{name}.png").write_bytes(pictures[-1])

    return take_picture


async def look(page: Page, *, scheme: Any = "light", width: int = 1280, height: int = 760) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.set_viewport_size({"width": width, "height": height})


async def test_picture_of_the_map(
    open_page: OpenPage, take_picture: TakePicture, federal_dams: list[dict[str, str]]
) -> None:
    page = await open_page("/", box=WHOLE_COUNTRY, orderBy="HEIGHT_DESC")
    await look(page)
    await expect(names(page).first).to_have_text("HOOVER")
    in_view = [dam for dam in federal_dams if float(dam["longitude"]) > -130 and float(dam["latitude"]) > 24]
    shown = page.get_by_text(re.compile(r"^[\d,]+ dams$"))
    await expect(shown).to_have_text(f"{len(in_view):,} dams")
    await page.get_by_role("button", name="Show HOOVER on the map").click()
    popup = page.get_by_role("region", name="HOOVER")
    await expect(popup).to_contain_text("COLORADO RIVER")
    await page.get_by_text("Metric", exact=True).click()
    await expect(popup).to_contain_text("223 m")
    await page.get_by_text("US units", exact=True).click()
    await expect(popup).to_contain_text("730 ft")
    assert await faults(page) == []
    await take_picture(page, "map")


async def test_picture_of_the_list(
    open_page: OpenPage, take_picture: TakePicture, federal_dams: list[dict[str, str]]
) -> None:
    page = await open_page("/", where='{"states":["UT"],"purposes":["IRRIGATION"]}', orderBy="HEIGHT_DESC")
    await look(page, width=360, height=740)
    await page.get_by_text("List", exact=True).click()
    await page.get_by_text("Metric", exact=True).click()
    found = [dam for dam in federal_dams if dam["state"] == "UT" and IRRIGATION in dam["purposes"].split(";")]
    await expect(page.get_by_text(f"{len(found)} dams", exact=True)).to_be_visible()
    highest = sorted(found, key=lambda dam: -float(dam["height_ft"] or 0))[:5]
    await expect(page.locator("tbody tr").nth(4)).to_be_visible()
    assert (await names(page).all_inner_texts())[:5] == [dam["name"] for dam in highest]
    assert await faults(page) == []
    await take_picture(page, "list")


async def test_picture_of_the_form(as_admin: OpenPage, take_picture: TakePicture) -> None:
    page = await as_admin("/add")
    await look(page)
    await fill(page, Name="Glen Canyon Dam", Owner="Reclamation", River="Colorado River", Date_built="1963")
    await fill(page, Latitude="36.9375", Longitude="-111.4844")
    await expect(page.get_by_text("Is it one of these?")).to_be_visible()
    await expect(page.get_by_role("link", name="GLEN CANYON", exact=True)).to_be_visible()
    assert await faults(page) == []
    await take_picture(page, "form")


async def test_picture_of_graphiql(
    open_page: OpenPage, take_picture: TakePicture, federal_dams: list[dict[str, str]]
) -> None:
    page = await open_page("/graphiql", query=QUERY)
    await look(page, height=720)
    await execute(page)
    dams = [dam for dam in federal_dams if dam["state"] == "UT"]
    await show_response(page, f'"totalCount": {len(dams)}')
    await show_response(page, max(dams, key=lambda dam: float(dam["height_ft"] or 0))["name"])
    await take_picture(page, "graphiql")


async def test_picture_of_the_notice(open_page: OpenPage, server: Server, take_picture: TakePicture) -> None:
    page = await open_page("/", box=UTAH, orderBy="ADDED_DESC")
    await look(page, scheme="dark")
    await shows(page, groups=None)
    await expect(page.get_by_role("status")).to_have_text("live")
    await add(server, "Sample Dam", UTAH, owner="Reclamation", location={"latitude": 39.3, "longitude": -113.4})
    await expect(notice(page)).to_contain_text("Dam added: Sample Dam, by Reclamation")
    await expect(page.locator("[data-dam-id]")).to_be_visible()
    await expect(names(page).first).to_have_text("Sample Dam")
    assert await faults(page) == []
    await take_picture(page, "notice")
