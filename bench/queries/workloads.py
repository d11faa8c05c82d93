"""What is asked: the same of every server, of PostGraphile by the names that it gives."""

import base64
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any

import orjson

from bench.queries.inventories import TOKEN
from bench.queries.servers import Schema

VARIANTS = 100
"""Different boxes and points, as of people who look at different parts of the map."""

NATIONAL_DAMS = 91_213
"""With the ids from 1 on."""

DAM = "id name river state dateBuilt heightFt location { latitude longitude }"
PAGE = f"{{ nodes {{ {DAM} }} pageInfo {{ hasNextPage endCursor }} }}"

OURS = {
    "page": f"query Page($first: Int!, $after: String) {{ dams(first: $first, after: $after) {PAGE} }}",
    "filter": "query Filter($box: BoxInput!, $text: String!)"
    f" {{ dams(first: 100, where: {{box: $box, text: $text}}) {PAGE} }}",
    "nearest": "query Nearest($latitude: Float!, $longitude: Float!)"
    f" {{ nearestDams(latitude: $latitude, longitude: $longitude, first: 10) {{ distanceM dam {{ {DAM} }} }} }}",
    "node": f"query Node($id: ID!) {{ node(id: $id) {{ ... on Dam {{ {DAM} }} }} }}",
    "aliases": f"query Start($id: ID!) {{ all: dams(first: 10) {PAGE}"
    f' utah: dams(first: 10, where: {{states: ["UT"]}}) {PAGE} one: node(id: $id) {{ ... on Dam {{ {DAM} }} }} }}',
    "add": f"mutation Add($input: AddDamInput!) {{ addDam(input: $input) {{ dam {{ {DAM} }} errors {{ message }} }} }}",
}

FLAT_DAM = "id name river state dateBuilt heightFt latitude longitude"
FLAT_PAGE = f"{{ nodes {{ {FLAT_DAM} }} pageInfo {{ hasNextPage endCursor }} }}"

POSTGRAPHILE = {
    "page": f"query Page($first: Int!, $after: Cursor) {{ allDams(first: $first, after: $after) {FLAT_PAGE} }}",
    "filter": "query Filter($west: Float!, $south: Float!, $east: Float!, $north: Float!, $text: String!)"
    f" {{ damsIn(west: $west, south: $south, east: $east, north: $north, part: $text, first: 100) {FLAT_PAGE} }}",
    "nearest": "query Nearest($latitude: Float!, $longitude: Float!)"
    " { nearestDams(latitude: $latitude, longitude: $longitude, most: 10)"
    f" {{ nodes {{ distanceM dam {{ {FLAT_DAM} }} }} }} }}",
    "node": f"query Node($id: Int!) {{ damByRowId(rowId: $id) {{ {FLAT_DAM} }} }}",
    "aliases": f"query Start($id: Int!) {{ all: allDams(first: 10) {FLAT_PAGE}"
    f' utah: damsOfState(usps: "UT", first: 10) {FLAT_PAGE} one: damByRowId(rowId: $id) {{ {FLAT_DAM} }} }}',
    "add": f"mutation Add($input: AddDamInput!) {{ addDam(input: $input) {{ result {{ {FLAT_DAM} }} }} }}",
}

DOCUMENTS: Mapping[Schema, Mapping[str, str]] = {"ours": OURS, "postgraphile": POSTGRAPHILE}

Variables = dict[str, Any]


def for_postgraphile(variables: Variables) -> Variables:
    """Boxes and locations are flat there, and a dam has its integer as id."""
    flat: Variables = {}
    for name, value in variables.items():
        if name in {"box", "location"}:
            flat |= value
        elif name == "input":
            flat[name] = for_postgraphile(value)
        elif name == "id":
            flat[name] = dam_number(value)
        else:
            flat["built" if name == "dateBuilt" else name] = value
    return flat


def encoded(*parts: object) -> str:
    """Ids and cursors, as this server and the hand-written peers make them."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def dam_id(number: int) -> str:
    return encoded("Dam", number)


def dam_number(text: str) -> int:
    return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[1]


def request(schema: Schema, document: str, variables: Variables) -> bytes:
    variables = variables if schema == "ours" else for_postgraphile(variables)
    return request_of(DOCUMENTS[schema][document], variables)


def request_of(document: str, variables: Variables) -> bytes:
    """As it goes over the wire."""
    body = orjson.dumps({"query": document, "variables": variables})
    # Only adds need a token, and only with ours.
    token = f"authorization: Bearer {TOKEN}\r\n" if document.startswith("mutation") else ""
    head = (
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n"
        f"content-type: application/json\r\n{token}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


Requests = Callable[[Schema], Iterator[bytes]]
"""Without end; the same of each server."""


def page(first: int) -> Requests:
    return lambda schema: cycle([request(schema, "page", {"first": first})])


def varied(document: str, variables: Callable[[random.Random], Variables], variants: int = VARIANTS) -> Requests:
    def requests(schema: Schema) -> Iterator[bytes]:
        chance = random.Random(document)
        return cycle([request(schema, document, variables(chance)) for _ in range(variants)])

    return requests


def place(chance: random.Random) -> Variables:
    return {"latitude": round(chance.uniform(31, 47), 4), "longitude": round(chance.uniform(-118, -78), 4)}


def part(chance: random.Random) -> Variables:
    """Two degrees each way, as a map of a county or two."""
    centre = place(chance)
    west, south = centre["longitude"] - 1, centre["latitude"] - 1
    box = {"west": west, "south": south, "east": west + 2, "north": south + 2}
    return {"box": {side: round(value, 4) for side, value in box.items()}, "text": "creek"}


def one_dam(chance: random.Random) -> Variables:
    return {"id": dam_id(chance.randint(1, NATIONAL_DAMS))}


def adds(schema: Schema) -> Iterator[bytes]:
    chance = random.Random("add")
    for number in count(1):
        dam = {
            "name": f"Sample Dam {number}",
            "owner": "Reclamation",
            "river": "Provo River",
            "dateBuilt": "1941-06-15",
        }
        yield request(schema, "add", {"input": {**dam, "location": place(chance)}})


def mixed(shares: Mapping[str, int]) -> Requests:
    """A random order in which each comes as often as its share."""

    def requests(schema: Schema) -> Iterator[bytes]:
        sources = {name: BY_NAME[name].requests(schema) for name in shares}
        names = random.Random("mix").choices(list(shares), list(shares.values()), k=10_000)
        return (next(sources[name]) for name in cycle(names))

    return requests


@dataclass(frozen=True)
class Workload:
    name: str
    requests: Requests
    tells: str
    connections: int = 8
    writes: bool = False


READS = {"page-10": 6, "page-100": 4, "filter": 4, "nearest": 2, "node": 4}

WORKLOADS = [
    Workload("page-10", page(10), "the first 10 dams"),
    Workload("page-100", page(100), "the first 100"),
    Workload("page-1000", page(1_000), "the first 1,000"),
    Workload("filter", varied("filter", part), "100 dams of a box with a text in their names"),
    Workload("nearest", varied("nearest", place), "the 10 dams nearest to a point"),
    Workload("node", varied("node", one_dam, 5_000), "a dam by its id"),
    Workload("aliases", varied("aliases", one_dam), "two pages of 10 and a dam in one document"),
    Workload("mix", mixed(READS), "of " + ", ".join(f"{share * 5} % {name}" for name, share in READS.items())),
    Workload("add", adds, "addDam", connections=50, writes=True),
    Workload(
        "mix-adds",
        mixed({**{name: share * 9 for name, share in READS.items()}, "add": sum(READS.values())}),
        "the mix with 10 % addDam",
        connections=50,
        writes=True,
    ),
]
BY_NAME = {workload.name: workload for workload in WORKLOADS}
