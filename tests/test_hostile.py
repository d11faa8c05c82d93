"""Requests that are made to hurt: each has its exact answer, and leaves the server as it was."""

import base64
import gc
import gzip
import json
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.conftest import Server
from tests.streaming import opened
from tests.test_limits import doubling

COUNT = "{ inventory { damCount } }"
TEXT = "query ($text: String) { dams(where: {text: $text}) { totalCount } }"
GRAPHQL_JSON = "application/graphql-response+json"

ALIASES = "{ " + " ".join(f"a{n}: dams(first: 100) {{ nodes {{ name }} }}" for n in range(100)) + " }"
CIRCLE = "{ dam(damId: 1) { ...A } } fragment A on Dam { ...B } fragment B on Dam { ...A }"
SELF = "{ ...A } fragment A on Query { ...A }"
CHAIN = (
    "{ dam(damId: 1) { ...F0 } } "
    + " ".join(f"fragment F{n} on Dam {{ ...F{n + 1} }}" for n in range(200))
    + " fragment F200 on Dam { name }"
)
INTROSPECTION = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
MANY_INTROSPECTIONS = (
    "{ " + " ".join(f"a{n}: __schema {{ types {{ fields {{ type {{ name }} }} }} }}" for n in range(9)) + " }"
)
UNUSED = "query (" + " ".join(f"$v{n}: Int" for n in range(300)) + ") { inventory { damCount } }"
SIMILAR = "{ dams { nodes { " + "name " * 900 + "} } }"
ARGUMENTS = "{ dams(" + " ".join(f"a{n}: 1" for n in range(300)) + ") { totalCount } }"
DIGITS = f"{{ dams(where: {{heightFt: {{min: {'9' * 6_000}}}}}) {{ totalCount }} }}"
CONFLICTS = "{ dams { nodes { " + " ".join(f"x: {field}" for field in ("name", "river") * 15) + " } } }"

NAMED_AGAIN = f"query ($v: GeoJSON) {{ dams(where: {{polygon: {{coordinates: [{'$v ' * 900}]}}}}) {{ totalCount }} }}"

PARSE, INVALID, INPUT = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"

DOCUMENTS: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    "aliases": ({"query": ALIASES}, 400, ["TOO_MANY_ALIASES", "TOO_MANY_ROOT_FIELDS"]),
    "more aliases": ({"query": ALIASES * 5}, 400, ["DOCUMENT_TOO_LONG"]),
    "doubling fragments": ({"query": doubling(20)}, 400, ["TOO_MANY_ALIASES"]),
    "more doubling fragments": ({"query": doubling(150)}, 400, ["TOO_MANY_ALIASES"]),
    "doubling fragments without aliases": ({"query": doubling(150, "name")}, 200, []),
    "doubling lists": ({"query": doubling(20, "history { at }")}, 400, ["COST_LIMIT_EXCEEDED"]),
    "a circle of fragments": ({"query": CIRCLE}, 400, [INVALID]),
    "a fragment in itself": ({"query": SELF}, 400, [INVALID]),
    "a chain of fragments": ({"query": CHAIN}, 400, [INVALID]),
    "directives": (
        {"query": f"{{ inventory {{ damCount {'@skip(if: false) ' * 100} }} }}"},
        400,
        ["TOO_MANY_DIRECTIVES"],
    ),
    "10,000 directives": ({"query": f"{{ inventory {'@a' * 10_000} {{ damCount }} }}"}, 400, ["DOCUMENT_TOO_LONG"]),
    "10,000 comments": ({"query": "#\n" * 10_000 + COUNT}, 400, ["DOCUMENT_TOO_LONG"]),
    "nested fields": ({"query": "{ a" * 150 + " }" * 150}, 400, ["DOCUMENT_TOO_DEEP"]),
    "10,000 nested fields": ({"query": "{a" * 10_000}, 400, ["DOCUMENT_TOO_DEEP"]),
    "nested values": ({"query": "{ dams(where: {polygon: " + "[" * 10_000}, 400, ["DOCUMENT_TOO_DEEP"]),
    "nested introspection": ({"query": INTROSPECTION}, 400, [INVALID]),
    "as much introspection as there may be": ({"query": MANY_INTROSPECTIONS}, 200, []),
    "a page too long": ({"query": "{ dams(first: 2147483647) { nodes { name } } }"}, 294, [INPUT]),
    "a number too great": ({"query": "{ dams(first: 99999999999) { totalCount } }"}, 400, [INVALID]),
    "6,000 digits": ({"query": f"{{ dams(first: {'9' * 6_000}) {{ totalCount }} }}"}, 400, [INVALID]),
    "6,000 digits of a float": (
        {"query": f"{{ dams(where: {{heightFt: {{min: {'9' * 6_000}}}}}) {{ totalCount }} }}"},
        200,
        [],
    ),
    "a zoom without bounds": (
        {"query": "{ damClusters(box: {west: 0, south: 0, east: 1, north: 1}, zoom: 2147483647) { lastDamId } }"},
        294,
        [INPUT],
    ),
    "fields again and again": ({"query": SIMILAR}, 400, [INVALID]),
    "fields that conflict": ({"query": CONFLICTS}, 400, [INVALID] * 101),
    "unused variables": ({"query": UNUSED}, 400, [INVALID] * 101),
    "unknown arguments": ({"query": ARGUMENTS}, 400, [INVALID] * 101),
    "a NUL in the document": ({"query": "{ \0 inventory { damCount } }"}, 400, [PARSE]),
    "a NUL in a text": ({"query": TEXT, "variables": {"text": "\0"}}, 294, [INPUT]),
    "SQL": ({"query": TEXT, "variables": {"text": "'; DROP TABLE dams; --"}}, 200, []),
    "patterns": ({"query": TEXT, "variables": {"text": "%_\\" * 60}}, 200, []),
    "a long text": ({"query": TEXT, "variables": {"text": "x" * 200_000}}, 294, [INPUT]),
    "a broken cursor": ({"query": '{ dams(after: "WyJhIl0") { totalCount } }'}, 294, [INPUT]),
    "a cursor of SQL": ({"query": "{ dams(after: \"1' OR '1'='1\") { totalCount } }"}, 294, [INPUT]),
    "a broken id": ({"query": '{ node(id: "\\u0000") { id } }'}, 294, [INPUT]),
    "unknown variables": ({"query": COUNT, "variables": {f"v{n}": n for n in range(10_000)}}, 200, []),
    "a long list": (
        {
            "query": "query ($s: [String!]) { dams(where: {states: $s}) { totalCount } }",
            "variables": {"s": ["UT"] * 20_000},
        },
        400,
        [INPUT],
    ),
    **{
        f"a polygon of a variable of {what}, 900 times": (
            {"query": NAMED_AGAIN, "variables": {"v": value}},
            400,
            [INPUT],
        )
        for what, value in {
            "lists": [[]] * 60_000,
            "numbers": [[0] * 80_000],
            "letters": ["x" * 200_000],
            "members": {"x" * 200_000: []},
        }.items()
    },
    "nested variables": (
        {"query": TEXT.replace("String", "[String]"), "variables": {"text": orjson.loads("[" * 900 + "]" * 900)}},
        400,
        [INVALID],
    ),
    "a wrong type": ({"query": "query ($n: Int!) { dam(damId: $n) { name } }", "variables": {"n": {}}}, 400, [INPUT]),
    "no type": ({"query": "query ($n: Nothing) { inventory { damCount } }"}, 400, [INVALID, INVALID]),
    "a write by a stranger": (
        {"query": 'mutation { removeDam(id: "WyJEYW0iLDFd") { errors { code } } }'},
        401,
        ["UNAUTHENTICATED"],
    ),
    "nothing at all": ({"query": " ,\n"}, 400, [PARSE]),
}
"""Members of the request, the status, and the codes."""

JSON_HEADERS = {"content-type": "application/json", "accept": GRAPHQL_JSON}
FORM = {"content-type": "application/x-www-form-urlencoded"}
RAW: dict[str, tuple[dict[str, Any], int, str]] = {
    "5 MB": ({"content": orjson.dumps({"query": "{ " + "a" * 5_000_000 + " }"})}, 413, "PAYLOAD_TOO_LARGE"),
    "JSON nested 100,000 deep": ({"content": b"[" * 100_000}, 400, "BAD_REQUEST"),
    "NaN": ({"content": b'{"query": "{a}", "variables": {"a": NaN}}'}, 400, "BAD_REQUEST"),
    "1e999": ({"content": b'{"query": "{a}", "variables": {"a": 1e999}}'}, 400, "BAD_REQUEST"),
    "half of a pair": ({"content": b'{"query": "{a}", "operationName": "\\ud800"}'}, 400, "BAD_REQUEST"),
    "no UTF-8": ({"content": b'{"query": "\xff"}'}, 400, "BAD_REQUEST"),
    "a batch": ({"content": orjson.dumps([{"query": COUNT}] * 1_000)}, 422, "BAD_REQUEST"),
    "gzip": (
        {"content": gzip.compress(b"{}"), "headers": JSON_HEADERS | {"content-encoding": "gzip"}},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    "a form of another site": ({"content": b"query=%7Ba%7D", "headers": FORM}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "JSON as text": (
        {"content": orjson.dumps({"query": COUNT}), "headers": {"content-type": "text/plain"}},
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    ),
    **{
        f"a token {what}": (
            {"content": orjson.dumps({"query": COUNT}), "headers": JSON_HEADERS | {"authorization": f"Bearer {token}"}},
            401,
            "UNAUTHENTICATED",
        )
        for what, token in {
            "of SQL": "'OR'1'='1",
            "of 7,000 characters": "a" * 7_000,
            "signed by nobody": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
            "with a header of thousands of digits": f"{base64.urlsafe_b64encode(b'9' * 5_000).decode()}.e30.AA",
        }.items()
    },
    "files": ({"files": {"operations": b"{}"}, "headers": {}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "a stream for another site": (
        {
            "content": orjson.dumps({"query": "subscription { damAdded { name } }"}),
            "headers": JSON_HEADERS | {"accept": "text/event-stream", "origin": "https://evil.example"},
        },
        403,
        "FORBIDDEN",
    ),
}

NORMAL_S = 2.0
"""A normal query takes some milliseconds; the machine may be busy."""

MAX_GROWTH_MB = 8
"""Over the whole table, when it has been through once. One document that is kept takes less than 3."""


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", [])]


async def hurt(server: Server) -> None:
    for what, (members, status, expected) in DOCUMENTS.items():
        answer = await server.http.post("/graphql", json=members, headers={"accept": GRAPHQL_JSON})
        assert (answer.status_code, codes(answer)) == (status, expected), (what, answer.text[:500])
    for what, (request, status, code) in RAW.items():
        answer = await server.http.post("/graphql", **{"headers": JSON_HEADERS, **request})
        assert (answer.status_code, codes(answer)) == (status, [code]), (what, answer.text[:500])


def resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def test_what_is_made_to_hurt_has_its_exact_answer_and_leaves_nothing_behind(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await hurt(server)
    before = resident_mb()
    await hurt(server)
    assert resident_mb() - before < MAX_GROWTH_MB
    began = time.process_time()
    assert (await server.query(COUNT, None)) == {"inventory": {"damCount": 0}}
    assert time.process_time() - began < NORMAL_S
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_is_made_to_hurt_ends_no_other_operation_of_its_socket(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        await socket.start("subscription { damAdded { name } }", "live")
        for number, (what, (members, _, expected)) in enumerate(DOCUMENTS.items()):
            await socket.send(json.dumps({"type": "subscribe", "id": f"{number}", "payload": members}))
            message = await socket.receive()
            assert message["id"] == f"{number}"
            errors = message["payload"] if message["type"] == "error" else message["payload"].get("errors", [])
            assert [error["extensions"]["code"] for error in errors] == expected, what
            if message["type"] == "next":
                assert await socket.receive() == {"type": "complete", "id": f"{number}"}
        assert (await socket.ask(COUNT))["payload"]["data"] == {"inventory": {"damCount": 0}}
