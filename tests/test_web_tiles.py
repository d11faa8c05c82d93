"""The map on tiles of another server, images or vectors, in a real browser."""

import base64
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.conftest import until
from tests.fixtures_browser import Gateway, OpenPage, started
from tests.test_web_map import IN_THE_MIDDLE

GREEN = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMQqbABAAFsAMloBcADAAAAAElFTkSuQmCC")
"""A PNG of one point."""
WATER = bytes.fromhex(
    "1a20 7802 0a05 7761746572 288020"  # a layer of version 2, with its name and extent
    "1212 1803 220e 090000 1a80400000 8040ff3f 000f"  # and a polygon that covers the tile
)
"""A Mapbox Vector Tile of nothing but water."""
TILES = {"png": ("image/png", GREEN), "mvt": ("application/vnd.mapbox-vector-tile", WATER)}


class TileServer(ThreadingHTTPServer):
    """All tiles of a kind are the same."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TileHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []


class TileHandler(BaseHTTPRequestHandler):
    server: TileServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content_type, tile = TILES[self.path.rpartition(".")[2]]
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(tile)))
        self.end_headers()
        self.wfile.write(tile)

    def log_message(self, *message: Any) -> None:
        pass


class GatewayWithTiles(Gateway):
    def __init__(self, url: str, kind: str) -> None:
        super().__init__()
        self.others = (url,)
        self._chosen = {"DAMS_MAP_TILES": f"{url}/{{z}}/{{x}}/{{y}}.{kind}", "DAMS_MAP_ATTRIBUTION": "Example Maps"}

    def settings(self) -> dict[str, str]:
        return super().settings() | self._chosen


@pytest.fixture(scope="module")
def tiles() -> Iterator[TileServer]:
    with TileServer() as tiles:
        threading.Thread(target=tiles.serve_forever).start()
        yield tiles
        tiles.shutdown()


@pytest.fixture(scope="module", params=TILES)
def gateway(request: pytest.FixtureRequest, tiles: TileServer) -> Iterator[Gateway]:
    with started(GatewayWithTiles(tiles.url, request.param)) as gateway:
        yield gateway


# A canvas that shows a picture of another origin cannot be read, and says so. Vectors are drawn in our own colours.
IN_THE_MIDDLE_OF_TILES = f"""() => {{
  try {{ document.querySelector(".ground canvas")?.getContext("2d").getImageData(0, 0, 1, 1) }}
  catch (error) {{ return error.name }}
  return ({IN_THE_MIDDLE})()
}}"""
DRAWN = {"png": "SecurityError", "mvt": [0xD9, 0xE5, 0xEE, 0xFF]}


async def test_the_map_lies_on_the_tiles_of_the_setting(
    open_page: OpenPage, gateway: Gateway, tiles: TileServer
) -> None:
    kind = gateway.settings()["DAMS_MAP_TILES"].rpartition(".")[2]
    tiles.asked.clear()
    page = await open_page("/", box="-112,40,-111,41")
    await expect(page.get_by_text("Example Maps")).to_be_visible()
    await until(lambda: _evaluates(page, IN_THE_MIDDLE_OF_TILES, DRAWN[kind]))
    assert all(re.fullmatch(rf"/\d+/\d+/\d+\.{kind}", path) for path in tiles.asked)


async def _evaluates(page: Page, script: str, expected: Any) -> bool:
    return bool(await page.evaluate(script) == expected)
