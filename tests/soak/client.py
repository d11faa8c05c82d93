"""A process of subscribers, which come again for ever and resume from their journals.

python -m tests.soak.client FOLDER

The folder has `subscribers.json`, and gets a journal for each. Nothing here is random: who comes again goes to the
next server, after a pause that is its own.
"""

import asyncio
import itertools
import sys
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import orjson

from tests.soak.dams import FILTERS
from tests.soak.journal import Journal
from tests.soak.streams import TRANSPORTS, Ended, Subscription, http_client

PAUSE_S = 0.1
"""Times 1 to 10, by the number of the subscriber."""


@dataclass(frozen=True)
class Subscriber:
    number: int
    transport: str
    query: str
    filter: int
    """Its place in FILTERS."""
    user: str | None
    """None for one without a token."""

    @property
    def journal(self) -> str:
        return f"{self.number}.journal"


@dataclass(frozen=True)
class Instructions:
    """For one process."""

    ports: list[int]
    tokens: str
    """Folder with a file for each user."""
    start: str
    """The cursor of who has received nothing yet."""
    subscribers: list[Subscriber]

    def write(self, folder: Path) -> None:
        (folder / "subscribers.json").write_bytes(orjson.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "Instructions":
        known = orjson.loads((folder / "subscribers.json").read_bytes())
        return cls(**known | {"subscribers": [Subscriber(**subscriber) for subscriber in known["subscribers"]]})


async def follow(subscriber: Subscriber, told: Instructions, folder: Path, http: httpx.AsyncClient) -> None:
    journal = Journal(folder / subscriber.journal, told.start)
    subscription = Subscription(subscriber.query, FILTERS[subscriber.filter].where)
    for attempt in itertools.count(subscriber.number):
        port = told.ports[attempt % len(told.ports)]
        token = (Path(told.tokens) / subscriber.user).read_text() if subscriber.user else None
        journal.begun(port)
        stream = TRANSPORTS[subscriber.transport](http, port, subscription, journal.cursor, token)
        try:
            async with aclosing(stream) as received:
                async for cursor, dam in received:
                    journal.received(cursor, dam)
            journal.ended("completed")
        except Ended as end:
            if end.cursor is not None:
                journal.received(end.cursor, None)
            journal.ended(str(end))
        except httpx.HTTPError as error:
            journal.ended(f"network: {type(error).__name__}")
        await asyncio.sleep(PAUSE_S * (1 + subscriber.number % 10))


async def main(folder: Path) -> None:
    told = Instructions.read(folder)
    async with http_client() as http, asyncio.TaskGroup() as group:
        for subscriber in told.subscribers:
            group.create_task(follow(subscriber, told, folder, http))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
