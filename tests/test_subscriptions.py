"""damAdded over graphql-transport-ws, message by message."""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from auth.tokens import create_token, revoke_token
from auth.viewer import Viewer
from models.database import ENGINE_OPTIONS, Database
from resolvers.cursors import event_cursor
from tests.conftest import ADMIN_TOKEN, Serve, Server, until
from tests.streaming import ADD, BEARER, FOLLOW, Socket, add, add_many, cursor_of, dam_input, following, opened

WHO = "{ viewer { name } }"
START = event_cursor(0)


async def who(socket: Socket) -> Any:
    message = await socket.ask(WHO, "who")
    assert await socket.receive() == {"id": "who", "type": "complete"}
    return message["payload"]["data"]["viewer"]["name"]


async def test_connection_init_brings_the_token(server: Server) -> None:
    for payload in (BEARER, {"Authorization": f"Token {ADMIN_TOKEN}"}, {"authorization": f"bearer {ADMIN_TOKEN}"}):
        async with opened(server.websocket_url) as socket:
            await socket.init(payload)
            assert await who(socket) == "admin", payload


async def test_the_handshake_may_bring_the_token(server: Server) -> None:
    for kind in ("Bearer", "Token"):
        async with opened(server.websocket_url, authorization=f"{kind} {ADMIN_TOKEN}") as socket:
            await socket.init()
            assert await who(socket) == "admin", kind


async def test_sockets_leave_no_lines_in_the_log(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, logger="uvicorn.error")
    async with opened(server.websocket_url + "?token=secret") as socket:
        await socket.init()
        await socket.send("{")
        await socket.closed()
    assert "secret" not in caplog.text


async def test_nobody_needs_a_token(server: Server) -> None:
    for payload in (None, {}, {"Authorization": None}, {"Authorization": ""}, {"something": "else"}):
        async with opened(server.websocket_url) as socket:
            await socket.init(payload)
            assert await who(socket) is None, payload


async def test_a_token_that_is_not_valid_closes_the_socket(server: Server) -> None:
    for authorization in ("Bearer of_nobody", f"Basic {ADMIN_TOKEN}", ADMIN_TOKEN, 5, {"Bearer": ADMIN_TOKEN}):
        async with opened(server.websocket_url) as socket:
            await socket.send({"type": "connection_init", "payload": {"Authorization": authorization}})
            assert await socket.closed() == (4403, "Forbidden"), authorization


async def test_a_token_of_the_handshake_that_is_not_valid_closes_the_socket(server: Server) -> None:
    async with opened(server.websocket_url, authorization="Bearer of_nobody") as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.closed() == (4403, "Forbidden")


async def test_without_connection_init_nothing_can_be_asked(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.start(WHO)
        assert await socket.closed() == (4401, "Unauthorized")


async def test_who_never_says_connection_init_is_sent_away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.http.INIT_TIMEOUT", timedelta(milliseconds=50))
    async with serve() as server, opened(server.websocket_url) as socket:
        assert await socket.closed() == (4408, "Connection initialisation timeout")


async def test_connection_init_comes_once(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        await socket.send({"type": "connection_init"})
        assert await socket.closed() == (4429, "Too many initialisation requests")


def subscribe(**changes: Any) -> dict[str, Any]:
    return {"type": "subscribe", "id": "1", "payload": {"query": WHO}} | changes


WRONG: dict[str, list[Any]] = {
    "id": [None, 1, {}],
    "payload": [None, WHO, [], {}],
    "query": ["", None, 5, [WHO]],
    "variables": ["x", [], 0],
}
NO_MESSAGES = [
    *("", "{", "null", "5", '"ping"', "[]", '[{"type": "ping"}]', '{"type": "ping", "payload": NaN}', b"{}"),
    *({}, {"type": None}, {"type": ["ping"]}, {"type": "x" * 500}, {"type": "next", "id": "1", "payload": {}}),
    *({"type": "ping", "payload": 5}, {"type": "connection_init", "payload": "token"}),
    *({"type": "complete"}, {"type": "complete", "id": 1}, {"type": "complete", "id": ["1"]}),
    *({"type": "subscribe", "id": "1"}, {"type": "subscribe", "payload": {"query": WHO}}),
    *(subscribe(id=wrong) for wrong in WRONG["id"]),
    *(subscribe(payload=wrong) for wrong in WRONG["payload"]),
    *(subscribe(payload={"query": wrong}) for wrong in WRONG["query"]),
    *(subscribe(payload={"query": WHO, "variables": wrong}) for wrong in WRONG["variables"]),
    subscribe(payload={"query": WHO, "operationName": 5}),
    subscribe(payload={"query": WHO, "extensions": []}),
    subscribe(payload={"documentId": 5}),
    subscribe(payload={"extensions": {"persistedQuery": None}}),
    subscribe(id="x" * 129),
]


async def test_what_is_no_message_closes_the_socket(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    for message in NO_MESSAGES:
        async with opened(server.websocket_url) as socket:
            await socket.init()
            await socket.send(message)
            code, reason = await socket.closed()
            assert code == 4400, message
            assert reason
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_an_id_in_use_closes_the_socket(server: Server) -> None:
    async with following(server, await cursor_of(server)) as socket:
        await socket.start(WHO, "1")
        assert await socket.closed() == (4409, "Subscriber for 1 already exists")


async def test_the_reason_of_a_close_always_fits(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for _ in range(2):
            await socket.start(FOLLOW, "ü" * 128)
        code, reason = await socket.closed()
        assert code == 4409
        assert reason.startswith("Subscriber for üüü")


async def test_a_ping_is_answered(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.send({"type": "ping", "payload": {"any": "thing"}})
        assert await socket.receive() == {"type": "pong"}


async def test_other_protocols_are_refused(server: Server) -> None:
    for protocol in ("graphql-ws", "chat"):
        async with opened(server.websocket_url, protocol=protocol) as socket:
            assert await socket.closed() == (4406, "Subprotocol not acceptable"), protocol


async def test_pages_of_other_origins_are_refused_unless_they_are_allowed(serve: Serve) -> None:
    async with serve(allowed_origins=("https://maps.example",)) as server:
        for origin in ["https://maps.example", server.url]:
            async with opened(server.websocket_url, origin=origin) as socket:
                await socket.init()
        for origin in ["https://elsewhere.example", "http://maps.example", "https://maps.example:8443", "null"]:
            with pytest.raises(InvalidStatus) as refused:
                await opened(server.websocket_url, origin=origin).__aenter__()
            assert refused.value.response.status_code == 403


WRONG_OPERATIONS: list[tuple[dict[str, Any], str]] = [
    ({"query": "{ viewer { name "}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nonsense }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "subscription { damAdded { name } again: damAdded { name } }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "query A { viewer { name } }", "operationName": "B"}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": "query A { viewer { name } } query B { viewer { name } }"}, "OPERATION_RESOLUTION_FAILURE"),
    ({"query": FOLLOW, "variables": {"after": 5}}, "BAD_USER_INPUT"),
    ({"query": FOLLOW, "variables": {"after": "nonsense"}}, "BAD_USER_INPUT"),
    ({"query": FOLLOW, "variables": {"after": ""}}, "BAD_USER_INPUT"),
    ({"query": FOLLOW, "variables": {"after": event_cursor(1_000)}}, "CURSOR_AHEAD"),
    ({"query": FOLLOW, "variables": {"where": {"heightFt": {"min": 2, "max": 1}}}}, "BAD_USER_INPUT"),
    ({"query": FOLLOW, "variables": {"where": {"nonsense": 1}}}, "BAD_USER_INPUT"),
    ({"query": ADD, "variables": {"input": dam_input("Deer Creek")}}, "UNAUTHENTICATED"),
]


async def test_what_is_wrong_with_one_operation_leaves_the_others_alone(server: Server) -> None:
    async with following(server, await cursor_of(server)) as socket:
        for payload, code in WRONG_OPERATIONS:
            await socket.send({"type": "subscribe", "id": "wrong", "payload": payload})
            message = await socket.receive()
            assert message["id"] == "wrong"
            errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
            assert [error["extensions"]["code"] for error in errors] == [code], payload
            if message["type"] == "next":
                assert await socket.receive() == {"id": "wrong", "type": "complete"}
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]


async def test_an_operation_too_many_is_refused_and_the_others_go_on(server: Server) -> None:
    cursor = await cursor_of(server)
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for number in range(100):
            await socket.start(FOLLOW, str(number), after=cursor)
        refused = await socket.ask(FOLLOW, "100", after=cursor)
        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        await add_many(server, ["Deer Creek"])
        assert await socket.names(100) == ["Deer Creek"] * 100
        await socket.start(FOLLOW, "5", after=cursor)
        assert await socket.closed() == (4409, "Subscriber for 5 already exists")


async def test_reading_may_need_a_token(serve: Serve, admin: Viewer) -> None:
    async with serve(public_read=False) as server:
        cursor = await cursor_of(server)
        async with opened(server.websocket_url) as socket:
            await socket.init()
            message = await socket.ask(FOLLOW, after=cursor)
            assert message["payload"]["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        async with opened(server.websocket_url) as socket:
            await socket.init(BEARER)
            await socket.start(FOLLOW, after=cursor)
            await add_many(server, ["Deer Creek"])
            assert await socket.names(1) == ["Deer Creek"]


async def test_each_dam_comes_once_replayed_then_live(server: Server) -> None:
    names = [f"Dam {number}" for number in range(20)]
    await add_many(server, names[:10])
    async with following(server, START) as socket:
        await add_many(server, names[10:])
        assert await socket.names(20) == names


async def test_the_cursor_of_a_dam_resumes_after_it(server: Server) -> None:
    await add_many(server, ["Deer Creek", "Jordanelle", "Echo"])
    async with following(server, START) as socket:
        first = await socket.receive()
    async with following(server, first["payload"]["data"]["damAdded"]["cursor"]) as socket:
        assert await socket.names(2) == ["Jordanelle", "Echo"]


async def test_a_filter_holds_in_replay_and_live(server: Server) -> None:
    where = {"text": "creek", "box": {"west": -112, "south": 40, "east": -111, "north": 41}}
    far = dam_input("Far Creek", location={"latitude": 10, "longitude": 10})
    async with opened(server.websocket_url) as live:
        await live.init()
        await live.start(FOLLOW, after=START, where=where)
        await add_many(server, ["Deer Creek", "Jordanelle"])
        await server.query(ADD, input=far)
        await add_many(server, ["Beaver Creek"])
        assert await live.names(2) == ["Deer Creek", "Beaver Creek"]
        async with following(server, START, where=where) as replayed:
            assert await replayed.names(2) == ["Deer Creek", "Beaver Creek"]
            await add_many(server, ["Echo", "Mill Creek"])
            assert await replayed.names(1) == await live.names(1) == ["Mill Creek"]


async def test_a_dam_that_was_removed_since_is_passed_over(server: Server) -> None:
    await add_many(server, ["Deer Creek", "Jordanelle", "Echo"])
    removed = (await server.query("{ dam(damId: 2) { id } }"))["dam"]["id"]
    async with following(server, await cursor_of(server)) as live:
        await server.query("mutation ($id: ID!) { removeDam(id: $id) { removedId } }", id=removed)
        await add_many(server, ["Soldier Creek"])
        assert await live.names(1) == ["Soldier Creek"]
    async with following(server, START) as socket:
        await add_many(server, ["Mill Creek"])
        assert await socket.names(4) == ["Deer Creek", "Echo", "Soldier Creek", "Mill Creek"]


async def test_a_subscription_can_be_completed_and_its_id_used_again(server: Server) -> None:
    async with following(server, await cursor_of(server)) as socket:
        await socket.send({"type": "complete", "id": "1"})
        await add_many(server, ["Deer Creek"])
        await socket.start(FOLLOW, "1", after=await cursor_of(server))
        await add_many(server, ["Jordanelle"])
        assert await socket.names(1) == ["Jordanelle"]


async def test_queries_and_mutations_go_over_the_socket_too(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init(BEARER)
        added = await socket.ask(ADD, input=dam_input("Deer Creek"))
        assert added["payload"]["data"]["addDam"]["dam"]["name"] == "Deer Creek"
        assert await socket.receive() == {"id": "1", "type": "complete"}
        counted = await socket.ask("{ inventory { damCount } }")
        assert counted["payload"]["data"] == {"inventory": {"damCount": 1}}


async def test_a_revoked_token_adds_nothing_over_an_open_socket(server: Server, database: Database) -> None:
    token = await create_token(database, user="admin", name="to be revoked")
    async with opened(server.websocket_url) as socket:
        await socket.init({"Authorization": f"Bearer {token}"})
        assert await who(socket) == "admin"
        await revoke_token(database, user="admin", name="to be revoked")
        refused = await socket.ask(ADD, input=dam_input("Deer Creek"))
        assert refused["payload"]["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert await server.query("{ inventory { damCount } }") == {"inventory": {"damCount": 0}}


async def test_a_revoked_token_closes_its_socket_on_every_process(
    serve: Serve, admin: Viewer, database: Database
) -> None:
    token = await create_token(database, user="admin", name="short")
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serve()) for _ in range(2)]
        sockets = [await stack.enter_async_context(opened(server.websocket_url)) for server in servers]
        for socket in sockets:
            await socket.init({"Authorization": f"Bearer {token}"})
            await socket.start(FOLLOW, after=START)
        await add_many(servers[0], ["Deer Creek"])
        assert [await socket.names(1) for socket in sockets] == [["Deer Creek"]] * 2
        await revoke_token(database, user="admin", name="short")
        async with asyncio.timeout(5):
            for socket in sockets:
                assert await socket.closed() == (4403, "This API token is unknown or was revoked. Ask for a new one.")


async def test_waiting_subscriptions_leave_the_connections_to_others(
    serve: Serve, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in ENGINE_OPTIONS.values():
        monkeypatch.setitem(options, "pool_size", 2)
        monkeypatch.setitem(options, "max_overflow", 0)
    async with serve() as server:
        cursor = await cursor_of(server)
        async with opened(server.websocket_url) as one, opened(server.websocket_url) as other:
            for socket in (one, other):
                await socket.init(BEARER)
                for number in range(100):
                    await socket.start(FOLLOW, str(number), after=cursor)
            await add_many(server, ["Deer Creek", "Jordanelle"])
            for socket in (one, other):
                assert sorted(await socket.names(200)) == ["Deer Creek"] * 100 + ["Jordanelle"] * 100


async def test_clients_that_vanish_leave_nothing_behind(
    server: Server, database: Database, admin: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        await add(database, admin)
    before = len(asyncio.all_tasks())
    for number in range(20):
        async with following(server, START) as socket:
            await socket.names(number + 1)
            socket.connection.transport.abort()
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_socket_may_be_closed_in_the_middle_of_many_streams(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await add_many(server, [f"Dam {number}" for number in range(50)])
    before = len(asyncio.all_tasks())
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for number in range(100):
            await socket.start(FOLLOW, str(number), after=START)
        await socket.names(1)
        await socket.send("This ends it.")
        assert (await socket.closed())[0] == 4400
    await until(lambda: len(asyncio.all_tasks()) <= before)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
