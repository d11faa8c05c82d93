"""GraphQL requests as they come by HTTP: read no further than they may be long, and checked.

Section 4 of GraphQL over HTTP: POST with a JSON object, or GET with the same members in the query string.
"""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request

from transport.deadline import Deadline
from transport.refusal import Refusal

BODY_S = 10.0
"""For all of the body to arrive; who is slower holds a connection for nothing."""


class GraphQLRequest(NamedTuple):
    query: str
    """Empty where the document is named otherwise."""
    variables: Mapping[str, Any]
    name: str | None
    extensions: Mapping[str, Any]
    document_id: str | None


MEMBERS: dict[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "variables": (dict, "an object"),
    "operationName": (str, "a string"),
    "extensions": (dict, "an object"),
    "documentId": (str, "a string"),
}
"""What they must be, unless they are null or missing. Others are passed over, as the specification demands."""


def wrong_member(members: Mapping[str, Any]) -> str | None:
    """The name of one that is of another type than it must be."""
    return next((name for name, (kind, _) in MEMBERS.items() if not isinstance(members.get(name), kind | None)), None)


def request_of(members: Mapping[str, Any]) -> GraphQLRequest:
    """Raises Refusal."""
    if name := wrong_member(members):
        raise Refusal(400, f"{name} must be {MEMBERS[name][1]}.")
    return GraphQLRequest(
        members.get("query") or "",
        members.get("variables") or {},
        members.get("operationName"),
        members.get("extensions") or {},
        members.get("documentId"),
    )


async def read_request(request: Request, max_bytes: int) -> GraphQLRequest:
    """Raises Refusal."""
    if request.method == "GET":
        return request_of(members_of_url(request.query_params))
    if request.method != "POST":
        raise Refusal(405, "GraphQL is asked by GET or POST.", {"allow": "GET, POST"})
    check_body_type(request)
    return request_of(object_of(await read_body(request, max_bytes), "The body", 422))


def members_of_url(parameters: Mapping[str, str]) -> dict[str, Any]:
    """An empty parameter is as good as none: section 4.2."""
    members: dict[str, Any] = {name: value for name, value in parameters.items() if value}
    for name in ("variables", "extensions"):
        if name in members:
            members[name] = object_of(members[name], name)
    return members


def check_body_type(request: Request) -> None:
    """Raises Refusal."""
    headers = request.headers
    if reason := _refused(headers.get("content-type", "text/plain"), headers.get("content-encoding", "identity")):
        raise Refusal(415, reason)


@lru_cache(maxsize=64)
def _refused(content_type: str, encoding: str) -> str | None:
    """Why; None where it is read. Nearly all clients say the same."""
    header = Message()
    header["content-type"] = content_type
    if header.get_content_type() != "application/json":
        return "Send the request as application/json."
    if str(header.get_param("charset", "utf-8")).lower() not in ("utf-8", "utf8"):
        return "Send the request in UTF-8."
    return None if encoding.lower() == "identity" else "Send the request without content-encoding."


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Stops at what is too much, also where no Content-Length has announced it."""
    too_large = f"A request may have {max_bytes} bytes."
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise Refusal(413, too_large)
    body = bytearray()
    try:
        with Deadline(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise Refusal(413, too_large)  # the rest is passed over, for as long as a head may take
    except TimeoutError:
        raise Refusal(408, f"The request has not arrived within {BODY_S:.0f} s.", {"connection": "close"}) from None
    return bytes(body)


def object_of(text: str | bytes, what: str, otherwise: int = 400) -> dict[str, Any]:
    """Raises Refusal: with the status `otherwise` for JSON that is no object."""
    try:
        # orjson takes no NaN, no Infinity and no lone surrogates, and bounds the depth.
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refusal(400, f"{what} is not JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(otherwise, f"{what} must be a JSON object. Batches are not taken.")
    return value
