"""The front end as built: two pages and their assets, all from this origin."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from transport.negotiation import media_ranges

PAGE_HEADERS = {"cache-control": "no-cache"}
ASSET_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",  # a changed file has another name
    "vary": "accept-encoding",
}
CODINGS = {"br": ".br", "gzip": ".gz"}
"""In which the build leaves assets, the shortest first, by the end of the file's name."""
FILES = {
    # The pages of the inventory are one file, which shows what its address says.
    **dict.fromkeys(("/", "/dams/{dam_id:int}", "/add", "/sign-in", "/admin"), "index.html"),
    "/graphiql": "graphiql.html",
    "/favicon.svg": "favicon.svg",
}
"""By the path that it answers."""


@dataclass(frozen=True, slots=True)
class GroundMap:
    """The map that the page draws dams on, where it is not the one that is built in."""

    tiles: str | None = None
    """Address of tiles with {z}, {x} and {y}."""
    attribution: str = ""

    @property
    def origin(self) -> str:
        """From where tiles come, other than from ourselves."""
        return origin_of(self.tiles)


def origin_of(url: str | None) -> str:
    """Empty where the URL has none."""
    scheme, host, *_ = urlsplit(url or "")
    return f"{scheme}://{host}" if host else ""


def content_security_policy(ground: GroundMap, issuer: str | None = None) -> str:
    """`issuer` is the OpenID provider, which the page asks for tokens."""
    tiles, provider = (f" {origin}" if origin else "" for origin in (ground.origin, origin_of(issuer)))
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the editor of GraphiQL writes its styles
            f"img-src 'self' data:{tiles}",
            "font-src 'self' data:",
            f"connect-src 'self'{tiles}{provider}",  # vector tiles are fetched
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def page_routes(built: Path, ground: GroundMap, issuer: str | None = None) -> list[BaseRoute]:
    """`built` is the folder that `npm run build` writes."""
    headers = PAGE_HEADERS | {"content-security-policy": content_security_policy(ground, issuer)}

    async def show_ground(request: Request) -> Response:
        return JSONResponse({"tiles": ground.tiles, "attribution": ground.attribution}, headers=PAGE_HEADERS)

    def page(path: str, name: str) -> Route:
        async def show(request: Request) -> Response:
            file = built / name
            if not file.is_file():
                raise HTTPException(404, "The front end is not built. Run: make run")
            return FileResponse(file, headers=headers)

        return Route(path, show)

    assets = Mount("/assets", Assets(directory=built / "assets", check_dir=False))
    return [*(page(path, name) for path, name in FILES.items()), Route("/map.json", show_ground), assets]


class Assets(StaticFiles):
    """Each in the first coding that it has and the browser accepts, else as it is."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        response.headers.update(ASSET_HEADERS)
        return response

    async def _compressed(self, path: str, scope: Scope) -> Response | None:
        accepted = {each.type for each in media_ranges(Headers(scope=scope).get("accept-encoding", "")) if each.quality}
        for coding in filter(accepted.__contains__, CODINGS):
            with suppress(HTTPException):
                response = await super().get_response(path + CODINGS[coding], scope)
                if response.status_code == 200:
                    response.headers["content-encoding"] = coding
                return response
        return None
