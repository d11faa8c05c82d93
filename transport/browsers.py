"""What every answer over HTTP tells browsers, who may ask from other origins, and the id of each request.

No cookie is read or set, and nothing else that a browser would send along by itself says who somebody is. So a page of
another origin can do no more in the name of its visitor than its owner could from anywhere. It cannot even read:
without `DAMS_ALLOWED_ORIGINS` no answer says that it may. What writes is JSON by POST, which a page of another origin
cannot send unasked, while a form can send no JSON. Queries by GET need no header that forces a preflight for that.
"""

import os
import re
from collections.abc import Sequence
from operator import itemgetter

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "x-request-id"
USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Of a proxy, which has it in its own log; no other text gets into ours."""

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = b"content-security-policy"
NO_PAGE = {POLICY.decode(): "default-src 'none'; frame-ancestors 'none'"}
"""Of answers that bring no policy of their own: what is no page loads nothing and is shown in none."""


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


ADDED, ADDED_TO_NO_PAGE = _raw(EVERYWHERE), _raw(EVERYWHERE | NO_PAGE)


class Marked:
    """Gives each request its id, as `request.state.request_id`, and each answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                added = ADDED if POLICY in map(itemgetter(0), headers) else ADDED_TO_NO_PAGE
                message["headers"] = [*headers, *added, (b"x-request-id", request_id.encode())]
            await send(message)

        await self._app(scope, receive, send_marked if scope["type"] == "http" else send)


def _id_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        given: str = value.decode("latin-1") if name == b"x-request-id" else ""
        if USABLE_ID.fullmatch(given):
            return given
    return os.urandom(16).hex()


class Origins(CORSMiddleware):
    """Pages of other origins."""

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "last-event-id", REQUEST_ID],
            expose_headers=["retry-after", REQUEST_ID],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette does it, without reading all headers where none is of interest."""
        if scope["type"] == "http" and b"origin" in map(itemgetter(0), scope["headers"]):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """A refusal is JSON with a code, as every other."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        what = bytes(response.body).decode().removeprefix("Disallowed CORS ")
        message = f"Pages of other origins may not do this: {what}. DAMS_ALLOWED_ORIGINS names those that may ask."
        refusal = {"errors": [{"message": message, "extensions": {"code": "FORBIDDEN"}}]}
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return JSONResponse(refusal, 403, headers)
