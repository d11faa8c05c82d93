"""Open streams hear within a second that their token is no longer valid, or may do less than before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete, insert, make_url, select
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from auth.authentication import authenticate_all
from auth.tokens import create_token, hash_token, revoke_token
from auth.users import add_user, set_disabled, set_groups
from auth.viewer import Viewer, anonymous
from auth.watch import TokenWatch
from models import ApiToken, Group, User, UserGroup
from models.database import Database
from models.errors import InventoryError
from resolvers import accounts
from resolvers.cursors import event_cursor
from tests.conftest import Place, Serve, Server, until
from tests.slow_clients import TRANSPORTS, UNUSUAL, SocketStream, Stream, is_open, subscribed
from tests.streaming import BEARER, FOLLOW, add, add_many, cursor_of, opened
from transport.websocket import Handler

pytestmark = pytest.mark.usefixtures("admin")
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
"""Where the database is to go away."""

START = event_cursor(0)
REVOKED = "This API token is unknown or was revoked. Ask for a new one."


async def loss(stream: Stream) -> str:
    """What a stream that has lost its right is told; before it comes nothing."""
    if isinstance(stream, SocketStream):
        code, reason = await stream.socket.closed()
        assert code == 4403
        return reason
    received = await stream.receive_all()
    assert received.names == []
    (error,) = received.errors
    assert error["extensions"] == {"code": "FORBIDDEN" if "permission" in error["message"] else "UNAUTHENTICATED"}
    return str(error["message"])


@on_sqlite
async def test_a_stream_ends_when_its_token_expires(server: Server, database: Database) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=1)
    token = await create_token(database, user="admin", name="short", expires_at=expires_at)
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(subscribed(transport, server, token=token)) for transport in TRANSPORTS
        ]
        reasons = await asyncio.gather(*map(loss, streams))
        late = datetime.now(UTC) - expires_at
        assert ["expired on" in reason for reason in reasons] == [True] * 3
        assert timedelta(0) <= late < timedelta(seconds=5)  # it is one, where the machine has nothing else to do
    await until(lambda: is_open(server, subscriptions=0))


@on_sqlite
@pytest.mark.parametrize("document", [FOLLOW, UNUSUAL])
async def test_a_revoked_token_ends_its_responses_on_every_process(
    document: str, serve: Serve, database: Database
) -> None:
    """Those that share their execution and those that do not."""
    token = await create_token(database, user="admin", name="short")
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serve()) for _ in range(2)]
        streams = [
            await stack.enter_async_context(subscribed(transport, server, document, token))
            for server in servers
            for transport in TRANSPORTS
        ]
        for server in servers:
            await until(partial(is_open, server, subscriptions=3))
        await revoke_token(database, user="admin", name="short")
        assert [await loss(stream) for stream in streams] == [REVOKED] * 6


@on_sqlite
async def test_what_is_under_way_is_answered_before_the_close_and_streams_tell_no_more(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()
    forbid, sign_out = Handler._forbid, accounts.sign_out

    def forbidden(self: Handler, error: InventoryError) -> None:
        forbid(self, error)
        lost.set()

    async def sign_out_slowly(database: Database, viewer: Viewer, token: str) -> bool:
        signed_out = await sign_out(database, viewer, token)
        await lost.wait()
        await add(database, viewer)
        await until(lambda: is_open(server, sockets=1, subscriptions=0))
        return signed_out

    monkeypatch.setattr(Handler, "_forbid", forbidden)
    monkeypatch.setattr(accounts, "sign_out", sign_out_slowly)
    async with opened(server.websocket_url) as socket:
        await socket.init(BEARER)
        await socket.start(FOLLOW, "stream")
        await until(lambda: is_open(server, subscriptions=1))
        answer = await socket.ask("mutation { signOut { signedOut } }", "signOut")
        assert answer["payload"]["data"] == {"signOut": {"signedOut": True}}
        assert await socket.receive() == {"id": "signOut", "type": "complete"}
        with pytest.raises(ConnectionClosed) as closed:
            await socket.receive()
        assert closed.value.rcvd == Close(4403, REVOKED)


async def change_permissions(database: Database, user: str, group: str, *, grant: bool) -> None:
    async with database.write() as connection:
        user_id = await connection.scalar(select(User.id).where(User.name == user))
        group_id = await connection.scalar(select(Group.id).where(Group.name == group))
        member = {"user_id": user_id, "group_id": group_id}
        if grant:
            await connection.execute(insert(UserGroup), member)
        else:
            await connection.execute(delete(UserGroup).filter_by(**member))


@on_sqlite
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_loses_a_permission_is_told_and_who_gains_one_is_left_alone(
    transport: str, server: Server, database: Database
) -> None:
    tokens = {}
    for name in ("Loser" * 50, "Winner"):
        await add_user(database, name, ["admin"] if name != "Winner" else [])
        tokens[name] = await create_token(database, user=name, name="test")
    loser, winner = tokens
    cursor = await cursor_of(server)
    async with (
        subscribed(transport, server, token=tokens[loser], after=cursor) as losing,
        subscribed(transport, server, token=tokens[winner], after=cursor) as winning,
    ):
        await until(lambda: is_open(server, subscriptions=2))
        await change_permissions(database, winner, "admin", grant=True)
        await change_permissions(database, loser, "admin", grant=False)
        assert (await loss(losing)).startswith("LoserLoser")
        await add_many(server, ["Deer Creek"])
        assert await winning.receive(1) == ["Deer Creek"]


@on_sqlite
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_streams_of_a_user_who_is_disabled_or_leaves_its_groups_end(
    transport: str, server: Server, database: Database
) -> None:
    for name in ("ada", "eve"):
        await add_user(database, name, ["admin"])
    tokens = [await create_token(database, user=name, name="test") for name in ("ada", "eve")]
    async with (
        subscribed(transport, server, token=tokens[0]) as disabled,
        subscribed(transport, server, token=tokens[1]) as demoted,
    ):
        await until(lambda: is_open(server, subscriptions=2))
        await set_disabled(database, "ada", True)
        await set_groups(database, "eve", ["reader"])
        assert (await loss(disabled)).startswith("This user is disabled.")
        assert (await loss(demoted)).startswith("eve has no longer the permission")


@on_sqlite
async def test_a_permission_that_came_after_the_socket_was_opened_is_watched_too(
    serve: Serve, database: Database
) -> None:
    await add_user(database, "guest", [])
    token = await create_token(database, user="guest", name="test")
    async with serve(public_read=False) as server, opened(server.websocket_url) as socket:
        await socket.init({"Authorization": f"Bearer {token}"})
        await change_permissions(database, "guest", "admin", grant=True)
        for operation in ("1", "2"):
            await socket.start(FOLLOW, operation, after=START)
        await add_many(server, ["Deer Creek"])
        assert await socket.names(2) == ["Deer Creek"] * 2
        await socket.send({"type": "complete", "id": "2"})
        await until(lambda: is_open(server, subscriptions=1))
        await change_permissions(database, "guest", "admin", grant=False)
        code, reason = await socket.closed()
        assert (code, reason.startswith("guest has no longer the permission")) == (4403, True)


@on_sqlite
async def test_an_idle_socket_is_closed_too(server: Server, database: Database) -> None:
    token = await create_token(database, user="admin", name="short")
    async with opened(server.websocket_url) as socket:
        await socket.init({"Authorization": f"Bearer {token}"})
        await revoke_token(database, user="admin", name="short")
        assert await socket.closed() == (4403, REVOKED)


@asynccontextmanager
async def without_database(place: Place) -> AsyncIterator[None]:
    """All sessions are ended and new ones are refused."""
    url = make_url(place.url)
    other = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    server = await asyncpg.connect(other)
    await server.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", url.database)
    try:
        yield
    finally:
        await server.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")
        await server.close()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The tokens of each check that was made, also where it failed."""
    made: list[list[str]] = []

    async def noted(database: Database, tokens: list[str]) -> Any:
        try:
            return await authenticate_all(database, tokens)
        finally:
            made.append(tokens)

    monkeypatch.setattr("auth.watch.authenticate_all", noted)
    return made


@on_postgresql
async def test_streams_outlive_a_database_that_is_away_and_hear_of_what_happened_meanwhile(
    place: Place, server: Server, database: Database, checks: list[list[str]]
) -> None:
    token = await create_token(database, user="admin", name="short")
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(subscribed(transport, server, token=token, after=START))
            for transport in TRANSPORTS
        ]
        await until(lambda: is_open(server, subscriptions=3))
        async with without_database(place):
            checks.clear()
            await until(lambda: len(checks) >= 2)
            assert await is_open(server, sockets=1, subscriptions=3)
        await add_many(server, ["Deer Creek"])
        assert [await stream.receive(1) for stream in streams] == [["Deer Creek"]] * 3
        await revoke_token(database, user="admin", name="short")
        assert [await loss(stream) for stream in streams] == [REVOKED] * 3


@on_postgresql
async def test_a_token_that_came_while_the_database_was_away_is_watched_when_it_is_used(
    place: Place, server: Server, database: Database
) -> None:
    token = await create_token(database, user="admin", name="short")
    async with opened(server.websocket_url) as socket:
        async with without_database(place):
            await socket.init({"Authorization": f"Bearer {token}"})
        await socket.start(FOLLOW, after=START)
        await add_many(server, ["Deer Creek"])
        assert await socket.names(1) == ["Deer Creek"]
        await revoke_token(database, user="admin", name="short")
        assert await socket.closed() == (4403, REVOKED)


@on_sqlite
async def test_nobody_is_looked_up_who_has_no_token(
    server: Server, database: Database, admin: Viewer, checks: list[list[str]]
) -> None:
    token = await create_token(database, user="admin", name="short")
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(subscribed(transport, server, after=START)) for transport in TRANSPORTS
        ]
        async with subscribed("websocket", server, token=token):
            await until(lambda: is_open(server, subscriptions=4))
            checks.clear()
            await until(lambda: len(checks) >= 2)
            assert checks == [[token]] * len(checks)
        await until(lambda: is_open(server, subscriptions=3))
        checks.clear()
        for name in ("Deer Creek", "Jordanelle"):  # whose second one takes a second to be found, longer than a check
            await add(database, admin, name)
            assert [await stream.receive(1) for stream in streams] == [[name]] * 3
        assert checks == []


@on_sqlite
async def test_a_thousand_tokens_take_few_statements(
    database: Database, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [f"dams_token_{number}" for number in range(1000)]
    token_row = {"user_id": admin.user_id, "created_at": datetime.now(UTC)}
    rows = [token_row | {"name": token, "token_hash": hash_token(token)} for token in tokens]
    async with database.write() as connection:
        await connection.execute(insert(ApiToken), rows)
    lost: list[str] = []
    statements: list[str] = []

    def note_loss(token: str, error: InventoryError) -> None:
        lost.append(token)

    driver = database.following._driver
    fetch = driver.fetch

    async def noted(text: str, parameters: Sequence[Any]) -> Any:
        statements.append(text)
        return await fetch(text, parameters)

    watch = TokenWatch(database, anonymous(public_read=True))
    with ExitStack() as stack:
        for token in tokens:
            stack.enter_context(watch.watching(token, admin, partial(note_loss, token)))
        await revoke_token(database, user="admin", name=tokens[700])
        monkeypatch.setattr(driver, "fetch", noted)
        async with watch.running():
            await until(lambda: lost)
    assert lost == [tokens[700]]
    assert len(statements) == 2
