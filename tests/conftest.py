"""Databases, servers and clients for the tests; the services below them are in fixtures_services.py."""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from gql import Client
from gql.transport.websockets import WebsocketsTransport

from auth.tokens import create_token
from auth.users import add_user
from auth.viewer import Viewer
from gateway import create_app
from models import migrations
from models.database import Database
from models.identity import Permission
from settings import Settings
from tests.services import Postgres
from transport.server import UVICORN

pytest_plugins = ["tests.fixtures_services", "tests.fixtures_browser"]

ENGINES = ["sqlite", "postgresql"]
ADMIN_TOKEN = "dams_token_of_the_administrator"

_numbers = itertools.count()


@pytest.fixture(scope="session")
async def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path | str]:
    """By engine, an empty inventory to be copied; PostgreSQL's is made when it is first asked for."""
    file = tmp_path_factory.mktemp("template") / "dams.sqlite3"
    database = Database(f"sqlite:///{file}")
    await migrations.migrate(database)
    await database.close()
    return {"sqlite": file}


@dataclass
class Place:
    """A database of its own for one test."""

    engine: str
    url: str


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def place(
    engine: str, templates: dict[str, Path | str], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Place]:
    """An empty inventory, migrated."""
    if engine == "sqlite":
        file = tmp_path / "dams.sqlite3"
        shutil.copy(templates["sqlite"], file)
        yield Place(engine, f"sqlite:///{file}")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    if "postgresql" not in templates:
        postgres.create_database("template_dams")
        database = Database(postgres.url("template_dams"))
        await migrations.migrate(database)
        await database.close()
        templates["postgresql"] = "template_dams"
    name = f"dams_{next(_numbers)}"
    await asyncio.to_thread(postgres.create_database, name, "template_dams")
    yield Place(engine, postgres.url(name))
    await asyncio.to_thread(postgres.drop_database, name)


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    database = Database(place.url)
    yield database
    await database.close()


@pytest.fixture
async def admin(database: Database) -> Viewer:
    """The user `admin` with the token `ADMIN_TOKEN`."""
    await add_user(database, "admin", ["admin"])
    await create_token(database, user="admin", name="test", token=ADMIN_TOKEN)
    return Viewer(1, "admin", frozenset(Permission))


class Server:
    """The application on a real uvicorn in this process, and clients for it."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.url = url
        self.websocket_url = url.replace("http", "ws") + "/graphql"
        self._stack = stack
        self.http = httpx.AsyncClient(base_url=url, timeout=30)

    async def post(self, document: str, token: str | None = ADMIN_TOKEN, **variables: Any) -> Any:
        """The whole answer, errors included."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        return answer.json()

    async def query(self, document: str, token: str | None = ADMIN_TOKEN, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.post(document, token, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def connect(self, token: str | None = None) -> Any:
        """A session of gql over graphql-transport-ws, closed with the test."""
        transport = WebsocketsTransport(
            url=self.websocket_url,
            init_payload={"Authorization": f"Bearer {token}"} if token else {},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        return await self._stack.enter_async_context(Client(transport=transport))


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Server]:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host="127.0.0.1",
            port=0,
            log_level="warning",
            ws_max_size=settings.max_request_bytes,
            **UVICORN,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started or running.done())
    if running.done():
        running.result()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with AsyncExitStack() as stack:
            client = Server(f"http://127.0.0.1:{port}", stack)
            stack.push_async_callback(client.http.aclose)
            yield client
    finally:
        server.should_exit = True
        await running


Serve = Callable[..., AbstractAsyncContextManager[Server]]


@pytest.fixture
def serve(place: Place) -> Serve:
    """Starts a server on the test's database: `async with serve(max_page_size=5) as server`."""

    def start(**settings: Any) -> AbstractAsyncContextManager[Server]:
        return served(Settings(database_url=place.url, **settings))

    return start


@pytest.fixture
async def server(serve: Serve, admin: Viewer) -> AsyncIterator[Server]:
    async with serve() as server:
        yield server


async def until(condition: Callable[[], Any | Awaitable[Any]], timeout_s: float = 30) -> Any:
    """What `condition` gives, once it is true; asks every few milliseconds."""
    async with asyncio.timeout(timeout_s):
        while True:
            result = condition()
            result = await result if asyncio.iscoroutine(result) else result
            if result:
                return result
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_machine() -> None:
    for name in [name for name in os.environ if name.startswith("DAMS_")]:
        del os.environ[name]
