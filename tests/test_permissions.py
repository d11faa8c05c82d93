"""Every permission and every root field, over every transport."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
import pytest
from argon2 import PasswordHasher
from websockets.exceptions import ConnectionClosed

from auth import passwords
from auth.tokens import create_token, revoke_token
from auth.viewer import Viewer
from models.database import Database
from models.identity import Permission
from resolvers.cursors import dam_global_id, encode, event_cursor
from schema import schema
from tests.conftest import Serve, Server
from tests.streaming import Socket, add, opened
from transport.answers import PARTIAL

ANYBODY = "anybody"
"""Whatever token comes along."""
VALID = "valid"
"""With a valid token or none."""
SOMEBODY = "somebody"
WHOLE = "whole"
"""With a token without scopes; where a permission is needed as well, tests/test_accounts.py tells."""
VIEW, ADD, REMOVE, MANAGE = (
    {Permission.VIEW_DAMS},
    {Permission.ADD_DAMS},
    {Permission.ADD_DAMS, Permission.REMOVE_DAMS},  # of a dam that is not there; tests/test_removing.py has the others
    {Permission.MANAGE_INVENTORY},
)


class Field(NamedTuple):
    document: str
    needs: str | set[Permission]
    """One of these permissions."""


NODES = "{ nodes { __typename } }"
BOX = "{west: -112, south: 40, east: -111, north: 41}"
UNKNOWN_TOKEN, UNKNOWN_USER = (f'{{id: "{encode(kind, 99)}"}}' for kind in ("ApiToken", "User"))
NO_USER = f'"{encode("User", 99)}"'
FIELDS = {
    "authentication": Field("{ authentication { password } }", ANYBODY),
    "signIn": Field('mutation { signIn(input: {name: "x", password: "x"}) { token } }', ANYBODY),
    "viewer": Field("{ viewer { name } }", VALID),
    "rateLimit": Field("{ rateLimit { limit } }", VALID),
    "dams": Field(f"{{ dams {NODES} }}", VIEW),
    "dam": Field("{ dam(damId: 1) { id } }", VIEW),
    "node": Field(f'{{ node(id: "{dam_global_id(1)}") {{ id }} }}', VIEW),
    "nearestDams": Field("{ nearestDams(latitude: 0, longitude: 0) { distanceM } }", VIEW),
    "damClusters": Field(f"{{ damClusters(box: {BOX}, zoom: 5) {NODES} }}", VIEW),
    "riverNames": Field('{ riverNames(startingWith: "p") }', VIEW),
    "ownerNames": Field('{ ownerNames(startingWith: "p") }', VIEW),
    "possibleDuplicates": Field("{ possibleDuplicates(latitude: 0, longitude: 0) { distanceM } }", VIEW),
    "inventory": Field("{ inventory { damCount } }", VIEW),
    "subscriptionHealth": Field("{ subscriptionHealth { isLive } }", VIEW),
    "damAdded": Field(f'subscription {{ damAdded(after: "{event_cursor(0)}") {{ id }} }}', VIEW),
    "addDam": Field("mutation { addDam(input: {}) { errors { code } } }", ADD),
    "removeDam": Field(f'mutation {{ removeDam(id: "{dam_global_id(99)}") {{ errors {{ code }} }} }}', REMOVE),
    "apiTokens": Field(f"{{ apiTokens {NODES} }}", SOMEBODY),
    "createToken": Field('mutation { createToken(input: {name: ""}) { secret } }', WHOLE),
    "revokeToken": Field(f"mutation {{ revokeToken(input: {UNKNOWN_TOKEN}) {{ revokedId }} }}", WHOLE),
    "users": Field(f"{{ users {NODES} }}", MANAGE),
    "setUserQuota": Field(f"mutation {{ setUserQuota(input: {UNKNOWN_USER}) {{ errors {{ code }} }} }}", MANAGE),
    "setUserGroups": Field(
        f"mutation {{ setUserGroups(input: {{id: {NO_USER}, groups: []}}) {{ errors {{ code }} }} }}", WHOLE
    ),
    "setUserDisabled": Field(
        f"mutation {{ setUserDisabled(input: {{id: {NO_USER}, isDisabled: true}}) {{ errors {{ code }} }} }}", WHOLE
    ),
    "updateInventory": Field("mutation { updateInventory(input: {}) { errors { code } } }", MANAGE),
    "changes": Field(f"{{ changes {NODES} }}", MANAGE),
    "auditTrail": Field(f"{{ auditTrail {NODES} }}", MANAGE),
    "signOut": Field("mutation { signOut { signedOut } }", SOMEBODY),  # the last one, as it revokes the token
}

INVALID = {"expired", "revoked", "unknown"}
SCOPES: dict[str, list[Permission] | None] = {
    **{permission: [permission] for permission in Permission},
    "no permission": [],
    "all": None,
    **dict.fromkeys(INVALID - {"unknown"}),
}
VIEWERS = ["nobody", "unknown", *SCOPES]
"""By the token that they come with. Each permission has a token that is limited to it."""


def expected(who: str, field: Field) -> str | None:
    """The code of the refusal."""
    if field.needs == ANYBODY:
        return None
    if who in INVALID:
        return "UNAUTHENTICATED"
    if field.needs == VALID or who == "all":
        return None
    if who == "nobody":
        return "UNAUTHENTICATED"
    if isinstance(field.needs, str):
        return None if field.needs == SOMEBODY else "FORBIDDEN"
    return None if {*(SCOPES[who] or ())} & field.needs else "FORBIDDEN"


Ask = Callable[[str], Any]
"""The code of the refusal of a document, None where it was answered."""


def refusal(errors: list[Any] | None) -> str | None:
    """The code; an answer whose data has errors is one."""
    if not errors:
        return None
    (error,) = errors
    return str(error["extensions"]["code"])


@asynccontextmanager
async def over_http(server: Server, token: str | None) -> AsyncIterator[Ask]:
    headers = {"accept": "application/graphql-response+json"} | authorization(token)
    statuses = {None: 200, "UNAUTHENTICATED": 401, "FORBIDDEN": 403}

    async def ask(document: str) -> str | None:
        answer = await server.http.post("/graphql", json={"query": document}, headers=headers)
        if document.startswith("subscription"):  # which has other ways
            return "elsewhere"
        code = refusal(answer.json().get("errors"))
        assert answer.status_code in (statuses[code], PARTIAL)
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"] == ('Bearer error="invalid_token"' if token else "Bearer")
        return code

    yield ask


@asynccontextmanager
async def over_event_streams(server: Server, token: str | None) -> AsyncIterator[Ask]:
    headers = {"accept": "text/event-stream"} | authorization(token)

    async def ask(document: str) -> str | None:
        body = {"query": document}
        async with server.http.stream("POST", "/graphql", json=body, headers=headers) as answer:
            if answer.status_code != 200:
                return refusal(orjson.loads(await answer.aread()).get("errors"))
            received = b""
            async for chunk in answer.aiter_raw():
                received += chunk
                if received.count(b"id: ") or b"event: complete" in received:
                    break
        data = [line.partition(b": ")[2] for line in received.split(b"\r\n") if line.startswith(b"data: ")]
        return refusal(orjson.loads(data[0]).get("errors")) if data else None

    yield ask


@asynccontextmanager
async def over_a_socket(server: Server, token: str | None) -> AsyncIterator[Ask]:
    async with opened(server.websocket_url) as socket:
        await socket.send({"type": "connection_init", "payload": authorization(token)})
        if await is_refused(socket):

            async def refused(document: str) -> str:
                return "UNAUTHENTICATED"

            yield refused
            return
        operations = iter(range(1_000))

        async def ask(document: str) -> str | None:
            operation = str(next(operations))
            await socket.start(document, operation)
            message = await socket.receive()
            assert message["id"] == operation, message
            if message["type"] == "error":
                return refusal(message["payload"])
            code = refusal(message["payload"].get("errors"))
            if document.startswith("subscription") and code is None:
                await socket.send({"type": "complete", "id": operation})
            else:
                assert await socket.receive() == {"id": operation, "type": "complete"}
            return code

        yield ask


async def is_refused(socket: Socket) -> bool:
    """Whether the socket is closed instead of acknowledged."""
    try:
        return bool((await socket.receive())["type"] != "connection_ack")
    except ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code == 4403


def authorization(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


TRANSPORTS: dict[str, Callable[[Server, str | None], AbstractAsyncContextManager[Ask]]] = {
    "http": over_http,
    "event stream": over_event_streams,
    "socket": over_a_socket,
}


async def token_of(database: Database, who: str) -> str | None:
    if who == "nobody":
        return None
    if who == "unknown":
        return "dams_unknown"
    past = datetime(2020, 1, 1, tzinfo=UTC) if who == "expired" else None
    token = await create_token(database, user="admin", name=who, scopes=SCOPES[who], expires_at=past)
    if who == "revoked":
        await revoke_token(database, user="admin", name=who)
    return token


def test_every_root_field_is_here() -> None:
    roots = (schema._schema.query_type, schema._schema.mutation_type, schema._schema.subscription_type)
    assert FIELDS.keys() == {name for root in roots if root for name in root.fields}


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", quick)
    monkeypatch.setattr(passwords, "NOBODYS", quick.hash(""))


@pytest.mark.parametrize(
    ("engine", "transport"),
    [("postgresql", "http"), *(("sqlite", transport) for transport in TRANSPORTS)],
    indirect=["engine"],
)
async def test_every_permission_opens_what_needs_it_and_nothing_else(
    transport: str, serve: Serve, database: Database, admin: Viewer
) -> None:
    """Where reading is closed."""
    await add(database, admin)
    found, wanted = {}, {}
    async with serve(public_read=False) as server:
        for who in VIEWERS:
            async with TRANSPORTS[transport](server, await token_of(database, who)) as ask:
                for name, field in FIELDS.items():
                    found[who, name] = await ask(field.document)
                    wanted[who, name] = expected(who, field)
    if transport == "http":
        wanted |= {(who, "damAdded"): "elsewhere" for who in VIEWERS}
    if transport == "socket":  # a token that is not valid opens none
        wanted |= {(who, name): "UNAUTHENTICATED" for who in INVALID for name in FIELDS}
    assert found == wanted
