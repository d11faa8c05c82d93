"""Documents named by their hash: automatic ones, trusted ones, over HTTP, WebSocket and server-sent events."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from models.database import Database
from pubsub.shared_texts import OwnTexts, SharedTexts
from resolvers.inventory import redis_channel
from tests.conftest import Serve, Server
from tests.event_streams import requested
from tests.services import Redis, running
from tests.streaming import FOLLOW, add_many, cursor_of, opened
from transport.persisted import hash_of_text, read_manifests

COUNT = "{ inventory { damCount } }"
COUNTED = {"inventory": {"damCount": 0}}
NOT_FOUND = {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
NOT_TRUSTED = {
    "message": "This server executes only the documents of its manifests.",
    "extensions": {"code": "DOCUMENT_NOT_TRUSTED"},
}

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def automatic(text: str, *, send: bool = False, **members: Any) -> dict[str, Any]:
    named = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of_text(text)}}}
    return named | ({"query": text} if send else {}) | members


def by_id(text: str, **members: Any) -> dict[str, Any]:
    return {"documentId": f"sha256:{hash_of_text(text)}", **members}


async def asked(server: Server, request: Mapping[str, Any]) -> Any:
    return (await server.http.post("/graphql", json=request)).json()


async def knows(server: Server, text: str) -> bool:
    answer = await asked(server, by_id(text))
    return answer.get("errors") != [NOT_FOUND]


@on_sqlite
async def test_who_sends_the_text_once_may_name_it_from_then_on(server: Server) -> None:
    text = "query ($n: Int = 1) { inventory { damCount } dams(first: $n) { totalCount } }"
    assert await asked(server, automatic(text)) == {"errors": [NOT_FOUND]}
    for request in (automatic(text, send=True), automatic(text), by_id(text), automatic(text, variables={"n": 2})):
        assert (await asked(server, request))["data"] == COUNTED | {"dams": {"totalCount": 0}}


@on_sqlite
async def test_named_documents_may_be_asked_by_get(server: Server) -> None:
    request = {name: json.dumps(value) for name, value in automatic(COUNT).items()}
    headers = {"accept": "application/graphql-response+json"}
    unknown = await server.http.get("/graphql", params=request, headers=headers)
    assert (unknown.status_code, unknown.json()) == (404, {"errors": [NOT_FOUND]})
    assert unknown.headers["cache-control"] == "no-store"
    plain = await server.http.get("/graphql", params=request)
    assert (plain.status_code, plain.json()) == (200, {"errors": [NOT_FOUND]})
    await asked(server, automatic(COUNT, send=True))
    for parameters in (request, by_id(COUNT)):
        answer = await server.http.get("/graphql", params=parameters, headers=headers)
        assert (answer.status_code, answer.json()["data"]) == (200, COUNTED)
        assert "no-store" not in answer.headers["cache-control"]


INVALID = ["{ nonsense }", "{", "{ " + "__typename " * 21 + "}", "{ inventory { damCount } }" + " " * 10_000]


@on_sqlite
async def test_only_valid_documents_of_usual_length_are_kept(server: Server) -> None:
    for text in INVALID:
        assert "PERSISTED_QUERY_NOT_FOUND" not in str(await asked(server, automatic(text, send=True)))
        assert not await knows(server, text)


WRONG: list[dict[str, Any]] = [
    {"query": COUNT, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of_text("{ other }")}}},
    {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": hash_of_text(COUNT)}}},
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of_text(COUNT).upper()}}},
    {"extensions": {"persistedQuery": {"version": 1}}},
    {"extensions": {"persistedQuery": "x"}},
    {"documentId": hash_of_text(COUNT)},
    {"documentId": "md5:0123"},
    {"documentId": "sha256:"},
]


@on_sqlite
async def test_a_name_that_is_none_is_refused_on_every_way_and_closes_nothing(server: Server) -> None:
    async with opened(server.websocket_url) as socket:
        await socket.init()
        for number, request in enumerate(WRONG):
            (error,) = (await asked(server, request))["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            await socket.send({"type": "subscribe", "id": f"{number}", "payload": request})
            assert await socket.receive() == {"type": "error", "id": f"{number}", "payload": [error]}
        assert (await socket.ask(COUNT))["payload"]["data"] == COUNTED


@on_sqlite
async def test_named_subscriptions_run_over_websocket_and_server_sent_events(server: Server) -> None:
    variables = {"after": await cursor_of(server)}
    async with opened(server.websocket_url) as socket:
        await socket.init()
        await socket.send({"type": "subscribe", "id": "1", "payload": automatic(FOLLOW, variables=variables)})
        assert await socket.receive() == {"type": "error", "id": "1", "payload": [NOT_FOUND]}
        await socket.send(
            {"type": "subscribe", "id": "1", "payload": automatic(FOLLOW, send=True, variables=variables)}
        )
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]
        await socket.send({"type": "subscribe", "id": "2", "payload": by_id(FOLLOW, variables=variables)})
        assert await socket.names(1) == ["Deer Creek"]
    request = by_id(FOLLOW, variables=variables)
    async with server.http.stream("POST", "/graphql", json=request, headers={"accept": "text/event-stream"}) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                assert json.loads(line[5:])["data"]["damAdded"]["name"] == "Deer Creek"
                break


async def test_no_more_are_kept_than_there_is_room_for() -> None:
    texts = OwnTexts(2)
    for key in "ab":
        await texts.keep(key, key * 3)
    assert await texts.find("a") == "aaa"
    await texts.keep("c", "ccc")
    assert [await texts.find(key) for key in "abc"] == ["aaa", None, "ccc"]


@on_sqlite
async def test_processes_share_documents_through_redis_those_used_last(
    serve: Serve, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.PERSISTED_DOCUMENTS", 2)
    texts = ["{ inventory { damCount } }", "{ inventory { isFull } }", "{ inventory { maxDams } }"]
    async with AsyncExitStack() as stack:
        one, other, third = [await stack.enter_async_context(serve(redis_url=redis_server.url)) for _ in range(3)]
        for text in texts[:2]:
            await asked(one, automatic(text, send=True))
            assert await knows(other, text)
        await asked(one, automatic(texts[2], send=True))
        assert [await knows(third, text) for text in texts].count(True) == 2
        assert await knows(third, texts[2])


@on_sqlite
async def test_who_can_write_to_redis_puts_no_text_under_the_name_of_another(
    serve: Serve, database: Database, redis_server: Redis
) -> None:
    texts = SharedTexts(redis_server.url, await redis_channel(database), 10)
    await texts.keep(hash_of_text(COUNT), "{ __typename }")
    await texts.close()
    async with serve(redis_url=redis_server.url) as server:
        assert not await knows(server, COUNT)
        for request in (automatic(COUNT, send=True), {"query": COUNT}):
            assert (await asked(server, request))["data"] == COUNTED


@on_sqlite
async def test_without_redis_each_process_keeps_its_own(serve: Serve) -> None:
    with running(Redis()) as redis:
        async with serve(redis_url=redis.url) as server:
            redis.kill()
            assert not await knows(server, COUNT)
            assert (await asked(server, automatic(COUNT, send=True)))["data"] == COUNTED
            assert await knows(server, COUNT)


def manifest_of(tmp_path: Path, *texts: str) -> Path:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({hash_of_text(text): text for text in texts}))
    return file


@on_sqlite
async def test_a_setting_makes_trusted_documents_the_only_way_in(serve: Serve, tmp_path: Path) -> None:
    async with serve(trusted_documents=(manifest_of(tmp_path, COUNT),), trusted_documents_only=True) as server:
        beside = {"query": "{ other }", "extensions": {"trustedDocument": hash_of_text(COUNT)}}
        for request in (by_id(COUNT), automatic(COUNT), {"query": COUNT}, automatic(COUNT, query="{ other }"), beside):
            assert (await asked(server, request))["data"] == COUNTED
        others: list[dict[str, Any]] = [
            {"query": COUNT + " "},
            {"query": "{ __schema { types { name } } }"},
            {"query": "{ __typename }", "extensions": {"trustedDocument": hash_of_text("{ other }")}},
            {"query": "{ __typename }", "extensions": {"trustedDocument": [COUNT]}},
            automatic(FOLLOW, send=True),
            by_id(FOLLOW),
        ]
        for request in others:
            assert await asked(server, request) == {"errors": [NOT_TRUSTED]}
        async with opened(server.websocket_url) as socket:
            await socket.init()
            await socket.start(FOLLOW)
            assert await socket.receive() == {"type": "error", "id": "1", "payload": [NOT_TRUSTED]}
            await socket.send({"type": "subscribe", "id": "2", "payload": by_id(COUNT)})
            assert (await socket.receive())["payload"]["data"] == COUNTED
        async with requested(server, FOLLOW, headers={"accept": "text/event-stream"}) as answer:
            await answer.aread()
            assert (answer.status_code, answer.json()) == (403, {"errors": [NOT_TRUSTED]})


@on_sqlite
async def test_trusted_documents_are_known_from_the_start(serve: Serve, tmp_path: Path) -> None:
    async with serve(trusted_documents=(manifest_of(tmp_path, COUNT),)) as server:
        assert (await asked(server, by_id(COUNT)))["data"] == COUNTED
        unknown = {"trustedDocument": hash_of_text("{ other }")}
        for extensions in ({}, unknown):
            answer = await asked(server, {"query": "{ __typename }", "extensions": extensions})
            assert answer["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("content", ["", "[]", '{"a": "{ b }"}', '{"a": 5}', "{"])
def test_a_file_that_is_no_manifest_is_refused_by_its_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        read_manifests([file])
