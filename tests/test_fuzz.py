"""Random requests over the whole schema: every answer is JSON with codes, none is our fault, none hangs."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from schema import schema
from tests.conftest import ADMIN_TOKEN, Server
from tests.fuzz import fuzz
from tests.streaming import TIMEOUT_S

GRAPHQL_JSON = "application/graphql-response+json"
SCALARS: Any = {
    "GeoJSON": st.sampled_from(["a point", '{"type": "Point"}', "", "\0"]).map(nodes.String),
    "PartialDate": st.sampled_from(["1941", "1993-04", "9999-99-99", "", "12 April"]).map(nodes.String),
}
DOCUMENTS = st.one_of(
    queries(schema._schema, custom_scalars=SCALARS),
    queries(schema._schema, custom_scalars=SCALARS),
    mutations(schema._schema, custom_scalars=SCALARS),
)
TOKENS = st.sampled_from([ADMIN_TOKEN, None, "dams_of_nobody"])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PIECES = st.sampled_from(
    ["{", "}", "(", ")", "dams", "first: ", "9" * 40, "...F", "fragment F on Dam ", "$a", "@skip", '"']
)
FILTERED = st.just("query ($a: DamFilter) { dams(where: $a) { totalCount } }")
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "query": JSON | st.lists(PIECES, max_size=30).map(" ".join) | FILTERED,
        "variables": JSON | st.fixed_dictionaries({"a": JSON}),
        "operationName": JSON,
        "extensions": JSON | st.fixed_dictionaries({"persistedQuery": JSON}),
        "documentId": JSON,
        "another": JSON,
    },
)


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    told: Mapping[str, Any] = answer.json()
    assert told.keys() <= {"data", "errors", "extensions"}
    for error in told.get("errors", []):
        assert error["message"]
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"


@fuzz(40)
@given(document=DOCUMENTS, token=TOKENS)
async def test_no_document_is_too_strange(server: Server, document: str, token: str | None) -> None:
    headers = {"accept": GRAPHQL_JSON} | ({"authorization": f"Bearer {token}"} if token else {})
    check(await server.http.post("/graphql", json={"query": document}, headers=headers, timeout=TIMEOUT_S))


@fuzz(60)
@given(request=REQUESTS, get=st.booleans())
async def test_no_request_is_too_strange(server: Server, request: dict[str, Any], get: bool) -> None:
    headers = {"accept": GRAPHQL_JSON, "content-type": "application/json"}
    if get:
        parameters = {name: str(value) for name, value in request.items()}
        check(await server.http.get("/graphql", params=parameters, headers=headers))
    else:
        check(await server.http.post("/graphql", content=dumps(request), headers=headers))


def dumps(value: Any) -> bytes:
    """Also what is no JSON, such as NaN, and what no UTF-8 can hold."""
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
