"""What a client accepts as the answer, and which of it it gets: GraphQL over HTTP, section 5.1; RFC 9110, section 12.

Of what is accepted equally, `application/graphql-response+json` goes before `application/json`; who accepts anything
gets the latter, which everybody can read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request

from transport.event_stream import FORMATS, Format
from transport.refusal import Refusal

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"

ANYTHING = "*/*"


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One of those that the header Accept lists."""

    type: str
    parameters: frozenset[str]
    """Each as `name=value`, without quotes."""
    quality: float
    """From 0 to 1; 0 is "not this one"."""


@dataclass(frozen=True, slots=True)
class Accepted:
    json: str | None
    """Media type of an answer that is one JSON object; None where only streams are accepted."""
    stream: Format | None
    """How a subscription is to be told."""

    @property
    def tells_by_status(self) -> bool:
        return self.json == GRAPHQL_JSON


ANY_CLIENT = Accepted(JSON, None)
"""For who has said nothing, and for who is told that nothing fits."""


def negotiated(request: Request) -> Accepted:
    """Raises Refusal (406)."""
    header = ",".join(request.headers.getlist("accept")).strip()
    if not header:
        return ANY_CLIENT
    accepted = _accepted(header)
    if accepted == Accepted(None, None):
        raise Refusal(406, f"Answers are {GRAPHQL_JSON} or {JSON}, and streams text/event-stream or multipart/mixed.")
    return accepted


@lru_cache(maxsize=64)
def _accepted(header: str) -> Accepted:
    """Nearly all clients say the same."""
    ranges = list(media_ranges(header))
    return Accepted(best_json(ranges), stream_of(ranges))


def media_ranges(header: str) -> Iterator[MediaRange]:
    for item in header.lower().split(","):
        media_type, *parameters = ("".join(part.replace('"', "").split()) for part in item.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        yield MediaRange(media_type, frozenset(parameters), float(quality) if is_number(quality) else 1.0)


def is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def best_json(ranges: list[MediaRange]) -> str | None:
    """The more exact range says how much a media type is wanted."""
    wanted: dict[str, float] = {}
    for pattern in (ANYTHING, "application/*", JSON, GRAPHQL_JSON):
        for each in ranges:
            if each.type == pattern:
                wanted[pattern if pattern == GRAPHQL_JSON else JSON] = each.quality
    quality, media_type = max(
        ((wanted.get(each, 0.0), each) for each in (GRAPHQL_JSON, JSON)), key=lambda pair: pair[0]
    )
    return media_type if quality else None


def stream_of(ranges: list[MediaRange]) -> Format | None:
    return next(
        (
            form
            for (media_type, parameters), form in FORMATS.items()
            if any(each.type == media_type and parameters <= each.parameters and each.quality for each in ranges)
        ),
        None,
    )
