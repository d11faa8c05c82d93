"""Requests that are refused before any GraphQL is looked at."""

from collections.abc import Mapping

REFUSED = {
    400: "BAD_REQUEST",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "BAD_REQUEST",
    431: "REQUEST_HEADERS_TOO_LARGE",
    500: "INTERNAL_SERVER_ERROR",
}
"""Codes by status."""


class Refusal(Exception):
    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}

    @property
    def extensions(self) -> dict[str, str]:
        return {"code": REFUSED[self.status]}
