"""Opaque strings for clients: ids of nodes, places in a page, places in the log."""

import base64
import binascii
from typing import Any

import orjson

from models.errors import BadUserInput

URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encode(*parts: object) -> str:
    return binascii.b2a_base64(orjson.dumps(parts), newline=False).translate(URL_SAFE).rstrip(b"=").decode()


def decode(text: str, kind: str, what: str) -> list[Any]:
    """The parts after the kind, which comes first.

    Raises BadUserInput for text that is not ours or is of another kind.
    """
    try:
        parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or not parts or parts[0] != kind:
        raise not_ours(text, what)
    return parts[1:]


def not_ours(text: str, what: str) -> BadUserInput:
    return BadUserInput(f'"{text[:40]}" is not {what}. Pass one on as it was received.')


def whole_number(value: object) -> int:
    """Raises ValueError for what is not a sequence number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    raise ValueError("not a sequence number")


def dam_global_id(dam_id: int) -> str:
    return encode("Dam", dam_id)


def dam_id_of(global_id: str) -> int:
    """Raises BadUserInput."""
    return number_of(global_id, "Dam", "the id of a dam")


def event_cursor(sequence: int) -> str:
    return encode("event", sequence)


def sequence_of(cursor: str) -> int:
    """Raises BadUserInput."""
    return number_of(cursor, "event", "an event cursor")


def number_of(text: str, kind: str, what: str) -> int:
    """Raises BadUserInput."""
    try:
        (number,) = decode(text, kind, what)
        return whole_number(number)
    except ValueError:
        raise not_ours(text, what) from None
