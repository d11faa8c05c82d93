"""Server-sent events as their protocol says it, over HTTP/1.1 as it is on the wire.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct connections mode.
"""

import asyncio
import http.client
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from auth.tokens import create_token, revoke_token
from auth.users import add_user
from auth.viewer import Viewer
from models.database import Database
from pubsub.log import prune_log
from resolvers.cursors import event_cursor, sequence_of
from tests.conftest import ADMIN_TOKEN, Serve, Server
from tests.event_streams import COUNT, SSE, URQL, codes, on_sqlite, requested, subscribed
from tests.streaming import ADD, BEARER, FOLLOW, add_many, cursor_of, dam_input
from tests.test_retention import NOW, OLD, YOUNG, write_events
from transport import event_stream

ODD = 'Ĵördanelle: "\\n" 水壩'


@on_sqlite
async def test_a_stream_begins_at_once_and_each_dam_has_its_cursor_as_id(server: Server) -> None:
    for get in (False, True):
        for path in ("/graphql", "/graphql/", "/graphql/stream"):
            now = await cursor_of(server)
            async with subscribed(server, path=path, get=get) as stream:
                assert await stream.begun() == now
                await add_many(server, ["Deer Creek", ODD])
                first, second = await stream.dams(2)
                assert [first["name"], second["name"]] == ["Deer Creek", ODD]
                assert sequence_of(now) + 2 == sequence_of(first["cursor"]) + 1 == sequence_of(second["cursor"])


@on_sqlite
async def test_nobody_on_the_way_may_keep_or_compress_a_stream_or_wait_for_more(server: Server) -> None:
    async with subscribed(server, headers=SSE | {"accept-encoding": "gzip, br"}) as stream:
        headers = stream.response.headers
        assert headers["cache-control"] == "no-cache, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert headers["transfer-encoding"] == "chunked"
        assert "content-encoding" not in headers


@on_sqlite
async def test_a_silent_stream_shows_that_it_lives(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.02)
    async with subscribed(server) as stream:
        await stream.begun()
        assert [await stream.block() for _ in range(3)] == [{"": ""}] * 3
        await add_many(server, ["Deer Creek"])
        assert await stream.names(1) == ["Deer Creek"]


@on_sqlite
async def test_a_query_is_answered_by_one_event_where_no_json_is_accepted(server: Server) -> None:
    for get in (False, True):
        async with subscribed(server, COUNT, get=get, path="/graphql/stream") as stream:
            assert stream.response.headers["cache-control"] == "no-cache, no-transform"
            assert (await stream.end())["data"] == {"inventory": {"damCount": 0}}
    async with subscribed(server, ADD, headers=SSE | BEARER, input=dam_input("Deer Creek")) as stream:
        assert (await stream.end())["data"]["addDam"]["dam"]["name"] == "Deer Creek"


@on_sqlite
async def test_a_query_is_answered_by_json_where_json_is_accepted_too(server: Server) -> None:
    for accept, kind in (
        (URQL["accept"], "application/graphql-response+json; charset=utf-8"),
        ("application/json, text/event-stream", "application/json; charset=utf-8"),
        ("text/event-stream, application/json;q=0.5", "application/json; charset=utf-8"),
    ):
        for get in (False, True):
            async with requested(server, COUNT, get=get, headers={"accept": accept}) as answer:
                assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
                assert orjson.loads(await answer.aread())["data"] == {"inventory": {"damCount": 0}}
        async with subscribed(server, headers={"accept": accept}) as stream:
            await stream.begun()


@on_sqlite
async def test_a_mutation_by_get_is_refused_and_not_done(server: Server) -> None:
    for headers in (SSE, URQL):
        asked = requested(server, ADD, get=True, headers=headers | BEARER, input=dam_input("Deer Creek"))
        async with asked as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer), answer.headers["allow"]) == (405, ["METHOD_NOT_ALLOWED"], "POST")
    assert await server.query(COUNT) == {"inventory": {"damCount": 0}}


UNUSUAL = "subscription Follow($after: String = %s) { damAdded(after: $after) { name cursor } }"
"""A document that is executed for itself."""

NESTED: Any = "deep"
for _ in range(300):
    NESTED = {"text": NESTED}

WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "syntax": ("subscription { damAdded { name ", {}, "GRAPHQL_PARSE_FAILED"),
    "field": ("subscription { nonsense }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "query": ("{ nonsense }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "fields": ("subscription { damAdded { name } again: damAdded { name } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    "which": (
        "subscription A { damAdded { name } } subscription B { damAdded { name } }",
        {},
        "OPERATION_RESOLUTION_FAILURE",
    ),
    "number": (FOLLOW, {"after": 5}, "BAD_USER_INPUT"),
    "cursor": (FOLLOW, {"after": "nonsense"}, "BAD_USER_INPUT"),
    "future": (FOLLOW, {"after": event_cursor(1_000)}, "CURSOR_AHEAD"),
    "unusual": (UNUSUAL % f'"{event_cursor(1_000)}"', {}, "CURSOR_AHEAD"),
    "range": (FOLLOW, {"where": {"heightFt": {"min": 2, "max": 1}}}, "BAD_USER_INPUT"),
    "input": (FOLLOW, {"where": {"nonsense": 1}}, "BAD_USER_INPUT"),
    "variable": ("query ($id: Int!) { dam(damId: $id) { name } }", {}, "BAD_USER_INPUT"),
}


@on_sqlite
@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_with_an_operation_is_told_in_an_event(
    server: Server, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    query, variables, code = WRONG[wrong]
    async with subscribed(server, query, **variables) as stream:
        assert await stream.refusal() == code
    assert caplog.messages == []


@on_sqlite
async def test_a_request_without_an_operation_is_refused_by_its_status(server: Server) -> None:
    requests: list[tuple[dict[str, Any], int, str]] = [
        ({"content": b"{", "headers": SSE | {"content-type": "application/json"}}, 400, "BAD_REQUEST"),
        ({"json": {"query": FOLLOW, "variables": 5}}, 400, "BAD_REQUEST"),
        ({"json": {"query": FOLLOW, "variables": {"where": NESTED}}}, 400, "BAD_USER_INPUT"),
        ({"json": {}}, 400, "BAD_REQUEST"),
        ({"data": {"query": FOLLOW}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ]
    for request, status, code in requests:
        answer = await server.http.post("/graphql/stream", **{"headers": SSE} | request)
        assert (answer.status_code, codes(answer)) == (status, [code]), request
        assert answer.headers["content-type"] == "application/json; charset=utf-8"


@on_sqlite
async def test_a_last_event_id_that_is_none_of_ours_is_refused_by_its_status(server: Server) -> None:
    for last_id in ("nonsense", "5", "ü".encode("latin-1"), event_cursor(1)[:-2], event_cursor(-1)):
        async with requested(server, headers=SSE | {"last-event-id": last_id}) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"]), last_id
    async with subscribed(server, headers=SSE | {"last-event-id": ""}) as stream:
        await stream.begun()


@on_sqlite
async def test_a_stream_from_an_id_that_the_log_does_not_have_ends_with_the_code(
    serve: Serve, database: Database, admin: Viewer
) -> None:
    await write_events(database, *[OLD] * 3, YOUNG)
    await prune_log(database, NOW)
    async with serve() as server:
        for cursor, code in ((0, "CURSOR_EXPIRED"), (2, "CURSOR_EXPIRED"), (5, "CURSOR_AHEAD")):
            async with subscribed(server, headers=SSE | {"last-event-id": event_cursor(cursor)}) as stream:
                assert await stream.refusal() == code
        async with subscribed(server, headers=SSE | {"last-event-id": event_cursor(3)}) as stream:
            await add_many(server, ["Deer Creek"])
            assert await stream.names(1) == ["Deer Creek"]


@on_sqlite
async def test_who_may_not_read_gets_no_dam(serve: Serve, admin: Viewer) -> None:
    async with serve(public_read=False) as server:
        async with subscribed(server) as stream:
            assert await stream.refusal() == "UNAUTHENTICATED"
        async with subscribed(server, headers=SSE | BEARER) as stream:
            await stream.begun()
            await add_many(server, ["Deer Creek"])
            assert await stream.names(1) == ["Deer Creek"]


@on_sqlite
async def test_a_token_that_is_not_valid_is_refused_before_the_stream(server: Server) -> None:
    for authorization in ("Bearer nonsense", "Token nonsense", "Basic abc", "", ADMIN_TOKEN[:-1]):
        async with requested(server, headers=SSE | {"authorization": authorization}) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"]), authorization
            challenge = 'Bearer error="invalid_token"' if authorization.endswith("nonsense") else "Bearer"
            assert answer.headers["www-authenticate"] == challenge
            assert answer.headers["content-type"] == "application/json; charset=utf-8"


@on_sqlite
async def test_a_token_that_is_revoked_ends_its_stream(server: Server, database: Database) -> None:
    await add_user(database, "reader", ["reader"])
    token = await create_token(database, user="reader", name="phone")
    async with subscribed(server, headers=SSE | {"authorization": f"Bearer {token}"}) as stream:
        await stream.begun()
        await revoke_token(database, user="reader", name="phone")
        async with asyncio.timeout(5):
            assert await stream.refusal() == "UNAUTHENTICATED"


@on_sqlite
async def test_a_stream_too_many_is_refused_before_it_begins(serve: Serve) -> None:
    async with serve(max_subscriptions_per_address=1) as server, subscribed(server) as stream:
        await stream.begun()
        async with requested(server) as answer:
            await answer.aread()
            assert (answer.status_code, codes(answer)) == (429, ["TOO_MANY_SUBSCRIPTIONS"])
            assert int(answer.headers["retry-after"]) > 0


@on_sqlite
async def test_a_server_that_ends_says_so_in_its_streams(serve: Serve) -> None:
    async with AsyncExitStack() as stack:
        visitor = Server((await stack.enter_async_context(serve())).url, stack)
        async with visitor.http, subscribed(visitor) as stream:
            await stream.begun()
            ended = asyncio.create_task(stack.aclose())
            assert await stream.refusal() == "SERVER_DRAINING"
            await ended


@on_sqlite
async def test_a_fault_is_masked_and_told_in_a_last_event(
    server: Server, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.write() as connection:
        await connection.execute(text("DROP TABLE inventory"))
    for query in (FOLLOW, UNUSUAL % "null"):
        async with subscribed(server, query, after=event_cursor(5)) as stream:
            (error,) = (await stream.end())["errors"]
        assert "inventory" not in str(error)
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert [error["extensions"]["requestId"] in message for message in caplog.messages] == [True]
        caplog.clear()


@on_sqlite
async def test_pages_of_allowed_origins_may_follow(serve: Serve) -> None:
    async with serve(allowed_origins=("https://maps.example",)) as server:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "last-event-id"}
        allowed, other = {"origin": "https://maps.example"}, {"origin": "https://elsewhere.example"}
        async with subscribed(server, get=True, headers=SSE | allowed) as stream:
            assert stream.response.headers["access-control-allow-origin"] == "https://maps.example"
            assert stream.response.headers["vary"] == "Origin"
            await stream.begun()
        assert (await server.http.options("/graphql/stream", headers=allowed | asked)).is_success
        refused = await server.http.get("/graphql", params={"query": FOLLOW}, headers=SSE | other)
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}
        assert not (await server.http.options("/graphql/stream", headers=other | asked)).is_success


async def test_a_name_that_is_no_text_is_refused(server: Server) -> None:
    body = {"query": FOLLOW, "operationName": {}}
    answer = await server.http.post("/graphql", json=body, headers=SSE)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "operationName must be a string.")


def on_one_connection(server: Server, *requests: tuple[str, str, bytes | None]) -> list[tuple[int, bytes]]:
    """Status and body of each answer to a method, a path and a body."""
    url = server.http.base_url
    connection = http.client.HTTPConnection(url.host, url.port or 0, timeout=30)
    connection.connect()
    connection.auto_open = 0
    answers = []
    for method, path, body in requests:
        connection.request(method, path, body, SSE | {"content-type": "application/json"})
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
    connection.close()
    return answers


@on_sqlite
async def test_a_connection_is_of_use_after_a_stream_and_after_what_is_refused(server: Server) -> None:
    refused = [(method, "/graphql/stream", None) for method in ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")]
    query = ("POST", "/graphql", orjson.dumps({"query": COUNT}))
    ended = ("POST", "/graphql", orjson.dumps({"query": FOLLOW, "variables": {"after": event_cursor(9)}}))
    broken = ("POST", "/graphql", b"{")
    answers = await asyncio.to_thread(on_one_connection, server, *refused, query, ended, broken, query)
    assert [status for status, _ in answers] == [405] * len(refused) + [200, 200, 400, 200]
    assert answers[0][1] == b""
    assert all(b"METHOD_NOT_ALLOWED" in body for _, body in answers[1 : len(refused)])
    assert (
        answers[-1][1]
        == answers[-4][1]
        == (
            b'event: next\r\ndata: {"data":{"inventory":{"damCount":0}},'
            b'"extensions":{"cost":{"requestedQueryCost":1,"maximumAvailable":5000}}}\r\n\r\n'
            b"event: complete\r\ndata:\r\n\r\n"
        )
    )


@on_sqlite
async def test_a_connection_that_is_to_be_closed_is_closed_after_the_stream(server: Server) -> None:
    for version, header in (("1.0", ""), ("1.1", "connection: close\r\n")):
        url = server.http.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        body = orjson.dumps({"query": FOLLOW, "variables": {"after": event_cursor(9)}})
        head = f"POST /graphql HTTP/{version}\r\nhost: x\r\naccept: text/event-stream\r\n{header}"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        told = await asyncio.wait_for(reader.read(), 30)
        assert b"event: complete\r\n" in told, version
        writer.close()
