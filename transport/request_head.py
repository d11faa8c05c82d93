"""Request lines and header fields: read no further than they may be long, nor for longer than they may take.

llhttp and uvicorn bound neither. The statuses are those of RFC 9110, section 15.5, and RFC 6585, section 5.
"""

from collections.abc import Sequence
from http import HTTPStatus

import orjson

from transport.browsers import EVERYWHERE, NO_PAGE
from transport.refusal import Refusal

MAX_LINE_BYTES = 8_000
"""Of the address and of each header field: what RFC 9110, section 4.1 has everybody take. websockets takes 8,192."""

MAX_FIELDS = 100
"""Browsers and proxies send some 30. websockets takes 128."""

MAX_HEAD_BYTES = 32 * 1024

HEAD_S = 10.0
"""For all of a head to arrive; who is slower holds a connection for nothing."""


def refusal_of(url: bytes, fields: Sequence[tuple[bytes, bytes]]) -> Refusal | None:
    """Of what has arrived of a head."""
    if len(url) > MAX_LINE_BYTES:
        return Refusal(414, f"The address may have {MAX_LINE_BYTES:,} bytes. Send what is longer by POST.")
    sizes = [len(name) + len(value) for name, value in fields]
    if len(sizes) > MAX_FIELDS:
        return Refusal(431, f"A request may have {MAX_FIELDS} header fields.")
    if max(sizes, default=0) > MAX_LINE_BYTES:
        return Refusal(431, f"A header field may have {MAX_LINE_BYTES:,} bytes.")
    return TOO_LONG if len(url) + sum(sizes) > MAX_HEAD_BYTES else None


def announces_body(fields: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in fields)


TOO_LONG = Refusal(431, f"Address and header fields may have {MAX_HEAD_BYTES:,} bytes.")
TOO_SLOW = Refusal(408, f"The head of the request has not arrived within {HEAD_S:.0f} s.")
NO_HANDSHAKE = Refusal(400, "A WebSocket is opened by GET, without a body.")
NO_HTTP = Refusal(400, "This is no request of HTTP/1.1.")


def last_answer(refusal: Refusal) -> tuple[dict[str, str], bytes]:
    """Header fields and body, on a connection that ends with it and on which no application answers."""
    body = orjson.dumps({"errors": [{"message": str(refusal), "extensions": refusal.extensions}]})
    headers = {
        "content-type": "application/json; charset=utf-8",
        "content-length": f"{len(body)}",
        "connection": "close",
        "cache-control": "no-store",
        **EVERYWHERE,
        **NO_PAGE,
    }
    return headers, body


def as_sent(refusal: Refusal) -> bytes:
    headers, body = last_answer(refusal)
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}", *map(": ".join, headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
