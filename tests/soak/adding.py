"""Dams are added at a steady rate, at whichever server takes them, and some of them are removed again."""

import asyncio
import itertools
from collections.abc import Coroutine
from random import Random
from typing import Any

import httpx

from tests.soak.dams import WANTED_BY_ALL, Dam, random_dam

ADDS_PER_S = 10
REMOVALS_PER_ADD = 0.02
"""Few: after a removal a server forgets what it remembers for those who resume, and that is to be tested too."""

AGAIN_S = 0.3
TRIES = 300
UNDER_WAY = 20
"""Changes at a time; while no server takes them, none is begun."""

ADD = "mutation ($input: AddDamInput!) { addDam(input: $input) { dam { id damId } errors { code message } } }"
REMOVE = "mutation ($id: ID!) { removeDam(id: $id) { errors { code message } } }"


class NotAdded(Exception):
    """What a server said to it."""


class Writer:
    """Each change is sent again until it is acknowledged, an add with its idempotency key."""

    def __init__(self, random: Random, ports: list[int], token: str) -> None:
        self._random = random
        self._urls = itertools.cycle(f"http://127.0.0.1:{port}/graphql" for port in ports)
        self._http = httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=5)
        self._there: list[str] = []
        """Global ids."""
        self._slots = asyncio.Semaphore(UNDER_WAY)
        self._stopped = False
        self.added: dict[int, Dam] = {}
        """What was acknowledged, by id."""
        self.retries = 0
        self.problems: list[str] = []

    async def run(self) -> None:
        """Returns when it was stopped and all is acknowledged; the last dam is then one that everybody wants."""
        async with self._http:
            async with asyncio.TaskGroup() as group:
                for number in itertools.count(1):
                    if self._stopped:
                        break
                    await self._begin(group, self._add(random_dam(self._random, f"Dam {number}")))
                    chance, choice = self._random.random(), self._random.random()
                    if chance < REMOVALS_PER_ADD and self._there:
                        dam_id = self._there.pop(int(choice * len(self._there)))
                        await self._begin(group, self._remove(dam_id))
                    await asyncio.sleep(1 / ADDS_PER_S)
            await self._noted(self._add(WANTED_BY_ALL))

    async def _begin(self, group: asyncio.TaskGroup, change: Coroutine[Any, Any, None]) -> None:
        await self._slots.acquire()
        group.create_task(self._noted(change)).add_done_callback(lambda _: self._slots.release())

    def stop(self) -> None:
        self._stopped = True

    async def _add(self, dam: Dam) -> None:
        """Raises NotAdded."""
        payload = await self._insist(ADD, {"input": dam.input | {"idempotencyKey": dam.name}})
        found = payload["addDam"]
        if found["errors"]:
            raise NotAdded(f"{dam.name}: {found['errors']}")
        self.added[found["dam"]["damId"]] = dam
        self._there.append(found["dam"]["id"])

    async def _remove(self, dam_id: str) -> None:
        errors = (await self._insist(REMOVE, {"id": dam_id}))["removeDam"]["errors"]
        if errors and errors[0]["code"] != "NOT_FOUND":  # which is what a second try is told
            raise NotAdded(f"removal of {dam_id}: {errors}")

    async def _insist(self, query: str, variables: dict[str, Any]) -> Any:
        """The data of the answer. Raises NotAdded where the server fails otherwise than by being away."""
        last = ""
        for _ in range(TRIES):
            try:
                response = await self._http.post(next(self._urls), json={"query": query, "variables": variables})
                answer = response.json()
            except httpx.HTTPError as error:
                last = repr(error)
            else:
                if "errors" not in answer:
                    return answer["data"]
                last = str(answer["errors"])
                if answer["errors"][0]["extensions"]["code"] not in ("DATABASE_UNAVAILABLE", "SERVER_DRAINING"):
                    raise NotAdded(f"{variables}: {last}")
            self.retries += 1
            await asyncio.sleep(AGAIN_S)
        raise NotAdded(f"{variables}: not in {TRIES} tries; the last answer: {last}")

    async def _noted(self, change: Coroutine[Any, Any, None]) -> None:
        try:
            await change
        except NotAdded as error:
            self.problems.append(f"a server refused a change: {error}")
