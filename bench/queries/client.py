"""Asks over HTTP/1.1, on so many connections at once, each with its next request when it has its answer."""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httptools
import uvloop

ERRORS = re.compile(rb'"errors":\s*\[\s*\{')

TIMEOUT_S = 60.0


class MeasurementFailed(Exception):
    """One sentence for the report."""


class Connection(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[bytes] | None = None

    async def ask(self, request: bytes) -> bytes:
        """The body. Raises MeasurementFailed for an answer that is not what was asked for."""
        self._answer = asyncio.get_running_loop().create_future()
        self._body: list[bytes] = []
        self._transport.write(request)
        body = await self._answer
        status = self._parser.get_status_code()
        if status != 200 or ERRORS.search(body):
            raise MeasurementFailed(f"it answered {status} {body[:300].decode(errors='replace')}")
        return body

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._answer is not None
        self._answer.set_result(b"".join(self._body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(MeasurementFailed("it closed the connection"))

    def close(self) -> None:
        self._transport.close()


async def connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


def ask(port: int, request: bytes) -> bytes:
    async def work() -> bytes:
        connection = await connect(port)
        try:
            return await connection.ask(request)
        finally:
            connection.close()

    return uvloop.run(work())


def ask_all(port: int, requests: Iterable[bytes]) -> None:
    """One after the other."""

    async def work() -> None:
        connection = await connect(port)
        for request in requests:
            await connection.ask(request)
        connection.close()

    uvloop.run(work())


def drive(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> list[float]:
    """Milliseconds of each answer. Asks for so long, and at least once on each connection."""
    answered: list[float] = []

    async def work() -> None:
        end = time.perf_counter() + seconds

        async def one_after_the_other() -> None:
            connection = await connect(port)
            try:
                while True:
                    start = time.perf_counter()
                    await connection.ask(next(requests))
                    now = time.perf_counter()
                    answered.append((now - start) * 1e3)
                    if now > end:
                        return
            finally:
                connection.close()

        async with asyncio.timeout(seconds + TIMEOUT_S):
            await asyncio.gather(*(one_after_the_other() for _ in range(connections)))

    uvloop.run(work())
    return answered


END_CURSOR = re.compile(rb'"endCursor":\s*"([^"]+)"')
MORE = re.compile(rb'"hasNextPage":\s*true')


def walk(port: int, page_after: Any) -> list[float]:
    """Milliseconds of each page, from the first to the last. `page_after(cursor)` gives the request."""

    async def work() -> list[float]:
        connection = await connect(port)
        answered, cursor = [], None
        try:
            while True:
                start = time.perf_counter()
                body = await connection.ask(page_after(cursor))
                answered.append((time.perf_counter() - start) * 1e3)
                if not MORE.search(body):
                    return answered
                found = END_CURSOR.search(body)
                assert found
                cursor = found[1].decode()
        finally:
            connection.close()

    return uvloop.run(work())
