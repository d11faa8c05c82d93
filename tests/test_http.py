"""GraphQL over HTTP: every answer is JSON with a code, whatever was sent."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

import gateway
from auth.tokens import create_token
from auth.users import add_user
from models import migrations
from models.database import Database
from schema import schema
from settings import Settings
from tests.conftest import ADMIN_TOKEN, Serve, Server, served, until
from tests.node import told_by
from tests.services import Postgres, running
from tests.streaming import ADD, TIMEOUT_S, add_many, cursor_of, dam_input, following
from transport import health, request_head, requests

COUNT = "{ inventory { damCount } }"
GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


async def test_queries_may_come_by_get(server: Server) -> None:
    document = "query Two($id: Int) { inventory { damCount } dam(damId: $id) { name } } query One { viewer { name } }"
    parameters = {"query": document, "variables": '{"id": 5}', "operationName": "Two"}
    for path in ("/graphql", "/graphql/"):
        answer = await server.http.get(path, params=parameters)
        assert answer.json()["data"] == {"inventory": {"damCount": 0}, "dam": None}


MUTATION = {"query": "mutation { addDam(input: {}) { errors { code } } }"}
SUBSCRIPTION = {"query": "subscription { damAdded { name } }"}
TYPED = {"content": COUNT, "headers": {"content-type": "application/graphql"}}
REFUSED_REQUESTS: list[tuple[str, dict[str, Any], int, str]] = [
    ("GET", {"params": MUTATION}, 405, "METHOD_NOT_ALLOWED"),
    ("PUT", {"json": {"query": COUNT}}, 405, "METHOD_NOT_ALLOWED"),
    ("DELETE", {}, 405, "METHOD_NOT_ALLOWED"),
    ("GET", {"params": SUBSCRIPTION}, 400, "BAD_REQUEST"),
    ("POST", {"json": SUBSCRIPTION}, 400, "BAD_REQUEST"),
    ("POST", {"json": {"query": "query A { viewer { name } }", "operationName": 5}}, 400, "BAD_REQUEST"),
    ("POST", TYPED, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"content": b'{"query": "{ a }"}'}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"content": b"{}", "headers": {"content-type": f"{JSON}; charset=utf-16"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"json": {}, "headers": {"content-encoding": "gzip"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"content": b"{}", "headers": {"content-type": f"text/plain; {JSON}"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"data": {"query": COUNT}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", {"files": {"operations": b"{}", "map": b"{}"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("GET", {}, 400, "BAD_REQUEST"),
    ("GET", {"params": {"query": COUNT}, "headers": {"accept": "text/html"}}, 406, "NOT_ACCEPTABLE"),
    ("GET", {"params": {"query": ""}}, 400, "BAD_REQUEST"),
    *(("GET", {"params": {"query": COUNT, "variables": wrong}}, 400, "BAD_REQUEST") for wrong in ("{", "[]", "5")),
]


async def test_requests_without_graphql_to_do_are_refused(server: Server) -> None:
    for method, request, status, code in REFUSED_REQUESTS:
        answer = await server.http.request(method, "/graphql", **request)
        assert (answer.status_code, codes(answer)) == (status, [code]), request
        assert answer.headers["content-type"] == f"{JSON}; charset=utf-8"
        if status == 405:
            assert answer.headers["allow"] == ("POST" if method == "GET" else "GET, POST")


BODIES = [
    *(b"", b"{", b"query", b"{}", b'{"query": null}', b'{"query": ""}', b'{"query": 5}', b'{"query": ["{ a }"]}'),
    *(b'{"query": "{ a }", "variables": %s}' % wrong for wrong in (b"NaN", b'{"x": Infinity}', b"[]", b'"x"', b"5")),
    *(b'{"query": "{ a }", "extensions": %s}' % wrong for wrong in (b"[]", b'"x"', b"5")),
    *(b'{"query": "\xff"}', b'{"query": "\\ud800"}', b"\xff\xfe", b'{"query": "{ a }"'),
    b'{"variables": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
]


NO_OBJECTS = [b"null", b"5", b"true", b'"{ a }"', b"[]", b'[{"query": "{ inventory { damCount } }"}]']


async def test_bodies_without_graphql_are_refused(server: Server) -> None:
    for body in [*BODIES, *NO_OBJECTS]:
        for accept in (JSON, GRAPHQL_JSON):
            headers = {"content-type": JSON, "accept": accept}
            answer = await server.http.post("/graphql", content=body, headers=headers)
            status = 422 if body in NO_OBJECTS else 400
            assert (answer.status_code, codes(answer)) == (status, ["BAD_REQUEST"]), body[:40]
            assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
            assert answer.json()["errors"][0]["message"]


async def test_a_body_too_long_is_refused_before_it_is_read(serve: Serve) -> None:
    headers = {"content-type": JSON}
    fitting = orjson.dumps({"query": COUNT}).ljust(1024)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(2_000):
            yield fitting

    async with serve(max_request_bytes=1024) as server:
        assert (await server.http.post("/graphql", content=fitting, headers=headers)).json()["data"] == {
            "inventory": {"damCount": 0}
        }
        for body in (fitting + b" ", unannounced()):
            answer = await server.http.post("/graphql", content=body, headers=headers)
            assert (answer.status_code, codes(answer)) == (413, ["PAYLOAD_TOO_LARGE"])
            assert answer.json()["errors"][0]["message"] == "A request may have 1024 bytes."
            assert "connection" not in answer.headers


async def test_a_body_without_end_is_refused_and_then_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_head, "HEAD_S", 0.2)
    head = f"POST /graphql HTTP/1.1\r\nhost: dams\r\ncontent-type: {JSON}\r\ntransfer-encoding: chunked\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http.base_url.port)
    writer.write(head.encode())

    async def send_for_ever() -> None:
        while True:
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()

    sending = asyncio.create_task(send_for_ever())
    assert (await asyncio.wait_for(reader.readline(), TIMEOUT_S)).startswith(b"HTTP/1.1 413 ")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(sending, TIMEOUT_S)
    writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_S", 0.1)
    head = f"POST /graphql HTTP/1.1\r\nhost: dams\r\ncontent-type: {JSON}\r\ncontent-length: 2\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http.base_url.port)
    writer.write(head.encode() + b"{")
    answer = (await asyncio.wait_for(reader.read(), TIMEOUT_S)).decode()
    assert answer.startswith("HTTP/1.1 408 ")
    assert '"code":"REQUEST_TIMEOUT"' in answer
    writer.close()


async def test_the_audits_of_graphql_over_http_are_passed(server: Server) -> None:
    """Those of npm's graphql-http, none of which fails, warns or gives notice."""
    assert await told_by("audits", f"{server.url}/graphql", timeout_s=60) == {"count": 61, "failed": []}


STATUSES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"query": COUNT}, 200, None),
    ({"query": "{ inventory {"}, 400, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nonsense }"}, 400, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query ($id: Int!) { dam(damId: $id) { name } }"}, 400, "BAD_USER_INPUT"),
    ({"query": "query A { viewer { name } }", "operationName": "B"}, 422, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": "query A { viewer { name } } query B { viewer { name } }"}, 422, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": "{ dams(first: -1) { nodes { name } } }"}, 294, "BAD_USER_INPUT"),
    ({"query": ADD, "variables": {"input": dam_input("Deer Creek")}}, 401, "UNAUTHENTICATED"),
]


async def test_the_status_tells_what_happened_to_who_accepts_the_media_type(server: Server) -> None:
    for body, status, code in STATUSES:
        told = await server.http.post("/graphql", json=body, headers={"accept": f"{GRAPHQL_JSON}, {JSON};q=0.9"})
        assert (told.status_code, told.headers["content-type"]) == (status, f"{GRAPHQL_JSON}; charset=utf-8"), body
        plain = await server.http.post("/graphql", json=body)
        assert (plain.status_code, plain.headers["content-type"]) == (200, f"{JSON}; charset=utf-8"), body
        assert told.json().keys() == plain.json().keys()
        if code is not None:
            assert codes(told) == codes(plain) == [code]
        assert ("data" in told.json()) == (status not in (400, 422)), body


async def test_a_token_without_the_permission_is_forbidden(server: Server, database: Database) -> None:
    await add_user(database, "reader", ["reader"])
    token = await create_token(database, user="reader", name="test")
    headers = {"authorization": f"Bearer {token}", "accept": GRAPHQL_JSON}
    body = {"query": ADD, "variables": {"input": dam_input("Deer Creek")}}
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert (answer.status_code, codes(answer)) == (403, ["FORBIDDEN"])


async def test_what_was_not_expected_is_masked_and_logged_by_its_request_id(
    server: Server, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE dams"))
    headers = {"accept": GRAPHQL_JSON}
    answer = await server.http.post("/graphql", json={"query": "{ dams { nodes { name } } }"}, headers=headers)
    assert (answer.status_code, codes(answer)) == (500, ["INTERNAL_SERVER_ERROR"])
    assert "dams" not in answer.json()["errors"][0]["message"]
    assert "relation" not in answer.text
    assert "table" not in answer.text
    request_id = answer.json()["errors"][0]["extensions"]["requestId"]
    (record,) = [record for record in caplog.records if request_id in record.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert "dams" in str(record.exc_info[1])


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """To be killed and frozen."""
    with running(Postgres()) as server:
        server.create_database("dams")
        yield server


async def test_a_database_that_is_away_is_told_and_comes_back(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.3)
    url = own_postgres.url("dams")
    database = Database(url)
    await migrations.migrate(database)
    await add_user(database, "admin", ["admin"])
    await create_token(database, user="admin", name="test", token=ADMIN_TOKEN)
    await database.close()
    async with served(Settings(database_url=url)) as server, following(server, await cursor_of(server)) as socket:
        own_postgres.freeze()
        assert (await server.http.get("/readyz")).status_code == 503
        own_postgres.resume()
        await until(lambda: is_ready(server))
        await asyncio.to_thread(own_postgres.kill)
        for query in (COUNT, "{ dams { nodes { name } } }", "{ viewer { name } }"):
            answer = await server.http.post(
                "/graphql",
                json={"query": query},
                headers={"accept": GRAPHQL_JSON, "authorization": f"Bearer {ADMIN_TOKEN}"},
            )
            assert (answer.status_code, codes(answer)) == (503, ["DATABASE_UNAVAILABLE"])
        assert (await server.http.get("/livez")).status_code == 200
        unready = await server.http.get("/readyz")
        assert (unready.status_code, unready.json()["status"]) == (503, "unavailable")
        await asyncio.to_thread(own_postgres.start)
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]
        await until(lambda: is_ready(server))


async def is_ready(server: Server) -> bool:
    return (await server.http.get("/readyz")).status_code == 200


async def test_pages_of_allowed_origins_may_use_the_api(serve: Serve) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}
    async with serve(allowed_origins=("https://maps.example",)) as server:
        for origin, allowed in (("https://maps.example", True), ("https://elsewhere.example", False)):
            preflight = await server.http.options("/graphql", headers={"origin": origin} | asked)
            answer = await server.http.post("/graphql", json={"query": COUNT}, headers={"origin": origin})
            assert preflight.is_success == allowed
            assert preflight.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
            assert "access-control-allow-credentials" not in answer.headers
            if allowed:
                assert preflight.headers["access-control-allow-methods"] == "GET, POST"
                assert {"authorization", "content-type"} <= set(
                    preflight.headers["access-control-allow-headers"].lower().split(", ")
                )


async def test_the_schema_is_served(server: Server) -> None:
    answer = await server.http.get("/schema.graphql")
    assert answer.text == schema.as_str()
    assert answer.headers["content-type"] == "application/graphql"


async def test_errors_outside_graphql_are_json_too(server: Server) -> None:
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/assets/nowhere.js", 404, "NOT_FOUND"),
        ("GET", "/assets/../pyproject.toml", 404, "NOT_FOUND"),
        ("GET", "/assets/%2e%2e/%2e%2e/pyproject.toml", 404, "NOT_FOUND"),
        ("POST", "/livez", 405, "METHOD_NOT_ALLOWED"),
    ):
        answer = await server.http.request(method, path)
        assert (answer.status_code, codes(answer)) == (status, [code]), path


async def test_a_fault_outside_graphql_is_masked_and_logged_by_its_request_id(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as server:
        monkeypatch.setattr(gateway, "schema", None)
        answer = await server.http.get("/schema.graphql")
    assert (answer.status_code, codes(answer)) == (500, ["INTERNAL_SERVER_ERROR"])
    assert "NoneType" not in answer.text
    request_id = answer.json()["errors"][0]["extensions"]["requestId"]
    (record,) = [record for record in caplog.records if request_id in record.getMessage()]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], AttributeError)


async def test_the_built_pages_are_served_and_may_load_nothing_from_elsewhere(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "BUILT_FRONT_END", tmp_path)
    async with serve() as server:
        unbuilt = await server.http.get("/graphiql")
        assert (unbuilt.status_code, codes(unbuilt)) == (404, ["NOT_FOUND"])
        (tmp_path / "assets").mkdir()
        for file in ("index.html", "graphiql.html", "assets/map.js"):
            (tmp_path / file).write_text(file)
        for path, file in (("/", "index.html"), ("/graphiql", "graphiql.html")):
            page = await server.http.get(path)
            assert page.text == file
            assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
            assert page.headers["x-content-type-options"] == "nosniff"
        assert (await server.http.get("/assets/map.js")).text == "assets/map.js"


TWO_OPERATIONS = "query A { inventory { damCount } } query B { inventory { isFull } }"


async def test_one_of_several_operations_is_run_by_its_name(server: Server) -> None:
    answer = await server.http.post("/graphql", json={"query": TWO_OPERATIONS, "operationName": "B"})
    assert answer.json()["data"] == {"inventory": {"isFull": False}}


async def test_several_operations_without_a_name_are_refused(server: Server) -> None:
    answer = await server.post(TWO_OPERATIONS)
    message = "The document holds several operations. Name one of them in operationName."
    assert answer == {"errors": [{"message": message, "extensions": {"code": "OPERATION_RESOLUTION_FAILURE"}}]}
