from collections.abc import Iterator

import pytest

from tests.services import Postgres, Redis, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """An empty cluster, to be left running: a test that stops or freezes a server makes its own."""
    with running(Postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """To be left running, as above."""
    with running(Redis()) as server:
        yield server
