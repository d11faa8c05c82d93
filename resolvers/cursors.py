"""Opaque strings for clients: ids of nodes, places in a page, places in the log."""

import base64
import binascii
from typing import Any

import orjson

from models.errors import BadUserInput


def encode(*parts: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode(text: str, kind: str, what: str) -> list[Any]:
    """The parts after the kind, which comes first.

    Raises BadUserInput for text that is not ours or is of another kind.
    """
    try:
        parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        parts = None
    if not isinstance(parts, list) or not parts or parts[0] != kind:
        raise BadUserInput(f'"{text[:40]}" is not {what}. Pass one on as it was received.')
    return parts[1:]


def dam_global_id(dam_id: int) -> str:
    return encode("Dam", dam_id)


def dam_id_of(global_id: str) -> int:
    """Raises BadUserInput."""
    return _whole_number(decode(global_id, "Dam", "the id of a dam"), "the id of a dam", global_id)


def event_cursor(sequence: int) -> str:
    return encode("event", sequence)


def sequence_of(cursor: str) -> int:
    """Raises BadUserInput."""
    return _whole_number(decode(cursor, "event", "an event cursor"), "an event cursor", cursor)


def _whole_number(parts: list[Any], what: str, text: str) -> int:
    match parts:
        case [int(number)] if 0 <= number < 2**31 and not isinstance(number, bool):
            return number
    raise BadUserInput(f'"{text[:40]}" is not {what}. Pass one on as it was received.')
