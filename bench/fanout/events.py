"""The event that every server sends, and the subscription that asks for it."""

import base64
import json
from typing import Any

Dam = dict[str, Any]

SUBSCRIBE = json.dumps(
    {"query": "subscription { damAdded { id name owner river dateBuilt location { latitude longitude } } }"}
)

OPERATION_ID_LENGTH = 36
"""Stock clients send a UUID."""

MESSAGE_LENGTH = 291
"""Bytes of a `next` message without blanks in its JSON. Strawberry by itself sends blanks."""


def dam(number: int) -> Dam:
    """By GraphQL's names. The name is filled up so that the message has MESSAGE_LENGTH."""
    found = _dam(number, "")
    message = {"id": " " * OPERATION_ID_LENGTH, "type": "next", "payload": payload(found)}
    missing = MESSAGE_LENGTH - len(compact(message))
    return _dam(number, f"Sample Dam {number} ".ljust(missing, "x"))


def _dam(number: int, name: str) -> Dam:
    return {
        "id": base64.b64encode(f"Dam:{number}".encode()).decode(),
        "name": name,
        "owner": "Bureau of Reclamation",
        "river": "TR-PROVO RIVER",
        "dateBuilt": "1941-06-15",
        "location": {"latitude": 40.40361, "longitude": -111.52917},
    }


def payload(dam: Dam) -> dict[str, Any]:
    return {"data": {"damAdded": dam}}


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
