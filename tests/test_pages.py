"""The headers of the pages, and what they are told of the map."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from transport.pages import GroundMap, page_routes

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"
SCRIPT = b"export const dams = [];\n" * 1_000


async def get(path: str, built: Path, ground: GroundMap, **headers: str) -> httpx.Response:
    (built / "index.html").write_text("<!doctype html>")
    app = httpx.ASGITransport(Starlette(routes=page_routes(built, ground)))
    async with httpx.AsyncClient(transport=app, base_url="http://dams") as client:
        return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


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


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """With a script that the build has compressed, and one that it has not."""
    assets = tmp_path / "assets"
    assets.mkdir()
    for name, content in {
        "page-1.js": SCRIPT,
        "page-1.js.br": b"SCRIPT in Brotli",
        "page-1.js.gz": gzip.compress(SCRIPT),
        "small-1.js": SCRIPT,
    }.items():
        (assets / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("accepted", "coding", "file"),
    [
        ("gzip, deflate, br, zstd", "br", "page-1.js.br"),
        ("gzip", "gzip", "page-1.js.gz"),
        ("br;q=0, GZIP;q=0.5", "gzip", "page-1.js.gz"),
        ("identity", None, "page-1.js"),
        ("zstd, br;q=0", None, "page-1.js"),
        ("", None, "page-1.js"),
    ],
)
async def test_assets_are_sent_as_the_build_has_compressed_them(
    built: Path, accepted: str, coding: str | None, file: str
) -> None:
    answer = await get("/assets/page-1.js", built, GroundMap(), accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == coding
    assert int(answer.headers["content-length"]) == (built / "assets" / file).stat().st_size
    assert answer.headers["content-type"].startswith("text/javascript")


async def test_assets_are_kept_by_browsers_and_by_what_is_on_the_way(built: Path) -> None:
    etags = set()
    for accepted in ("br", "gzip", "identity"):
        answer = await get("/assets/page-1.js", built, GroundMap(), accept_encoding=accepted)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"
        etags.add(etag := answer.headers["etag"])
        again = await get("/assets/page-1.js", built, GroundMap(), accept_encoding=accepted, if_none_match=etag)
        assert (again.status_code, again.headers["etag"]) == (304, etag)
        assert "content-encoding" not in again.headers
    assert len(etags) == 3


async def test_assets_that_the_build_has_not_compressed_are_sent_as_they_are(built: Path) -> None:
    answer = await get("/assets/small-1.js", built, GroundMap(), accept_encoding="br, gzip")
    assert (answer.content, "content-encoding" in answer.headers) == (SCRIPT, False)
    for name in ("page-2.js", "%00", "a" * 300):
        assert (await get(f"/assets/{name}", built, GroundMap(), accept_encoding="br, gzip")).status_code == 404
