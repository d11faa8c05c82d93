"""Signing in, tokens, users and caps through the API: what an administrator's page does."""

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from pyrate_limiter import Duration, Rate
from sqlalchemy import Engine, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from auth import passwords
from auth.passwords import set_password
from auth.tokens import create_token
from auth.users import add_user, list_users, set_groups
from models import User
from models.database import Database
from models.errors import Refused
from models.identity import Permission
from resolvers import changes, signing_in
from resolvers.cursors import dam_global_id, encode
from tests.conftest import ADMIN_TOKEN, Serve, Server, until
from tests.streaming import ADD, TIMEOUT_S, add_many, dam_input, opened

PASSWORD = "correct horse battery"
SIGN_IN = """mutation ($name: String!, $password: String!) {
  signIn(input: {name: $name, password: $password}) { token expiresAt errors { code field message } } }"""
CREATE = """mutation ($input: CreateTokenInput!) { createToken(input: $input) {
  secret token { id name user scopes expiresAt revokedAt isSession } errors { code field message } } }"""
REVOKE = "mutation ($id: ID!) { revokeToken(input: {id: $id}) { revokedId errors { code field message } } }"
TOKENS = "query ($everyone: Boolean! = false) { apiTokens(everyone: $everyone) { nodes { id name user isSession } } }"
USERS = """{ users { nodes { id name groups ownMaxDams hasPassword issuer quota { maxDams used remaining } }
  pageInfo { hasNextPage endCursor } } }"""
QUOTA = """mutation ($id: ID!, $maxDams: Int) { setUserQuota(input: {id: $id, maxDams: $maxDams}) {
  user { name ownMaxDams quota { maxDams } } errors { code field message } } }"""
CAPS = """mutation ($input: UpdateInventoryInput!) { updateInventory(input: $input) {
  inventory { maxDams maxDamsPerUser } errors { code field message } } }"""
AUDIT = "{ auditTrail(first: 100) { nodes { action actor token subject detail } } }"
CHANGES = """query ($first: Int, $after: String, $damId: Int, $actor: String) {
  changes(first: $first, after: $after, damId: $damId, actor: $actor) {
    nodes { kind damId actor token dam { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""
VIEWER = "{ viewer { name permissions } }"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def ada(database: Database) -> str:
    """A contributor's password."""
    await add_user(database, "ada", ["contributor"])
    await set_password(database, "ada", PASSWORD)
    return PASSWORD


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """As they are sent."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


async def sign_in(server: Server, name: str = "ada", password: str = PASSWORD) -> Any:
    return (await server.query(SIGN_IN, None, name=name, password=password))["signIn"]


async def code(server: Server, document: str, token: str | None = ADMIN_TOKEN, **variables: Any) -> str:
    """Of the one error of the request."""
    (error,) = (await server.post(document, token, **variables))["errors"]
    return str(error["extensions"]["code"])


async def test_a_password_gives_a_token_that_expires_and_can_be_given_back(
    serve: Serve, database: Database, ada: str
) -> None:
    async with serve(session_hours=2) as server:
        payload = await sign_in(server)
        assert payload["errors"] == []
        left = datetime.fromisoformat(payload["expiresAt"]) - datetime.now(UTC)
        assert timedelta(hours=1, minutes=59) < left < timedelta(hours=2)
        viewer = await server.query(VIEWER, payload["token"])
        assert viewer == {"viewer": {"name": "ada", "permissions": ["add_dams", "view_dams"]}}
        tokens = await server.query(TOKENS, payload["token"])
        assert [token["isSession"] for token in tokens["apiTokens"]["nodes"]] == [True]
        assert await server.query("mutation { signOut { signedOut } }", payload["token"]) == {
            "signOut": {"signedOut": True}
        }
        assert await code(server, VIEWER, payload["token"]) == "UNAUTHENTICATED"
        assert await code(server, "mutation { signOut { signedOut } }", None) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("ada", ""), ("ada", "x" * 100_000), ("nobody", PASSWORD), ("admin", ""), ("a\0da", PASSWORD)],
    ids=["wrong", "empty", "long", "unknown user", "user without a password", "NUL"],
)
async def test_what_does_not_belong_together_does_not_sign_in(
    server: Server, ada: str, name: str, password: str
) -> None:
    payload = await sign_in(server, name, password)
    error = {"code": "WRONG_CREDENTIALS", "field": None, "message": "The name or the password is wrong."}
    assert payload == {"token": None, "expiresAt": None, "errors": [error]}


async def test_who_fails_too_often_has_to_wait(
    server: Server, ada: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_PER_ADDRESS", Rate(3, 10 * Duration.MINUTE))
    for _ in range(5):  # those that succeed do not count
        assert (await sign_in(server))["errors"] == []
    for _ in range(3):
        assert (await sign_in(server, password="wrong"))["errors"][0]["code"] == "WRONG_CREDENTIALS"
    failures = [record.getMessage() for record in caplog.records if "sign-in" in record.getMessage()]
    assert failures == ["failed sign-in as 'ada' from '127.0.0.1'"] * 3
    (error,) = (await sign_in(server))["errors"]
    assert (error["code"], error["field"]) == ("TOO_MANY_TRIES", None)
    assert re.fullmatch(r"Too many failed sign-ins\. Try again in (200|199) s\.", error["message"])


async def test_neither_name_nor_address_makes_lines_of_the_log(
    server: Server, ada: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"query": SIGN_IN, "variables": {"name": "a\n\x1b\u0085\u2028b", "password": "wrong"}}
    await server.http.post("/graphql", json=body, headers={"x-forwarded-for": b"c\x85\x9bd"})
    (line,) = [record.getMessage() for record in caplog.records if "sign-in" in record.getMessage()]
    assert line == r"failed sign-in as 'a\n\x1b\x85\u2028b' from 'c\x85\x9bd'"


async def test_who_signs_in_and_hangs_up_takes_no_more_threads(
    server: Server, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: list[str] = []
    goes_on = threading.Event()

    def verify(kept: str, password: str) -> bool:
        at_work.append(password)
        return not goes_on.wait(TIMEOUT_S)

    monkeypatch.setattr(passwords, "_fits", verify)
    waiting = passwords._threads._work_queue
    for number in range(1, 3 * passwords.HASHES_AT_A_TIME):
        async with opened(server.websocket_url) as socket:
            await socket.init()
            await socket.start(SIGN_IN, name="ada", password="wrong")
            await until(lambda number=number: len(at_work) + waiting.qsize() == number)
    assert len(at_work) == passwords.HASHES_AT_A_TIME
    goes_on.set()
    assert (await sign_in(server))["errors"][0]["code"] == "WRONG_CREDENTIALS"


async def test_a_network_of_ipv6_has_no_more_tries_than_an_address(
    server: Server, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_PER_ADDRESS", Rate(3, 10 * Duration.MINUTE))
    body = {"query": SIGN_IN, "variables": {"name": "ada", "password": "wrong"}}
    codes = []
    for number in range(4):
        answer = await server.http.post("/graphql", json=body, headers={"x-forwarded-for": f"2001:db8::{number}"})
        codes += [error["code"] for error in answer.json()["data"]["signIn"]["errors"]]
    assert codes == ["WRONG_CREDENTIALS"] * 3 + ["TOO_MANY_TRIES"]


async def test_a_new_password_ends_the_sessions_and_leaves_the_tokens(
    server: Server, database: Database, ada: str
) -> None:
    session = (await sign_in(server))["token"]
    token = await create_token(database, user="ada", name="laptop")
    await set_password(database, "ada", PASSWORD * 2)
    assert await code(server, VIEWER, session) == "UNAUTHENTICATED"
    assert (await server.query(VIEWER, token))["viewer"]["name"] == "ada"
    assert (await sign_in(server))["errors"][0]["code"] == "WRONG_CREDENTIALS"
    assert (await sign_in(server, password=PASSWORD * 2))["errors"] == []


async def test_sessions_that_are_over_are_forgotten_at_the_next(server: Server, database: Database, ada: str) -> None:
    for _ in range(2):
        token = (await sign_in(server))["token"]
        await server.query("mutation { signOut { signedOut } }", token)
    session = (await sign_in(server))["token"]
    tokens = (await server.query(TOKENS, session))["apiTokens"]["nodes"]
    assert len(tokens) == 1


async def test_passwords_have_a_least_and_a_greatest_length(database: Database, ada: str) -> None:
    for password in ("x" * 11, "x" * 1_001):
        with pytest.raises(Refused, match="from 12 to 1,000 characters"):
            await set_password(database, "ada", password)
    with pytest.raises(Refused, match='no user "eve"'):
        await set_password(database, "eve", PASSWORD)


async def test_a_page_learns_whether_a_password_is_of_use(server: Server, database: Database) -> None:
    offered = "{ authentication { password openIdProvider { issuer } } }"
    assert await server.query(offered, None) == {"authentication": {"password": False, "openIdProvider": None}}
    await set_password(database, "admin", PASSWORD)
    assert (await server.query(offered, None))["authentication"]["password"] is True


async def test_a_token_of_ones_own_is_made_shown_once_and_revoked(server: Server, ada: str) -> None:
    session = (await sign_in(server))["token"]
    made = await server.query(CREATE, session, input={"name": " laptop ", "scopes": ["view_dams"], "days": 30})
    payload = made["createToken"]
    assert payload["errors"] == []
    token = payload["token"]
    assert (token["name"], token["user"], token["scopes"], token["isSession"]) == (
        "laptop",
        "ada",
        ["view_dams"],
        False,
    )
    assert datetime.fromisoformat(token["expiresAt"]) - datetime.now(UTC) < timedelta(days=30)
    assert (await server.query(VIEWER, payload["secret"]))["viewer"]["permissions"] == ["view_dams"]
    assert payload["secret"] not in str(await server.query(TOKENS, session))
    revoked = await server.query(REVOKE, session, id=token["id"])
    assert revoked == {"revokeToken": {"revokedId": token["id"], "errors": []}}
    assert await code(server, VIEWER, payload["secret"]) == "UNAUTHENTICATED"
    again = await server.query(REVOKE, session, id=token["id"])
    assert again["revokeToken"]["errors"][0]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"name": " "}, ("REQUIRED", "name")),
        ({"name": "a\nb"}, ("INVALID_TEXT", "name")),
        ({"name": "x" * 201}, ("TOO_LONG", "name")),
        ({"name": "test"}, ("NAME_TAKEN", "name")),
        ({"name": "t", "scopes": ["all"]}, ("UNKNOWN_PERMISSION", "scopes")),
        ({"name": "t", "days": 0}, ("OUT_OF_RANGE", "days")),
        ({"name": "t", "days": 36_501}, ("OUT_OF_RANGE", "days")),
    ],
)
async def test_a_token_that_cannot_be_is_refused_as_data(
    server: Server, sent: dict[str, Any], error: tuple[str, str]
) -> None:
    payload = (await server.query(CREATE, input=sent))["createToken"]
    assert [(each["code"], each["field"]) for each in payload["errors"]] == [error]
    assert (payload["secret"], payload["token"]) == (None, None)


async def test_a_limited_token_gives_itself_nothing_more(server: Server, database: Database) -> None:
    scopes = [Permission.MANAGE_INVENTORY]
    limited = await create_token(database, user="admin", name="limited", scopes=scopes)
    (own,) = [token for token in (await server.query(TOKENS))["apiTokens"]["nodes"] if token["name"] == "test"]
    assert await code(server, CREATE, limited, input={"name": "t"}) == "FORBIDDEN"
    assert await code(server, REVOKE, limited, id=own["id"]) == "FORBIDDEN"


async def test_tokens_of_others_are_for_those_who_manage_the_inventory(server: Server, ada: str) -> None:
    session = (await sign_in(server))["token"]
    (own,) = (await server.query(TOKENS, session))["apiTokens"]["nodes"]
    (admins,) = (await server.query(TOKENS))["apiTokens"]["nodes"]
    assert (own["user"], admins["user"]) == ("ada", "admin")
    assert await code(server, TOKENS, session, everyone=True) == "FORBIDDEN"
    everyones = await server.query(TOKENS, everyone=True)
    assert everyones["apiTokens"]["nodes"] == [own, admins]
    anothers = await server.query(REVOKE, session, id=admins["id"])
    assert anothers["revokeToken"]["errors"][0]["code"] == "NOT_FOUND"
    assert (await server.query(REVOKE, id=own["id"]))["revokeToken"]["errors"] == []
    assert await code(server, VIEWER, session) == "UNAUTHENTICATED"


async def test_users_are_listed_with_their_quotas_which_can_be_set(
    server: Server, database: Database, ada: str
) -> None:
    await add_user(database, "guest", [], max_dams=0)
    await add_many(server, ["Deer Creek"])
    await server.query(CAPS, input={"maxDamsPerUser": 3})
    nodes = (await server.query(USERS))["users"]["nodes"]
    seen = [
        (user["name"], user["groups"], user["ownMaxDams"], user["hasPassword"], user["quota"]["used"]) for user in nodes
    ]
    assert seen == [
        ("admin", ["admin"], None, False, 1),
        ("ada", ["contributor"], None, True, 0),
        ("guest", [], 0, False, 0),
    ]
    assert [user["quota"]["maxDams"] for user in nodes] == [3, 3, None]
    for sent, applies in ((7, 7), (0, None), (None, 3)):
        payload = (await server.query(QUOTA, id=nodes[1]["id"], maxDams=sent))["setUserQuota"]
        assert payload["user"] == {"name": "ada", "ownMaxDams": sent, "quota": {"maxDams": applies}}
    negative = (await server.query(QUOTA, id=nodes[1]["id"], maxDams=-1))["setUserQuota"]
    assert [(error["code"], error["field"]) for error in negative["errors"]] == [("OUT_OF_RANGE", "maxDams")]
    unknown = (await server.query(QUOTA, id=encode("User", 99)))["setUserQuota"]
    assert [error["code"] for error in unknown["errors"]] == ["NOT_FOUND"]
    assert await code(server, QUOTA, id="nonsense") == "BAD_USER_INPUT"


SET_GROUPS = """mutation ($id: ID!, $groups: [String!]!) { setUserGroups(input: {id: $id, groups: $groups}) {
  user { name groups } errors { code field message } } }"""
SET_DISABLED = """mutation ($id: ID!, $isDisabled: Boolean!) {
  setUserDisabled(input: {id: $id, isDisabled: $isDisabled}) { user { name isDisabled } errors { code } } }"""


async def test_the_groups_of_a_user_are_changed(server: Server, database: Database, ada: str) -> None:
    token = await create_token(database, user="ada", name="laptop")
    user = encode("User", 2)
    for groups, permissions in (
        (["reader", "admin", "reader"], sorted(Permission)),
        ([], ["view_dams"]),
        (["contributor"], ["add_dams", "view_dams"]),
    ):
        payload = (await server.query(SET_GROUPS, id=user, groups=groups))["setUserGroups"]
        assert payload == {"user": {"name": "ada", "groups": sorted(set(groups))}, "errors": []}
        assert (await server.query(VIEWER, token))["viewer"]["permissions"] == permissions
    refused = (await server.query(SET_GROUPS, id=user, groups=["reader", "nobles"]))["setUserGroups"]
    assert [(error["code"], error["field"]) for error in refused["errors"]] == [("NOT_FOUND", "groups")]
    assert (await server.query(VIEWER, token))["viewer"]["permissions"] == ["add_dams", "view_dams"]
    unknown = (await server.query(SET_GROUPS, id=encode("User", 99), groups=[]))["setUserGroups"]
    assert [error["code"] for error in unknown["errors"]] == ["NOT_FOUND"]
    told = [entry["detail"] for entry in (await server.query(AUDIT))["auditTrail"]["nodes"][:3]]
    assert told == ["contributor", "", "reader, admin, reader"]


async def test_groups_that_are_set_at_once_do_not_become_one(database: Database, ada: str) -> None:
    one, other = ["reader", "contributor"], ["admin", "contributor"]
    for _ in range(5):
        await asyncio.gather(*(set_groups(database, "ada", groups) for groups in (one, other) * 4))
        (groups,) = [user.groups for user in await list_users(database) if user.name == "ada"]
        assert groups in {tuple(sorted(one)), tuple(sorted(other))}


async def test_the_groups_of_users_of_a_provider_are_its_own(server: Server, database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(User), {"name": "eve", "issuer": "https://id.example", "subject": "u1"})
    payload = (await server.query(SET_GROUPS, id=encode("User", 2), groups=["admin"]))["setUserGroups"]
    assert [(error["code"], error["field"]) for error in payload["errors"]] == [("USER_OF_PROVIDER", "groups")]


async def test_a_user_who_is_disabled_can_do_nothing_until_enabled_again(
    server: Server, database: Database, ada: str
) -> None:
    token = await create_token(database, user="ada", name="laptop")
    user = encode("User", 2)
    payload = (await server.query(SET_DISABLED, id=user, isDisabled=True))["setUserDisabled"]
    assert payload == {"user": {"name": "ada", "isDisabled": True}, "errors": []}
    assert await code(server, VIEWER, token) == "UNAUTHENTICATED"
    assert [error["code"] for error in (await sign_in(server))["errors"]] == ["USER_DISABLED"]
    assert [error["code"] for error in (await sign_in(server, password="x"))["errors"]] == ["WRONG_CREDENTIALS"]
    payload = (await server.query(SET_DISABLED, id=user, isDisabled=False))["setUserDisabled"]
    assert payload == {"user": {"name": "ada", "isDisabled": False}, "errors": []}
    assert (await server.query(VIEWER, token))["viewer"]["name"] == "ada"
    assert (await sign_in(server))["errors"] == []
    actions = [entry["action"] for entry in (await server.query(AUDIT))["auditTrail"]["nodes"]]
    assert actions[1:3] == ["USER_ENABLED", "USER_DISABLED"]


async def test_a_token_for_few_permissions_changes_no_users_nor_does_who_manages_nothing(
    server: Server, database: Database, ada: str
) -> None:
    limited = await create_token(database, user="admin", name="limited", scopes=[Permission.MANAGE_INVENTORY])
    other = await create_token(database, user="ada", name="laptop")
    for token in (limited, other):
        assert await code(server, SET_GROUPS, token, id=encode("User", 2), groups=["admin"]) == "FORBIDDEN"
        assert await code(server, SET_DISABLED, token, id=encode("User", 1), isDisabled=True) == "FORBIDDEN"
    assert (await server.query(USERS))["users"]["nodes"][1]["groups"] == ["contributor"]


@pytest.mark.parametrize("kind", ["changes", "auditTrail"])
async def test_what_one_user_did_is_found_by_an_index(database: Database, kind: str) -> None:
    rows = changes.select_changes(None, "ada") if kind == "changes" else changes.select_audit("ada")
    listing = changes.CHANGES if kind == "changes" else changes.AUDIT
    statement = rows.order_by(listing.number.desc()).limit(21)
    index = "ix_events_actor_sequence" if kind == "changes" else "ix_audit_actor_id"
    dialect = (postgresql if database.dialect == "postgresql" else sqlite).dialect()
    compiled = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN" if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    async with database.write() as connection:
        if database.dialect == "postgresql":  # to which a table without rows is worth no index
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        plan = str((await connection.execute(text(f"{explain} {compiled}"))).all())
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


async def test_caps_are_changed_one_by_one(server: Server) -> None:
    async def update(**caps: int | None) -> Any:
        return (await server.query(CAPS, input=caps))["updateInventory"]

    assert (await update(maxDams=5))["inventory"] == {"maxDams": 5, "maxDamsPerUser": None}
    assert (await update(maxDamsPerUser=2))["inventory"] == {"maxDams": 5, "maxDamsPerUser": 2}
    assert (await update(maxDams=None))["inventory"] == {"maxDams": None, "maxDamsPerUser": 2}
    assert (await update())["inventory"] == {"maxDams": None, "maxDamsPerUser": 2}
    refused = await update(maxDams=1, maxDamsPerUser=-1)
    assert [(error["code"], error["field"]) for error in refused["errors"]] == [("OUT_OF_RANGE", "maxDamsPerUser")]
    assert (await update())["inventory"] == {"maxDams": None, "maxDamsPerUser": 2}


async def test_the_log_tells_who_changed_which_dam_with_which_token(server: Server, database: Database) -> None:
    await add_user(database, "ada", ["contributor"])
    token = await create_token(database, user="ada", name="laptop")
    await server.query(ADD, token, input=dam_input("Deer Creek"))
    await add_many(server, ["Jordanelle"])
    await server.query("mutation ($id: ID!) { removeDam(id: $id) { removedId } }", id=dam_global_id(1))
    first = (await server.query(CHANGES, first=2))["changes"]
    assert first["nodes"] == [
        {"kind": "DAM_REMOVED", "damId": 1, "actor": "admin", "token": "test", "dam": None},
        {"kind": "DAM_ADDED", "damId": 2, "actor": "admin", "token": "test", "dam": {"name": "Jordanelle"}},
    ]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    last = (await server.query(CHANGES, first=2, after=first["pageInfo"]["endCursor"]))["changes"]
    assert last["nodes"] == [{"kind": "DAM_ADDED", "damId": 1, "actor": "ada", "token": "laptop", "dam": None}]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)
    of_one = (await server.query(CHANGES, damId=1))["changes"]["nodes"]
    assert [change["kind"] for change in of_one] == ["DAM_REMOVED", "DAM_ADDED"]
    assert [change["damId"] for change in (await server.query(CHANGES, actor="ada"))["changes"]["nodes"]] == [1]
    for name in ("a\0", "a" * 1_001):
        assert await code(server, CHANGES, actor=name) == "BAD_USER_INPUT"
    assert (await server.query(CHANGES, actor="a" * 1_000))["changes"]["nodes"] == []
    assert await code(server, CHANGES, first=101) == "BAD_USER_INPUT"
    assert await code(server, CHANGES, after="nonsense") == "BAD_USER_INPUT"


async def test_the_history_of_a_dam_names_people_to_those_who_manage_the_inventory(server: Server) -> None:
    await add_many(server, ["Deer Creek", "Jordanelle"])
    document = "{ dams { nodes { history { kind actor } } } }"
    for token, actor in ((None, None), (ADMIN_TOKEN, "admin")):
        nodes = (await server.query(document, token))["dams"]["nodes"]
        assert nodes == [{"history": [{"kind": "DAM_ADDED", "actor": actor}]}] * 2


async def test_the_histories_of_a_page_take_one_statement(server: Server, statements: list[str]) -> None:
    await add_many(server, [f"Dam {number}" for number in range(20)])
    statements.clear()
    await server.query("{ dams { nodes { history { at } } } }", None)
    assert len([statement for statement in statements if "events.actor" in statement]) == 1


async def test_what_is_done_to_accounts_is_in_the_audit_trail(server: Server, database: Database, ada: str) -> None:
    session = (await sign_in(server))["token"]
    made = (await server.query(CREATE, session, input={"name": "laptop"}))["createToken"]
    await server.query(REVOKE, id=made["token"]["id"])
    users = (await server.query(USERS))["users"]["nodes"]
    await server.query(QUOTA, id=users[1]["id"], maxDams=5)
    await server.query(CAPS, input={"maxDams": 9})
    await server.query("mutation { signOut { signedOut } }", session)
    entries = (await server.query(AUDIT))["auditTrail"]["nodes"]
    told = [tuple(entry[name] for name in ("action", "actor", "subject", "detail")) for entry in reversed(entries)]
    assert told == [
        ("USER_ADDED", "command line", "admin", "admin"),
        ("TOKEN_CREATED", "command line", "admin", "test"),
        ("USER_ADDED", "command line", "ada", "contributor"),
        ("PASSWORD_SET", "command line", "ada", None),
        ("SIGNED_IN", "ada", "ada", None),
        ("TOKEN_CREATED", "ada", "ada", "laptop"),
        ("TOKEN_REVOKED", "admin", "ada", "laptop"),
        ("QUOTA_SET", "admin", "ada", "5"),
        ("CAP_SET", "admin", "max_dams", "9"),
        ("SIGNED_OUT", "ada", "ada", None),
    ]
    assert [entry["token"] for entry in entries][1:4] == ["test"] * 3
    assert entries[0]["token"].startswith("sign-in ")
    assert made["secret"] not in str(entries)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_weak_hash_is_made_anew_when_its_password_comes(
    server: Server, database: Database, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher())
    assert (await sign_in(server))["errors"] == []
    async with database.read() as connection:
        kept = await connection.scalar(select(User.password_hash).where(User.name == "ada"))
    assert extract_parameters(kept or "") == RFC_9106_LOW_MEMORY
    assert PASSWORD not in str(kept)
    assert (await sign_in(server))["errors"] == []
