"""The forms of DAMS_REDIS_URL. Whether what they name is reached is for test_bus.py and test_failover.py."""

import pytest

from pubsub.redis_url import SEVERAL_HOSTS, connect, read_hosts


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/1?client_name=dams",
        "rediss://ada:secret@redis.example.org",
        "unix:///run/redis.sock",
        "redis+sentinel://one,two:26380,[::1]:26379/dams/3",
        "rediss+sentinel://:secret@one/dams?ssl_ca_certs=/etc/ca.pem&sentinel_password=secret",
        "redis+cluster://one:7001,[::1]:7002,three",
        "rediss+cluster://ada:secret@one/0?ssl_ca_certs=/etc/ca.pem",
    ],
)
def test_urls_are_taken_without_a_connection(url: str) -> None:
    connect(url, timeout_s=1)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost",
        "redis://localhost:99999",
        "redis://localhost?colour=blue",
        "redis+proxy://localhost",
        "unix+cluster:///run/redis.sock",
        "redis+sentinel://localhost",
        "redis+sentinel://localhost/",
        "redis+sentinel:///dams",
        "redis+sentinel://one,,three/dams",
        "redis+sentinel://one:port/dams",
        "redis+sentinel://one/dams?colour=blue",
        "redis+cluster://",
        "redis+cluster://one,",
        "redis+cluster://one:99999",
        "redis+cluster://one/1",
        "redis+cluster://one?colour=blue",
    ],
)
def test_urls_that_cannot_be_used_are_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - redis-py's words, and each its own
        connect(url, timeout_s=1)


@pytest.mark.parametrize(
    ("url", "path", "addresses", "options"),
    [
        (
            "redis+sentinel://ada:p%40s%2Fs@one,two:26380,[::1]/dams/3?client_name=dams",
            "/3",
            [("one", 26379), ("two", 26380), ("::1", 26379)],
            {"username": "ada", "password": "p@s/s", "db": 3, "client_name": "dams"},
        ),
        (
            "rediss+cluster://:secret@one,[::1]:7002?ssl_ca_certs=/etc/ca.pem",
            "",
            [("one", 6379), ("::1", 7002)],
            {"password": "secret", "ssl": True, "ssl_ca_certs": "/etc/ca.pem"},
        ),
    ],
    ids=["sentinel", "cluster"],
)
def test_hosts_and_options_are_read_as_redis_py_reads_them(
    url: str, path: str, addresses: list[tuple[str, int]], options: dict[str, object]
) -> None:
    several = SEVERAL_HOSTS.fullmatch(url)
    assert several is not None
    assert read_hosts(several, path) == (addresses, options)
