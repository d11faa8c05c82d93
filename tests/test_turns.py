"""Sockets that are written to together: each gets every event once and in order, whatever the others do meanwhile."""

import asyncio
import random
from collections.abc import Callable

import orjson
import pytest

from tests.in_memory import Following, Station, settle, station
from tests.test_batch import messages
from transport.streams import turn as turn_module
from transport.streams.subscriber import SocketSubscriber


class Transport:
    """That of an open connection."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire

    def write(self, frames: bytes) -> None:
        assert self._wire.is_open
        self._wire.take(frames)


class Wire:
    """As much of a connection as a subscriber uses. It may have enough after each write."""

    def __init__(self, has_enough: Callable[[], bool]) -> None:
        self._has_enough = has_enough
        self.is_open = True
        self.writable = asyncio.Event()
        self.writable.set()
        self.when_enough: set[Callable[[], None]] = set()
        self.sent = b""
        self.transport = Transport(self)

    @property
    def takes_more(self) -> bool:
        return self.is_open and self.writable.is_set()

    def write(self, frames: bytes) -> None:
        if self.is_open:
            self.take(frames)

    def take(self, frames: bytes) -> None:
        self.sent += frames
        if self.writable.is_set() and self._has_enough():
            self.writable.clear()
            self.have_enough()

    def close(self) -> None:
        self.is_open = False
        self.have_enough()

    def have_enough(self) -> None:
        for tell in list(self.when_enough):
            tell()

    def dams(self, operation_id: str) -> list[int]:
        told = map(orjson.loads, messages(self.sent))
        return [each["payload"]["data"]["damAdded"]["damId"] for each in told if each["id"] == operation_id]


class Client:
    """With one or several subscriptions on its socket."""

    def __init__(self, office: Station, chance: random.Random, subscriptions: int) -> None:
        self.wire = Wire(lambda: chance.random() < 0.1)
        self.position = office.hub.position
        self.following: list[Following] = []
        for number in range(subscriptions):
            subscriber = SocketSubscriber(self.position, self.wire, str(number))  # type: ignore[arg-type]
            self.following.append(office.follow(listener=subscriber))

    async def leave(self) -> None:
        """As when the connection is lost: it is closed at once, and the handler hears of it a little later."""
        self.wire.close()
        await asyncio.gather(*(each.leave() for each in self.following))

    def got(self) -> list[list[int]]:
        return [self.wire.dams(str(number)) for number in range(len(self.following))]


@pytest.mark.parametrize("seed", range(30))
async def test_each_gets_every_event_once_whoever_stops_reading_comes_or_goes(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(turn_module, "SOCKETS_A_TURN", 3)
    chance = random.Random(seed)
    async with station(monkeypatch) as office:
        clients = [Client(office, chance, chance.randint(1, 3)) for _ in range(10)]
        gone: list[tuple[Client, int]] = []
        for _ in range(60):
            office.add(chance.choice((0, 1, 1, 3)))
            for _ in range(chance.randint(0, 12)):
                await asyncio.sleep(0)
            for client in clients:
                if chance.random() < 0.4:
                    client.wire.writable.set()
            if chance.random() < 0.3:
                clients.append(Client(office, chance, chance.randint(1, 3)))
            if chance.random() < 0.2:
                client = clients.pop(chance.randrange(len(clients)))
                await client.leave()
                gone.append((client, len(client.wire.sent)))
        for client in clients:
            client.wire._has_enough = lambda: False
            client.wire.writable.set()
        await office.seen()
        await settle()
        for client in clients:
            expected = list(range(client.position + 1, office.log.last + 1))
            assert client.got() == [expected] * len(client.following)
        for client, sent in gone:
            assert len(client.wire.sent) == sent
            for dams in client.got():
                assert dams == list(range(client.position + 1, client.position + 1 + len(dams)))
        for client in clients:
            await client.leave()
        assert len(office.delivery.groups) == 0


async def test_whose_socket_has_enough_is_looked_at_until_it_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with station(monkeypatch) as office:
        full = False
        client = Client(office, random.Random(0), 1)
        client.wire._has_enough = lambda: full
        [following] = client.following
        await settle()
        assert following.listener.turn is not None
        full = True
        office.add()
        await office.seen()
        assert following.listener.turn is None
        assert client.wire.when_enough == set()
        full = False
        office.add(2)
        await office.seen()
        assert (client.got(), following.listener.waiting) == ([[1]], 2)
        client.wire.writable.set()
        await settle()
        office.add()
        await office.seen()
        assert client.got() == [[1, 2, 3, 4]]
        assert following.listener.turn is not None
        await following.leave()
        assert client.wire.when_enough == set()
