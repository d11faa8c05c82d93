"""What pages of other origins may do, what every answer tells browsers, and what a fault gives away."""

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

import gateway
from models.database import Database
from tests.conftest import ADMIN_TOKEN, Serve, Server
from tests.streaming import dam_input, opened

pytestmark = pytest.mark.usefixtures("admin")
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
COUNT = "{ inventory { damCount } }"
ADD = {
    "query": "mutation ($input: AddDamInput!) { addDam(input: $input) { dam { id } } }",
    "variables": {"input": dam_input("Deer Creek")},
}
ELSEWHERE = {"origin": "https://elsewhere.example"}


def error_of(answer: httpx.Response) -> tuple[str, str]:
    (error,) = answer.json()["errors"]
    return error["extensions"]["code"], error["message"]


FORMS: list[dict[str, Any]] = [
    {"data": {"query": ADD["query"]}},
    {"files": {"operations": b"{}", "map": b"{}"}},
    {"content": b'{"query": "mutation { x }"}', "headers": {"content-type": "text/plain"}},
    {"content": b'{"query": "mutation { x }"}'},
]
"""What a page can send to another origin without asking: the types of forms, and none."""


@on_sqlite
async def test_a_form_of_another_origin_does_nothing(server: Server) -> None:
    for form in FORMS:
        headers = ELSEWHERE | {"authorization": f"Bearer {ADMIN_TOKEN}"} | form.get("headers", {})
        answer = await server.http.post("/graphql", **{**form, "headers": headers})
        assert (answer.status_code, error_of(answer)[0]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    link = await server.http.get("/graphql", params={"query": "mutation { signOut { signedOut } }"}, headers=ELSEWHERE)
    assert (link.status_code, error_of(link)[0]) == (405, "METHOD_NOT_ALLOWED")
    assert await server.query(COUNT) == {"inventory": {"damCount": 0}}


@on_sqlite
async def test_nothing_that_a_browser_sends_by_itself_says_who_somebody_is(serve: Serve) -> None:
    """Which is why a query by GET needs no header that forces a preflight."""
    ambient = {"cookie": f"token={ADMIN_TOKEN}; Authorization=Bearer {ADMIN_TOKEN}", "referer": "http://127.0.0.1/"}
    async with serve(public_read=False) as server:
        viewer = await server.http.get("/graphql", params={"query": "{ viewer { name } }"}, headers=ambient)
        assert viewer.json()["data"] == {"viewer": {"name": None}}
        closed = await server.http.post("/graphql", json={"query": COUNT}, headers=ambient)
        assert error_of(closed)[0] == "UNAUTHENTICATED"
        for answer in (viewer, closed, await server.http.get("/livez"), await server.http.get("/graphiql")):
            assert "set-cookie" not in answer.headers
            assert "access-control-allow-credentials" not in answer.headers


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}


@on_sqlite
async def test_a_refused_preflight_is_json_with_a_reason(serve: Serve) -> None:
    async with serve(allowed_origins=("https://maps.example",)) as server:
        allowed = {"origin": "https://maps.example"}
        for headers, what in (
            (ELSEWHERE | PREFLIGHT, "origin"),
            (allowed | PREFLIGHT | {"access-control-request-method": "DELETE"}, "method"),
            (allowed | PREFLIGHT | {"access-control-request-headers": "x-other"}, "headers"),
        ):
            answer = await server.http.options("/graphql", headers=headers)
            code, message = error_of(answer)
            assert (answer.status_code, code) == (403, "FORBIDDEN")
            assert answer.headers["content-type"] == "application/json"
            assert what in message
            assert "origin" in answer.headers["vary"].lower()
        granted = await server.http.options("/graphql", headers=allowed | PREFLIGHT)
        assert granted.status_code == 200
        shown = await server.http.post("/graphql", json={"query": COUNT}, headers=allowed)
        assert shown.headers["access-control-expose-headers"] == "retry-after, x-request-id"


@on_sqlite
async def test_every_answer_has_its_headers_once(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "BUILT_FRONT_END", tmp_path)
    (tmp_path / "assets").mkdir()
    for file in ("index.html", "assets/map.js"):
        (tmp_path / file).write_text(file)
    async with serve(oidc_issuer="https://id.example/realms/dams", oidc_client_id="pages") as server:
        monkeypatch.setattr(gateway, "schema", None)  # the fault of /schema.graphql
        for path in ("/", "/assets/map.js", "/graphql", "/livez", "/metrics", "/nowhere", "/schema.graphql"):
            answer = await server.http.get(path)
            pairs = [(name.lower(), value) for name, value in answer.headers.multi_items()]
            for expected in (
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ):
                assert pairs.count(expected) == 1, path
            (policy,) = (value for name, value in pairs if name == "content-security-policy")
            assert policy.startswith("default-src 'none'"), path
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-eval" not in policy
            assert ("connect-src 'self' https://id.example;" in policy) == (path == "/")
            assert len(answer.headers["x-request-id"]) == 32


@on_sqlite
async def test_the_id_of_a_request_is_the_one_of_its_proxy_where_it_has_a_usable_one(server: Server) -> None:
    for given, used in (("proxy-17.A_b", True), ("x" * 65, False), ("a b", False), ("\u00e9", False), ("", False)):
        answer = await server.http.get("/livez", headers={"x-request-id": given.encode("latin-1")})
        assert (answer.headers["x-request-id"] == given) == used


@pytest.fixture
async def faulty(server: Server, database: Database) -> Server:
    """Its table of tokens is gone."""
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE api_tokens"))
    return server


SECRETS = ("api_tokens", "SELECT", "Traceback", "sqlalchemy", ".py", ADMIN_TOKEN)


async def test_a_fault_gives_nothing_away_on_any_transport(faulty: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told = []
    for accept in ("application/json", "application/graphql-response+json", "text/event-stream"):
        for query in (COUNT, "subscription { damAdded { id } }"):
            headers = {"accept": accept, "authorization": f"Bearer {ADMIN_TOKEN}", "x-request-id": "the-request"}
            answer = await faulty.http.post("/graphql", json={"query": query}, headers=headers)
            told.append(answer.text)
            assert "INTERNAL_SERVER_ERROR" in answer.text or "BAD_REQUEST" in answer.text
            if "BAD_REQUEST" not in answer.text:
                assert "the-request" in answer.text
    async with opened(faulty.websocket_url) as socket:
        await socket.init({"Authorization": f"Bearer {ADMIN_TOKEN}"})
        for query in (COUNT, "subscription { damAdded { id } }"):
            message = await socket.ask(query)
            assert "INTERNAL_SERVER_ERROR" in str(message)
            told.append(str(message))
            if message["type"] == "next":
                await socket.receive()
    assert [secret for secret in SECRETS for each in told if secret in each] == []
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert any("connection_init" in message for message in logged)
    assert any("the-request" in message for message in logged)
    assert ADMIN_TOKEN not in caplog.text


async def test_nobody_is_sent_to_where_the_header_host_says(server: Server) -> None:
    for path in ("/livez/", "/graphiql/", "/assets", "/add/"):
        answer = await server.http.get(path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (404, {"code": "NOT_FOUND"})
        assert "evil.example" not in f"{answer.headers} {answer.text}"
