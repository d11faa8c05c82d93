import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import pytest
from redis.asyncio import Redis as RedisClient
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.services import STOP_TIMEOUT_S, Postgres, Redis, Service, free_port, process_table, running, wait_until

FROZEN_TIMEOUT_S = 0.2
"""Long for an answer on the loopback, short for a test."""


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    with running(Postgres()) as server:
        server.create_database("dams")
        yield server


@pytest.fixture(scope="module")
def own_redis() -> Iterator[Redis]:
    with running(Redis()) as server:
        yield server


@pytest.fixture(params=["own_postgres", "own_redis"])
def service(request: pytest.FixtureRequest) -> Service:
    server: Service = request.getfixturevalue(request.param)
    return server


async def connect(server: Postgres, database: str = "dams") -> asyncpg.Connection:
    return await asyncpg.connect(server.url(database).replace("+asyncpg", ""))


def test_killed_service_comes_back_on_the_same_port(service: Service) -> None:
    port = service.port
    service.kill()
    assert not service.is_running
    assert not service.is_ready()
    service.start()
    assert service.is_ready()
    assert service.port == port


def test_frozen_service_restarts(service: Service) -> None:
    service.freeze()
    service.restart()
    assert service.is_ready()


def test_stopping_twice_and_resuming_what_runs_do_nothing(service: Service) -> None:
    service.resume()
    service.stop()
    service.stop()
    service.start()
    assert service.is_ready()


async def test_postgres_has_postgis(postgres: Postgres) -> None:
    postgres.create_database("services_postgis")
    connection = await connect(postgres, "services_postgis")
    await connection.execute("CREATE EXTENSION postgis")
    assert await connection.fetchval("SELECT ST_X('POINT(-111.5 40.4)'::geometry)") == -111.5
    await connection.close()
    postgres.drop_database("services_postgis")


async def test_database_is_cloned_from_a_template_and_dropped_in_use(own_postgres: Postgres) -> None:
    own_postgres.create_database("template")
    connection = await connect(own_postgres, "template")
    await connection.execute("CREATE TABLE dams AS SELECT 'Deer Creek' AS name")
    await connection.close()

    own_postgres.create_database("clone", template="template")
    clone = await connect(own_postgres, "clone")
    assert await clone.fetchval("SELECT name FROM dams") == "Deer Creek"
    own_postgres.drop_database("clone")
    with pytest.raises(asyncpg.PostgresError):
        await clone.fetchval("SELECT name FROM dams")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connect(own_postgres, "clone")


def test_database_that_cannot_be_made_says_why(own_postgres: Postgres) -> None:
    with pytest.raises(RuntimeError, match='template database "nowhere" does not exist'):
        own_postgres.create_database("clone", template="nowhere")


async def test_killed_postgres_keeps_what_was_committed(own_postgres: Postgres) -> None:
    connection = await connect(own_postgres)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    own_postgres.kill()
    own_postgres.start()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT one FROM kept")

    again = await connect(own_postgres)
    assert await again.fetchval("SELECT one FROM kept") == 1
    await again.close()


async def test_frozen_postgres_answers_when_it_goes_on(own_postgres: Postgres) -> None:
    connection = await connect(own_postgres)
    own_postgres.freeze()
    with pytest.raises(TimeoutError):
        await connection.fetchval("SELECT 1", timeout=FROZEN_TIMEOUT_S)
    own_postgres.resume()

    again = await connect(own_postgres)
    assert await again.fetchval("SELECT 1") == 1
    await again.close()
    connection.terminate()


async def test_frozen_redis_answers_when_it_goes_on(own_redis: Redis) -> None:
    async with RedisClient.from_url(own_redis.url, socket_timeout=FROZEN_TIMEOUT_S, retry=None) as client:
        assert await client.ping()
        own_redis.freeze()
        with pytest.raises(RedisTimeoutError):
            await client.ping()
        own_redis.resume()
        assert await client.ping()


async def test_killed_redis_forgets_and_refuses_until_started(own_redis: Redis) -> None:
    async with RedisClient.from_url(own_redis.url, retry=None) as client:
        await client.set("dam", "Jordanelle")
        own_redis.kill()
        with pytest.raises(RedisConnectionError):
            await client.ping()
        own_redis.start()
        assert await client.get("dam") is None


def test_service_that_cannot_start_says_why(own_redis: Redis) -> None:
    late = Redis()
    late.port = own_redis.port
    with pytest.raises(RuntimeError, match="Address already in use"), running(late):
        pass
    assert not late.folder.exists()


def test_free_ports_can_be_had_while_others_are_taken(own_redis: Redis) -> None:
    assert own_redis.port not in {free_port() for _ in range(50)}


STARTER = """
import sys, threading
from tests import services

server = getattr(services, sys.argv[1])()
starter = threading.Thread(target=server.start)
starter.start()
starter.join()
print(server.folder, *server.processes(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["Postgres", "Redis"])
def test_services_end_with_a_killed_test_run_but_not_with_the_thread_that_started_them(name: str) -> None:
    command = [sys.executable, "-c", STARTER, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder, *numbers = run.stdout.readline().split()
        server, *children = [int(number) for number in numbers]
        assert server in process_table()
        run.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not {server, *children} & process_table().keys(), STOP_TIMEOUT_S)
    shutil.rmtree(folder)
