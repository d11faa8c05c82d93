"""The headers of the pages, and what they are told of the map."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from transport.pages import GroundMap, page_routes

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


async def get(path: str, built: Path, ground: GroundMap) -> httpx.Response:
    (built / "index.html").write_text("<!doctype html>")
    app = httpx.ASGITransport(Starlette(routes=page_routes(built, ground)))
    async with httpx.AsyncClient(transport=app, base_url="http://dams") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("ground", "images", "connections"),
    [
        pytest.param(GroundMap(), "'self' data:", "'self'", id="built in"),
        pytest.param(
            GroundMap(TILES), "'self' data: https://tiles.example.org", "'self' https://tiles.example.org", id="theirs"
        ),
        pytest.param(GroundMap("/tiles/{z}/{x}/{y}.mvt"), "'self' data:", "'self'", id="ours"),
    ],
)
async def test_pages_may_load_tiles_from_where_the_setting_says_and_nothing_else(
    tmp_path: Path, ground: GroundMap, images: str, connections: str
) -> None:
    policy = (await get("/", tmp_path, ground)).headers["content-security-policy"]
    allowed = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert (allowed["img-src"], allowed["connect-src"]) == (images, connections)
    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == "'self'"


async def test_the_page_is_told_which_tiles_to_load(tmp_path: Path) -> None:
    told = (await get("/map.json", tmp_path, GroundMap(TILES, "Example Maps"))).json()
    assert told == {"tiles": TILES, "attribution": "Example Maps"}


async def test_assets_are_compressed_and_kept_by_browsers(tmp_path: Path) -> None:
    script = "export const dams = [];\n" * 10_000
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page-1.js").write_text(script)
    answer = await get("/assets/page-1.js", tmp_path, GroundMap())
    assert (answer.text, answer.headers["content-encoding"]) == (script, "gzip")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await get("/assets/page-2.js", tmp_path, GroundMap())).status_code == 404
