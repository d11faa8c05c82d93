"""Answers over HTTP: JSON with a code on each error, and a status that tells what happened to who can read it there.

Statuses are those of GraphQL over HTTP, section 5.4, but for what is invalid: the draft of August 2026 says 422 where
the audits of the working group, and so everybody, say 400. docs/design.md tells which is which.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from strawberry.types import ExecutionResult

from auth.authentication import AUTHORIZATION
from models.errors import InventoryError
from schema.errors import UNRESOLVED
from transport.negotiation import JSON, Accepted
from transport.refusal import Refusal

STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "DOCUMENT_NOT_TRUSTED": 403,
    "PERSISTED_QUERY_NOT_FOUND": 404,
    UNRESOLVED: 422,
    "TOO_MANY_SUBSCRIPTIONS": 429,
    "RATE_LIMITED": 429,
    "DATABASE_UNAVAILABLE": 503,
    "OPERATION_TIMEOUT": 504,
    "PROVIDER_UNAVAILABLE": 503,
    "SERVER_DRAINING": 503,
    "INTERNAL_SERVER_ERROR": 500,
}
"""By code, of an answer that holds nothing but errors."""

READ_AT_200 = {"PERSISTED_QUERY_NOT_FOUND"}
"""Codes to which clients answer, who of `application/json` read no body with another status."""

PARTIAL = 294
"""Data and errors both: section "Partial success"."""

RETRY_AFTER_S = "5"
"""For who is refused now and may be welcome in a moment."""

Answer = Mapping[str, Any]
"""`data`, `errors` in their JSON form, `extensions`: GraphQL specification, section 7.1."""


def answer_of(result: ExecutionResult) -> Answer:
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.data is not None or not result.errors or any(error.path for error in result.errors):
        answer["data"] = result.data  # else nothing was executed
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def answer_to(error: InventoryError | Refusal) -> Answer:
    return answer_of_error(str(error), error.extensions)


def answer_of_error(message: str, extensions: Mapping[str, Any]) -> Answer:
    return {"errors": [{"message": message, "extensions": extensions}]}


def status_of(answer: Answer) -> int:
    if not answer.get("errors"):
        return 200
    if answer.get("data") is not None:
        return PARTIAL
    codes = {error.get("extensions", {}).get("code") for error in answer["errors"]}
    if known := [STATUS[code] for code in codes & STATUS.keys()]:
        return max(known)
    return PARTIAL if "data" in answer else 400


def challenge(authorization: str | None) -> str:
    """What a 401 asks for: RFC 9110, section 15.5.2. No browser asks its user for that.

    Who has sent a token is told that it is not valid: RFC 6750, section 3.1.
    """
    has_token = authorization is not None and AUTHORIZATION.fullmatch(authorization.strip())
    return 'Bearer error="invalid_token"' if has_token else "Bearer"


def response(answer: Answer, accepted: Accepted, authorization: str | None) -> Response:
    """Who reads nothing but `application/json` gets 200 wherever GraphQL could answer, unless it is to wait."""
    status = status_of(answer)
    return _response(answer, status if accepted.tells_by_status or status == 429 else 200, accepted, authorization)


def refusal(error: InventoryError | Refusal, accepted: Accepted, authorization: str | None) -> Response:
    """Of what came to no GraphQL."""
    status = error.status if isinstance(error, Refusal) else STATUS.get(error.code, 400)
    if accepted.json == JSON and error.extensions["code"] in READ_AT_200:
        status = 200
    headers = error.headers if isinstance(error, Refusal) else {}
    return _response(answer_to(error), status, accepted, authorization, headers)


def _response(
    answer: Answer,
    status: int,
    accepted: Accepted,
    authorization: str | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    sent = {
        "content-type": f"{accepted.json or JSON}; charset=utf-8",
        "cache-control": "no-store" if answer.get("errors") else "no-cache",
        "vary": "accept, authorization",
        **(headers or {}),
    }
    if status == 401:
        sent["www-authenticate"] = challenge(authorization)
    if status in (429, 503):
        sent["retry-after"] = str(answer["errors"][0]["extensions"].get("retryAfter", RETRY_AFTER_S))
    return Response(orjson.dumps(answer), status, sent)
