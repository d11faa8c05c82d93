"""A kept answer is what would be made anew, and is nobody's own."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from graphql import parse

from auth.viewer import Viewer
from models.database import Database
from models.statement import Record
from resolvers.adding import remove_dam
from resolvers.counts import MOST_COUNTS, Counts, count_dams
from resolvers.filters import checked
from resolvers.inventory import InventoryState, set_cap
from schema import query as query_module
from schema import schema
from schema.dependence import FROM_DAMS, depends_on_dams_alone
from tests.conftest import ADMIN_TOKEN, Place, Serve, Server
from tests.shared import new_token, opened
from tests.streaming import TIMEOUT_S, add
from transport.kept_answers import KeptAnswer, KeptAnswers, Question

PAGE = """query Page($first: Int, $text: String) {
  dams(first: $first, where: {text: $text}) { nodes { name } totalCount }
  inventory { damCount maxDams eventCursor } }"""


@contextmanager
def made() -> Iterator[list[object]]:
    """Grows with each operation that is executed, and not with one that is answered from what is kept."""
    seen: list[object] = []
    execute = schema.execute

    async def noted(query: Any, **options: Any) -> Any:
        seen.append(query)
        return await execute(query, **options)

    patch = pytest.MonkeyPatch()
    patch.setattr(schema, "execute", noted)
    yield seen
    patch.undo()


async def ask(server: Server, query: str = PAGE, token: str | None = None, **variables: Any) -> Any:
    """The data of an answer that is asked for three times: it is kept from the second time on, if not before."""
    answers = [await server.query(query, token, **variables) for _ in range(3)]
    assert answers == answers[:1] * 3
    return answers[0]


def names(answer: Any) -> list[str]:
    assert answer["dams"]["totalCount"] == len(answer["dams"]["nodes"])
    return [node["name"] for node in answer["dams"]["nodes"]]


async def test_the_same_question_is_answered_once_until_a_dam_is_added_or_removed(
    server: Server, database: Database, admin: Viewer
) -> None:
    assert names(await ask(server)) == []
    with made() as seen:
        assert names(await ask(server)) == []
        assert len(seen) == 0
        await add(database, admin, "Deer Creek")
        assert names(await ask(server)) == ["Deer Creek"]
        assert len(seen) == 1
        await add(database, admin, "Jordanelle")
        assert names(await ask(server)) == ["Deer Creek", "Jordanelle"]
        await remove_dam(database, 1, admin)
        assert names(await ask(server)) == ["Jordanelle"]
        assert len(seen) == 3


async def test_a_cap_that_changes_without_an_event_is_seen_at_once(server: Server, database: Database) -> None:
    for cap, told in ((3, 3), (5, 5), (0, None), (3, 3)):
        await set_cap(database, "max_dams", cap)
        assert (await ask(server))["inventory"]["maxDams"] == told


async def test_whoever_reads_after_an_add_sees_it_in_every_process(place: Place, serve: Serve, admin: Viewer) -> None:
    """Writers and readers at two servers and at the database itself, all at once."""
    known = 0
    async with serve() as one, serve() as other, opened(place.url) as database:

        async def read(server: Server) -> None:
            for _ in range(40):
                before = known
                answer = await server.query(PAGE, None)
                assert answer["dams"]["totalCount"] >= before
                assert answer["inventory"]["damCount"] >= before

        async def write() -> None:
            nonlocal known
            for number in range(1, 31):
                assert await add(database, admin, f"Dam {number}") == number
                known = number

        await asyncio.gather(write(), *(read(server) for server in (one, other) * 3))
        assert names(await ask(one, first=100)) == names(await ask(other, first=100))


async def test_variables_operation_and_permissions_are_part_of_the_question(
    serve: Serve, database: Database, admin: Viewer
) -> None:
    await add(database, admin, "Deer Creek")
    await add(database, admin, "Jordanelle")
    reader = await new_token(database, "rita", "reader")
    two = "query A { dams(first: 1) { nodes { name } } } query B { dams(last: 1) { nodes { name } } }"
    async with serve(public_read=False) as server:
        for text, found in (("deer", ["Deer Creek"]), ("jordan", ["Jordanelle"]), ("deer", ["Deer Creek"])):
            assert names(await ask(server, token=reader, text=text)) == found
        body = {"query": two, "operationName": "A"}
        headers = {"authorization": f"Bearer {reader}"}
        for name, found in (("A", "Deer Creek"), ("B", "Jordanelle")) * 3:
            answer = await server.http.post("/graphql", json=body | {"operationName": name}, headers=headers)
            assert answer.json()["data"]["dams"]["nodes"] == [{"name": found}]
        for token, code in ((None, "UNAUTHENTICATED"), ("dams_unknown", "UNAUTHENTICATED")):
            answer = await server.post(PAGE, token, text="deer")
            assert [error["extensions"]["code"] for error in answer["errors"]][:1] == [code]


async def test_with_nothing_to_keep_it_in_each_answer_is_made(serve: Serve, admin: Viewer) -> None:
    with made() as seen:
        async with serve(kept_answers_mb=0) as server:
            await ask(server)
            answer = await server.http.get("/graphql", params={"query": PAGE})
    assert len(seen) == 4
    assert "etag" not in answer.headers


async def test_errors_are_not_kept(server: Server, database: Database, admin: Viewer) -> None:
    with made() as seen:
        for _ in range(4):
            answer = await server.post("{ dams(first: 100000) { nodes { name } } }", None)
            assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert len(seen) == 4


async def test_those_who_ask_the_same_at_once_wait_for_one_answer(
    server: Server, database: Database, admin: Viewer
) -> None:
    await ask(server)
    await add(database, admin, "Deer Creek")
    with made() as seen:
        answers = await asyncio.gather(*(server.query(PAGE, None) for _ in range(20)))
    assert [names(answer) for answer in answers] == [["Deer Creek"]] * 20
    assert len(seen) <= 2  # a request may come when the first is done


async def test_where_the_first_hangs_up_another_one_who_waits_makes_the_answer(
    server: Server, database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(server)
    await add(database, admin, "Deer Creek")
    begun, goes_on = asyncio.Queue[bool](), asyncio.Event()
    load = query_module.load_page

    async def load_later(*arguments: Any) -> Any:
        begun.put_nowait(True)
        await goes_on.wait()
        return await load(*arguments)

    monkeypatch.setattr(query_module, "load_page", load_later)
    async with httpx.AsyncClient(base_url=server.url) as first:
        gone = asyncio.create_task(first.post("/graphql", json={"query": PAGE}))
        await asyncio.wait_for(begun.get(), TIMEOUT_S)
        others = [asyncio.create_task(server.query(PAGE, None)) for _ in range(20)]
        gone.cancel()
    await asyncio.wait_for(begun.get(), TIMEOUT_S)
    goes_on.set()
    assert [names(answer) for answer in await asyncio.gather(*others)] == [["Deer Creek"]] * 20
    assert begun.empty()


@pytest.fixture
async def by_get(server: Server) -> httpx.AsyncClient:
    """Of a document that is known."""
    await ask(server)
    return server.http


async def get(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await http.get("/graphql", params={"query": PAGE}, headers=headers)


async def test_by_get_an_answer_has_an_etag_until_it_changes(
    by_get: httpx.AsyncClient, database: Database, admin: Viewer
) -> None:
    first = await get(by_get)
    assert first.headers["cache-control"] == "public, no-cache"
    assert first.headers["vary"].lower() == "accept, authorization, origin"
    etag = first.headers["etag"]
    for asked in (etag, f'"other", {etag}', etag.removeprefix("W/")):
        same = await get(by_get, **{"if-none-match": asked})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    await add(database, admin, "Deer Creek")
    changed = await get(by_get, **{"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert names(changed.json()["data"]) == ["Deer Creek"]


async def test_an_answer_with_a_token_is_for_private_caches(by_get: httpx.AsyncClient) -> None:
    answer = await get(by_get, authorization=f"Bearer {ADMIN_TOKEN}")
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_a_post_and_what_is_never_kept_have_no_etag(by_get: httpx.AsyncClient) -> None:
    posted = await by_get.post("/graphql", json={"query": PAGE})
    own = [await by_get.get("/graphql", params={"query": "{ viewer { name } }"}) for _ in range(3)][-1]
    for answer in (posted, own):
        assert answer.status_code == 200
        assert "etag" not in answer.headers


async def test_who_reads_only_streams_gets_a_kept_answer_as_one(by_get: httpx.AsyncClient) -> None:
    plain = await get(by_get)
    stream = await get(by_get, accept="text/event-stream", **{"if-none-match": plain.headers["etag"]})
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert plain.text in stream.text


DEPENDENT = [
    "{ viewer { name } }",
    "{ rateLimit { remaining } }",
    "{ subscriptionHealth { isLive } }",
    "{ changes { nodes { at } } }",
    "{ dams { nodes { history { at } } } }",
    "{ dams { nodes { ...more } } } fragment more on Dam { history { at } }",
    "{ dams { totalCount } viewer { name } }",
    "{ dams { totalCount } } mutation { addDam(input: {}) { warnings } }",
    "subscription { damAdded { name } }",
    "{ __schema { description } }",
    "{ dams { unknown } }",
]


def test_only_what_dams_make_is_kept() -> None:
    for document in DEPENDENT:
        assert not depends_on_dams_alone(schema._schema, parse(document)), document
    for document in (
        PAGE,
        "{ node(id: 5) { __typename id ... on Dam { geometry } } damClusters(zoom: 3) { lastDamId } }",
    ):
        assert depends_on_dams_alone(schema._schema, parse(document)), document


def test_the_fields_that_dams_make_are_fields_of_the_schema() -> None:
    for field in FROM_DAMS:
        parent, name = field.split(".")
        assert name in schema._schema.type_map[parent].fields  # type: ignore[attr-defined]


def test_what_is_kept_stays_below_its_bytes_and_the_latest_used_stay() -> None:
    kept = KeptAnswers(100_000)
    questions = [Question("{ a }", None, str(number).encode(), frozenset()) for number in range(100)]
    state = InventoryState(0, 0, 0, 0)
    for question in questions:
        kept._put(question, KeptAnswer(state, b"x" * 5_000, ""))
        kept._put(question, KeptAnswer(state, b"x" * 5_000, ""))
        assert kept._get(questions[0], state)
        assert kept.bytes <= 100_000
    there = [question for question in questions if kept._get(question, state)]
    assert there == [questions[0], *questions[-len(there) + 1 :]]
    assert len(there) == 100_000 // 5_506
    kept._put(questions[0], KeptAnswer(state, b"x" * 20_000, ""))  # too large a part of it all
    assert kept._get(questions[0], state) is None
    assert not kept._get(questions[-1], InventoryState(0, 0, 0, 1))


async def test_a_count_of_a_filter_is_read_once_until_the_next_change(
    database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    fetch = database._driver.fetch

    async def noted(text: str, parameters: Sequence[Any]) -> Sequence[Record]:
        if "count(*)" in text:
            counted.append(text)
        return await fetch(text, parameters)

    monkeypatch.setattr(database._driver, "fetch", noted)
    for expected in (0, 1):
        for text in ("deer", "creek", "deer"):
            assert await count_dams(database, checked({"text": text})) == expected
        assert await count_dams(database, ()) == expected
        await add(database, admin, "Deer Creek")
    assert len(counted) == 4


def test_counts_are_of_one_sequence_number_and_so_many_at_most() -> None:
    counts = Counts()
    for number in range(2 * MOST_COUNTS):
        counts.put((("text", number),), 5, number)
        assert counts.get((("text", number),), 5) == number
        assert len(counts._counts) <= MOST_COUNTS
    counts.put((), 4, 1)  # read before the last change, and told late
    assert counts.get((), 4) is None
    counts.put((), 6, 2)
    assert counts._counts == {(): 2}
