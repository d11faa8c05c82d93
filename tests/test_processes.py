"""`dams serve` as it runs in production: processes on one PostgreSQL and one Redis."""

import asyncio
import os
import signal
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from auth.viewer import Viewer
from tests.conftest import Place, Server, until
from tests.processes import DAMS, Process
from tests.services import Redis, running
from tests.streaming import FOLLOW, add_many, cursor_of, following, opened

pytestmark = [pytest.mark.parametrize("engine", ["postgresql"], indirect=True), pytest.mark.usefixtures("admin")]


@pytest.fixture
async def pair(place: Place, redis_server: Redis) -> AsyncIterator[list[tuple[Process, Server]]]:
    """Two processes, and clients for each."""
    async with AsyncExitStack() as stack:
        processes = [Process(DAMS_DATABASE_URL=place.url, DAMS_REDIS_URL=redis_server.url) for _ in range(2)]
        for process in processes:
            stack.callback(process.close)
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in processes))
        servers = [Server(f"http://127.0.0.1:{process.port}", stack) for process in processes]
        for server in servers:
            stack.push_async_callback(server.http.aclose)
        yield list(zip(processes, servers, strict=True))


async def test_what_is_added_at_one_process_is_seen_at_once_at_the_other(pair: list[tuple[Process, Server]]) -> None:
    (_, one), (_, other) = pair
    delays = []
    async with following(other, await cursor_of(one)) as there:
        for number in range(20):
            begun = time.perf_counter()
            _, seen = await asyncio.gather(add_many(one, [f"Dam {number}"]), there.names(1))
            delays.append(time.perf_counter() - begun)
            assert seen == [f"Dam {number}"]
    assert statistics.median(delays) < 0.5  # of a second, in which the poll would find it
    assert min(delays) < 0.1  # and it takes no longer than this where the machine has nothing else to do


async def test_a_client_of_a_killed_process_goes_on_at_the_other(pair: list[tuple[Process, Server]]) -> None:
    (killed, one), (_, other) = pair
    names = [f"Dam {number}" for number in range(60)]
    start = await cursor_of(one)
    async with following(one, start) as socket:
        await add_many(other, names[:20])
        messages = [await socket.receive() for _ in range(10)]
        await add_many(other, names[20:40])
        await asyncio.to_thread(killed.kill)
    async with following(other, messages[-1]["payload"]["data"]["damAdded"]["cursor"]) as socket:
        await add_many(other, names[40:])
        before = [message["payload"]["data"]["damAdded"]["name"] for message in messages]
        assert before + await socket.names(50) == names


async def test_a_process_that_is_to_end_tells_its_sockets_to_come_back(place: Place) -> None:
    with running(Process(DAMS_DATABASE_URL=place.url)) as process:
        async with opened(f"ws://127.0.0.1:{process.port}/graphql") as socket:
            await socket.init()
            await socket.start(FOLLOW)
            os.kill(process.processes()[0], signal.SIGTERM)
            assert (await socket.closed())[0] == 1012
        await until(lambda: not process.is_running, timeout_s=4)
        assert "Traceback" not in (process.folder / "log").read_text()


def test_several_workers_need_redis(place: Place) -> None:
    environment = {"DAMS_DATABASE_URL": place.url, "DAMS_WORKERS": "2", "PATH": os.environ["PATH"]}
    refused = subprocess.run([DAMS, "serve"], env=environment, capture_output=True, text=True, timeout=30)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "several workers hear of each other's dams through Redis: set DAMS_REDIS_URL" in refused.stderr


async def test_several_workers_serve_on_one_port(place: Place, redis_server: Redis, admin: Viewer) -> None:
    settings = {"DAMS_DATABASE_URL": place.url, "DAMS_REDIS_URL": redis_server.url, "DAMS_WORKERS": "2"}
    with running(Process(**settings)) as process:
        async with AsyncExitStack() as stack:
            server = Server(f"http://127.0.0.1:{process.port}", stack)
            stack.push_async_callback(server.http.aclose)
            start = await cursor_of(server)
            sockets = [await stack.enter_async_context(following(server, start)) for _ in range(8)]
            names = [f"Dam {number}" for number in range(10)]
            for name in names:
                await add_many(server, [name])
            for socket in sockets:
                assert await socket.names(10) == names
