"""The front end as built: two pages and their assets, all from this origin."""

from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor of GraphiQL writes its styles
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
ASSET_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "public, max-age=31536000, immutable",  # a changed file has another name
}
FILES = {
    # The pages of the inventory are one file, which shows what its address says.
    **dict.fromkeys(("/", "/dams/{dam_id:int}", "/add", "/sign-in", "/admin"), "index.html"),
    "/graphiql": "graphiql.html",
    "/favicon.svg": "favicon.svg",
}
"""By the path that it answers."""


def page_routes(built: Path) -> list[BaseRoute]:
    """`built` is the folder that `npm run build` writes."""

    def page(path: str, name: str) -> Route:
        async def show(request: Request) -> Response:
            file = built / name
            if not file.is_file():
                raise HTTPException(404, "The front end is not built. Run: make run")
            return FileResponse(file, headers=PAGE_HEADERS)

        return Route(path, show)

    assets = Mount("/assets", Assets(directory=built / "assets", check_dir=False))
    return [*(page(path, name) for path, name in FILES.items()), assets]


class Assets(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(ASSET_HEADERS)
        return response
