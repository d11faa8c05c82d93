"""Which of what a client accepts it gets."""

import pytest
from starlette.requests import Request

from transport.event_stream import FORMATS
from transport.negotiation import GRAPHQL_JSON, JSON, Accepted, negotiated
from transport.refusal import Refusal

EVENTS, MULTIPART = FORMATS.values()

ACCEPTED = {
    None: Accepted(JSON, None),
    "": Accepted(JSON, None),
    "*/*": Accepted(JSON, None),
    "application/*": Accepted(JSON, None),
    "text/html, */*;q=0.1": Accepted(JSON, None),
    JSON: Accepted(JSON, None),
    GRAPHQL_JSON: Accepted(GRAPHQL_JSON, None),
    f"{GRAPHQL_JSON}; charset=utf-8, {JSON}; charset=utf-8": Accepted(GRAPHQL_JSON, None),
    f"{JSON}, {GRAPHQL_JSON}": Accepted(GRAPHQL_JSON, None),
    f"{GRAPHQL_JSON},{JSON};q=0.9": Accepted(GRAPHQL_JSON, None),
    f"{GRAPHQL_JSON};q=0.5, {JSON}": Accepted(JSON, None),
    f"{GRAPHQL_JSON};q=0, */*": Accepted(JSON, None),
    f"{JSON};q=0, {GRAPHQL_JSON}": Accepted(GRAPHQL_JSON, None),
    f"*/*;q=0.9, {JSON};q=0.1, {GRAPHQL_JSON};q=0.2": Accepted(GRAPHQL_JSON, None),
    "Application/JSON": Accepted(JSON, None),
    "text/event-stream": Accepted(None, EVENTS),
    f"text/event-stream, {JSON}": Accepted(JSON, EVENTS),
    f"text/event-stream;q=0, {JSON}": Accepted(JSON, None),
    'multipart/mixed;boundary=graphql;subscriptionSpec="1.0", application/json': Accepted(JSON, MULTIPART),
    "multipart/mixed; subscriptionSpec=1.0": Accepted(None, MULTIPART),
    f"multipart/mixed; deferSpec=20220824, {GRAPHQL_JSON}": Accepted(GRAPHQL_JSON, None),
    f"{JSON};q=nonsense": Accepted(JSON, None),
}


def asking(accept: str | None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers})


@pytest.mark.parametrize("accept", ACCEPTED)
def test_the_best_of_what_is_accepted_is_sent(accept: str | None) -> None:
    assert negotiated(asking(accept)) == ACCEPTED[accept]


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", "*/*;q=0.0", "multipart/mixed", "image/*", ",", "json"])
def test_who_accepts_nothing_that_is_sent_is_refused(accept: str) -> None:
    with pytest.raises(Refusal) as refusal:
        negotiated(asking(accept))
    assert refusal.value.status == 406
    assert refusal.value.extensions == {"code": "NOT_ACCEPTABLE"}
