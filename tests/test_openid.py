"""Tokens of an OpenID provider: which are taken, whose they are, and what happens when it changes keys or is away."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from sqlalchemy import func, select

from auth import openid
from auth.users import set_disabled
from auth.viewer import Viewer
from cli.server import provider_problems
from models import User
from models.database import Database
from settings import Settings
from tests.conftest import ADMIN_TOKEN, Serve, Server
from tests.openid_provider import CLIENT, OpenIdServer, SigningKey, provided
from tests.slow_clients import TRANSPORTS, subscribed
from tests.streaming import ADD, dam_input, opened
from tests.test_token_watch import loss

pytestmark = pytest.mark.usefixtures("admin")
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
VIEWER = "{ viewer { name permissions } }"
CHANGES = "{ changes { nodes { actor token } } auditTrail { nodes { action actor subject detail } } }"


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdServer]:
    async with provided() as provider:
        yield provider


def settings(provider: OpenIdServer, **changes: Any) -> dict[str, Any]:
    groups = {"dam-team": "contributor", "dam-admins": "admin"}
    given = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_groups": groups, "oidc_leeway_s": 0}
    return given | changes


@pytest.fixture
async def server(serve: Serve, provider: OpenIdServer) -> AsyncIterator[Server]:
    async with serve(**settings(provider)) as server:
        yield server


async def refusal(server: Server, token: str) -> tuple[str, str]:
    """Code and message."""
    (error,) = (await server.post(VIEWER, token))["errors"]
    return error["extensions"]["code"], error["message"]


async def test_a_user_is_made_at_first_sight_and_owns_what_it_adds(
    server: Server, provider: OpenIdServer, database: Database
) -> None:
    token = provider.token()
    for _ in range(2):
        viewer = (await server.query(VIEWER, token))["viewer"]
        assert viewer == {"name": "eve", "permissions": ["add_dams", "view_dams"]}
    added = await server.query(ADD, token, input=dam_input("Deer Creek"))
    assert added["addDam"]["errors"] == []
    logged = await server.query(CHANGES)
    assert logged["changes"]["nodes"] == [{"actor": "eve", "token": "t1"}]
    assert logged["auditTrail"]["nodes"][0] == {
        "action": "USER_ADDED",
        "actor": provider.issuer,
        "subject": "eve",
        "detail": "u1",
    }
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(User)) == 2


@on_sqlite
async def test_a_user_of_the_provider_who_is_disabled_is_refused(
    server: Server, provider: OpenIdServer, database: Database
) -> None:
    token = provider.token()
    assert (await server.query(VIEWER, token))["viewer"]["name"] == "eve"
    await set_disabled(database, "eve", True)
    (error,) = (await server.post(VIEWER, token))["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert error["message"].startswith("This user is disabled.")


@on_sqlite
async def test_whoever_calls_himself_admin_is_not_the_administrator(server: Server, provider: OpenIdServer) -> None:
    viewer = (await server.query(VIEWER, provider.token(preferred_username="admin", groups=[])))["viewer"]
    assert viewer == {"name": f"admin ({provider.issuer})", "permissions": ["view_dams"]}
    other = (await server.query(VIEWER, provider.token(preferred_username="admin", groups=[], sub="u2")))["viewer"]
    assert other["name"] == f"u2 ({provider.issuer})"


@on_sqlite
@pytest.mark.parametrize(
    ("claims", "permissions"),
    [
        ({"groups": ["dam-admins", "others"]}, {"manage_inventory", "add_dams", "edit_dams", "remove_dams"}),
        ({"groups": ["contributor", "admin"]}, set()),
        ({"groups": "dam-team others"}, {"add_dams"}),
        ({"groups": None}, set()),
        ({"groups": {"dam-admins": 1}, "sub": "u9"}, {"manage_inventory", "add_dams", "edit_dams", "remove_dams"}),
        ({"groups": [5, None]}, set()),
        ({"aud": ["other", CLIENT]}, {"add_dams"}),
    ],
)
async def test_claims_map_to_groups_by_the_setting_alone(
    server: Server, provider: OpenIdServer, claims: dict[str, Any], permissions: set[str]
) -> None:
    viewer = (await server.query(VIEWER, provider.token(**claims)))["viewer"]
    assert set(viewer["permissions"]) == permissions | {"view_dams"}


def unsigned(provider: OpenIdServer) -> str:
    header, payload, _ = provider.token().split(".")
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "none", "kid": "first"})).decode().rstrip("=")
    return f"{header}.{payload}."


def with_the_public_key_as_secret(provider: OpenIdServer) -> str:
    """PyJWT refuses to make one, so it is made by hand."""
    pem = provider.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, payload, _ = provider.token().split(".")
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "HS256", "kid": "first"})).decode().rstrip("=")
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signed = signature.sign(f"{header}.{payload}".encode(), pem)
    return f"{header}.{payload}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def with_header(header: bytes) -> str:
    return f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.e30.AA"


def tampered(provider: OpenIdServer) -> str:
    header, _, signature = provider.token().split(".")
    payload = provider.token(groups=["dam-admins"]).split(".")[1]
    return f"{header}.{payload}.{signature}"


PYTHON = re.compile("sys|recursion|iterable|hashable|Errno|decode")

FORGED: dict[str, Any] = {
    "none": unsigned,
    "public key as secret": with_the_public_key_as_secret,
    "tampered": tampered,
    "another's key": lambda provider: provider.token(key=SigningKey("first")),
    "another algorithm": lambda provider: provider.token(key=SigningKey("first", "ES256")),
    "unknown key": lambda provider: provider.token(key=SigningKey("unknown")),
    "no kid of two": lambda provider: provider.token(header={"kid": None}),
    "expired": lambda provider: provider.token(exp=int(time.time()) - 1),
    "not yet": lambda provider: provider.token(nbf=int(time.time()) + 60),
    "of the future": lambda provider: provider.token(iat=int(time.time()) + 60),
    "for others": lambda provider: provider.token(aud="others"),
    "for nobody": lambda provider: provider.token(aud=None),
    "by others": lambda provider: provider.token(iss="https://elsewhere.example"),
    "by nobody": lambda provider: provider.token(iss=None),
    "of nobody": lambda provider: provider.token(sub=None),
    "of a number": lambda provider: provider.token(sub=5),
    "of NUL": lambda provider: provider.token(sub="a\0"),
    "for ever": lambda provider: provider.token(exp=None),
    "beyond time": lambda provider: provider.token(exp=10**15),
    "beyond the clock of the machine": lambda provider: provider.token(exp=10**18),
    "groups of lists": lambda provider: provider.token(groups=[[]]),
    "no header": lambda provider: "eyJ.eyJ.",
    "a header too deep": lambda provider: with_header(b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"),
    "a header of thousands of digits": lambda provider: with_header(b'{"a":' + b"9" * 5_000 + b"}"),
    "groups of a number": lambda provider: provider.token(groups=5),
    "key by URL": lambda provider: provider.token(
        key=SigningKey("elsewhere"), header={"jku": f"{provider.issuer}/keys", "jwk": SigningKey("x").public}
    ),
}


@on_sqlite
async def test_forged_tokens_are_refused_with_a_reason_on_every_transport(
    serve: Serve, provider: OpenIdServer, caplog: pytest.LogCaptureFixture
) -> None:
    provider.published.append(SigningKey("second").public)
    subscribe = {"query": "subscription { damAdded { id } }"}
    async with serve(**settings(provider)) as server:
        assert (await server.query(VIEWER, provider.token()))["viewer"]["name"] == "eve"
        for name, forge in FORGED.items():
            token = forge(provider)
            code, message = await refusal(server, token)
            assert code == "UNAUTHENTICATED", name
            assert "token" in message
            assert token not in message
            assert not PYTHON.search(message), message
            headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}"}
            assert (await server.http.post("/graphql", json=subscribe, headers=headers)).status_code == 401, name
            async with opened(server.websocket_url) as socket:
                await socket.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
                assert (await socket.closed())[0] == 4403, name
        assert (await server.query(VIEWER, provider.token()))["viewer"]["name"] == "eve"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@on_sqlite
@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
async def test_a_key_that_names_no_algorithm_is_good_for_those_of_the_setting(
    serve: Serve, provider: OpenIdServer, algorithm: str
) -> None:
    provider.published = [{name: value for name, value in provider.key.public.items() if name != "alg"}]
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    token = jwt.encode(claims, provider.key.private, algorithm, {"kid": "first"})
    async with serve(**settings(provider, oidc_algorithms=(algorithm,))) as server:
        assert (await server.query(VIEWER, token))["viewer"]["name"] == "eve"
    async with serve(**settings(provider, oidc_algorithms=("RS384", "ES256"))) as server:
        assert (await refusal(server, token))[0] == "UNAUTHENTICATED"


@on_sqlite
async def test_clocks_may_differ_by_the_leeway(serve: Serve, provider: OpenIdServer) -> None:
    async with serve(**settings(provider, oidc_leeway_s=60)) as server:
        now = int(time.time())
        for claims in ({"exp": now - 30}, {"nbf": now + 30}, {"iat": now + 30}):
            assert (await server.query(VIEWER, provider.token(**claims)))["viewer"]["name"] == "eve"
        assert (await refusal(server, provider.token(exp=now - 90)))[0] == "UNAUTHENTICATED"


@on_sqlite
async def test_a_rotated_key_is_fetched_and_the_old_one_forgotten(
    server: Server, provider: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = provider.token()
    await server.query(VIEWER, old)
    before = len(provider.requests)
    await server.query(VIEWER, old)
    assert len(provider.requests) == before  # the keys are kept
    provider.rotate(SigningKey("second", "ES256"))
    assert "does not publish" in (await refusal(server, provider.token()))[1]  # asked a moment ago
    monkeypatch.setattr(openid, "RETRY_S", 0)
    await server.query(VIEWER, provider.token())
    assert (await refusal(server, old))[0] == "UNAUTHENTICATED"


@on_sqlite
async def test_unknown_keys_are_asked_for_once_in_a_while(server: Server, provider: OpenIdServer) -> None:
    await server.query(VIEWER, provider.token())
    before = len(provider.requests)
    forged = [provider.token(header={"kid": f"unknown {number}"}) for number in range(20)]
    assert {(await refusal(server, token))[0] for token in forged} == {"UNAUTHENTICATED"}
    assert len(provider.requests) == before


@on_sqlite
async def test_a_provider_that_is_away_is_told_and_its_known_keys_are_used(
    serve: Serve, provider: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = provider.token()
    async with serve(**settings(provider)) as known:
        await known.query(VIEWER, token)
        await provider.close()
        async with serve(**settings(provider)) as server:
            assert (await refusal(server, token))[0] == "PROVIDER_UNAVAILABLE"
            headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}
            answer = await server.http.post("/graphql", json={"query": VIEWER}, headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await server.query(VIEWER, ADMIN_TOKEN))["viewer"]["name"] == "admin"
            assert (await known.query(VIEWER, token))["viewer"]["name"] == "eve"
            await provider.open()
            monkeypatch.setattr(openid, "RETRY_S", 0)
            assert (await server.query(VIEWER, token))["viewer"]["name"] == "eve"


@on_sqlite
async def test_a_stream_ends_when_its_token_expires_without_a_word_to_the_provider(
    server: Server, provider: OpenIdServer
) -> None:
    for transport in TRANSPORTS:
        token = provider.token(exp=time.time() + 1.5)
        async with subscribed(transport, server, token=token) as stream:
            asked = len(provider.requests)
            assert "has expired" in await loss(stream)
            assert len(provider.requests) == asked


@on_sqlite
async def test_a_page_learns_of_the_provider(server: Server, provider: OpenIdServer) -> None:
    document = "{ authentication { openIdProvider { issuer clientId scopes } } }"
    offered = {"issuer": provider.issuer, "clientId": CLIENT, "scopes": ["openid", "profile"]}
    assert await server.query(document, None) == {"authentication": {"openIdProvider": offered}}


@on_sqlite
async def test_users_of_the_provider_have_its_tokens_only(server: Server, provider: OpenIdServer) -> None:
    token = provider.token(groups=["dam-admins"])
    create = 'mutation { createToken(input: {name: "t"}) { secret } }'
    assert (await server.post(create, token))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await server.query("mutation { signOut { signedOut } }", token) == {"signOut": {"signedOut": False}}


@on_sqlite
async def test_without_a_provider_its_tokens_are_unknown(serve: Serve, provider: OpenIdServer, admin: Viewer) -> None:
    async with serve() as server:
        assert "unknown or was revoked" in (await refusal(server, provider.token()))[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "id.example", "oidc_client_id": "x"},
        {"oidc_algorithms": ("HS256",)},
        {"oidc_algorithms": ("none",)},
        {"oidc_algorithms": ()},
    ],
)
def test_settings_that_would_let_forgers_in_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


async def test_the_check_of_a_deployment_says_what_is_wrong_with_the_provider(provider: OpenIdServer) -> None:
    def config(issuer: str) -> openid.OpenIdConfig | None:
        return Settings(oidc_issuer=issuer, oidc_client_id=CLIENT).open_id

    assert await provider_problems(config(provider.issuer)) == []
    (wrong,) = await provider_problems(config(provider.issuer + "/"))
    assert "calls itself" in wrong
    (absent,) = await provider_problems(config(provider.issuer + "/other"))
    assert "404" in absent
    await provider.close()
    (away,) = await provider_problems(config(provider.issuer))
    assert away.endswith("Is DAMS_OIDC_ISSUER right?")
    await provider.open()


async def test_a_provider_that_says_too_much_or_never_ends_is_not_listened_to(
    provider: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Settings(oidc_issuer=provider.issuer, oidc_client_id=CLIENT).open_id
    monkeypatch.setattr(openid, "MAX_BYTES", 1_000)
    provider.published *= 3
    (much,) = await provider_problems(config)
    assert "/keys answers with more than 1,000 bytes" in much

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    monkeypatch.setattr(openid, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(provider, "_answer", drip)
    await provider.close()
    await provider.open()
    (slow,) = await provider_problems(config)
    assert "TimeoutError" in slow
