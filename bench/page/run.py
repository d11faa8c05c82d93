"""`python -m bench.page.run`: how soon the map is seen, and whether it follows the hand."""

import argparse
import asyncio
import math
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench.report import conditions, table
from tests.fixtures_browser import CHROMIUM_OPTIONS, Gateway
from tests.services import find_chromium, running

WATCH = (Path(__file__).parent / "watch.js").read_text()
WHOLE_COUNTRY = "/?box=-125,24.2,-66.5,49.6"
STATE = "/?box=-114.6,36.4,-108.5,42.3"
WINDOW_S = 3.0
"""Until a new window has loaded the pages of Chromium's own, some 300 files, which would take both cores meanwhile."""
MOVE_S = 3.0
AFTERWARDS_S = 1.0
STEPS_PER_S = 60
RADIUS = 180
"""Of the circles in which the map is dragged, in points."""

Figures = dict[str, float]


async def drawn(page: Page) -> None:
    await page.locator("html[data-drawn]").wait_for(state="attached")


async def opened(browser: Browser, address: str) -> Page:
    """In a profile of its own, when the map is drawn."""
    context = await browser.new_context(viewport={"width": 1280, "height": 760}, color_scheme="light")
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await asyncio.sleep(WINDOW_S)
    await page.goto(address)
    await drawn(page)
    return page


async def painted(page: Page) -> Figures:
    """Milliseconds from the start of the navigation."""
    figures: Figures = await page.evaluate(
        """() => ({
          anything: performance.getEntriesByName("first-contentful-paint")[0].startTime,
          dams: watch.dams,
          map: watch.map,
          list: watch.list,
        })"""
    )
    return figures


async def visits(browser: Browser, url: str) -> dict[str, Figures]:
    page = await opened(browser, url + WHOLE_COUNTRY)
    first = await painted(page)
    await page.reload()
    await drawn(page)
    again = await painted(page)
    await page.context.close()
    return {"first visit": first, "again": again}


async def moved(browser: Browser, address: str) -> Figures:
    """How the frames followed each other while the map was dragged."""
    page = await opened(browser, address)
    await page.wait_for_load_state("networkidle")
    map_box = await page.get_by_role("application").first.bounding_box()
    assert map_box is not None
    x, y = map_box["x"] + map_box["width"] / 2, map_box["y"] + map_box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.evaluate("() => { watch.frames = []; watch.longTasks = []; }")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while (passed := loop.time() - begun) < MOVE_S:
        angle = 2 * math.pi * passed
        await page.mouse.move(x + RADIUS * math.sin(angle), y + RADIUS * (1 - math.cos(angle)) / 2)
        await asyncio.sleep(1 / STEPS_PER_S)
    await page.mouse.up()
    await asyncio.sleep(AFTERWARDS_S)
    watch: dict[str, Any] = await page.evaluate("watch")
    await page.context.close()
    frames = sorted(watch["frames"])
    tasks = [task["duration"] for task in watch["longTasks"]]
    return {
        "frames a second": 1000 * len(frames) / sum(frames),
        "median frame": median(frames),
        "99 % of frames": frames[int(0.99 * len(frames))],
        "longest frame": frames[-1],
        "long tasks": len(tasks),
        "their sum": sum(tasks),
    }


def row(name: str, rounds: list[Figures], digits: Callable[[float], str] = "{:,.0f}".format) -> list[str]:
    """Median and worst; of frames a second the worst is the smallest."""
    cells = []
    for figure in rounds[0]:
        values = [each[figure] for each in rounds]
        worst = min(values) if figure == "frames a second" else max(values)
        cells.append(f"{digits(median(values))} ({digits(worst)})")
    return [name, *cells]


async def measure(url: str, rounds: int) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        await visits(browser, url)
        seen = [await visits(browser, url) for _ in range(rounds)]
        places = {"the whole country": WHOLE_COUNTRY, "a state": STATE}
        drags = {place: [await moved(browser, url + path) for _ in range(rounds)] for place, path in places.items()}
        version = browser.version
        await browser.close()
    print(*conditions(rounds, []), f"Chromium {version}. Milliseconds, median (worst).\n")
    print(*table("until | anything | dams | map | list", _paints(seen)), sep="\n")
    print()
    head = " | ".join(["moved", *drags["a state"][0]])
    print(*table(head, [row(place, figures) for place, figures in drags.items()]), sep="\n")


def _paints(seen: list[dict[str, Figures]]) -> list[list[str]]:
    return [row(visit, [each[visit] for each in seen]) for visit in seen[0]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    gateway = Gateway()
    with ExitStack() as stack:
        subprocess.run(gateway.dams("init"), cwd=gateway.folder, check=True, capture_output=True)
        stack.enter_context(running(gateway))
        asyncio.run(measure(gateway.url, arguments.rounds))


if __name__ == "__main__":
    main()
