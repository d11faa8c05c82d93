"""Open streams learn within a second that their token is no longer valid, or may do less than before.

Asking the database reaches every process, however the change was made, and needs nobody to announce it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from auth.authentication import authenticate_all
from auth.claims import Credential
from auth.viewer import Viewer
from models.background import background
from models.database import Database
from models.errors import DatabaseUnavailable, Forbidden, InventoryError

logger = logging.getLogger(__name__)

CHECK_S = 0.5
"""One statement for some hundreds of tokens, so the answer is there within the second."""

OnLoss = Callable[[InventoryError], None]


@dataclass(frozen=True, slots=True, eq=False)
class Watcher:
    viewer: Viewer
    """As whom the token was known."""
    on_loss: OnLoss


class TokenWatch:
    def __init__(self, database: Database, anybody: Viewer) -> None:
        self._database = database
        self._anybody = anybody
        self._watched: dict[Credential, set[Watcher]] = {}

    @contextmanager
    def watching(self, credential: Credential, viewer: Viewer, on_loss: OnLoss) -> Iterator[None]:
        """Calls `on_loss`, at most once, when it lost its validity or any permission that `viewer` has.

        What a token of the OpenID provider said is looked at, not the token: no key, no request to the provider.
        """
        watcher = Watcher(viewer, on_loss)
        self._watched.setdefault(credential, set()).add(watcher)
        try:
            yield
        finally:
            self._forget(credential, watcher)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TokenWatch"]:
        async with background(self._run()):
            yield self

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                if self._watched:
                    await self._check()
            except DatabaseUnavailable:
                pass  # nothing is added meanwhile either
            except Exception:
                logger.exception("cannot check the tokens of open streams, trying again")

    async def _check(self) -> None:
        found = await authenticate_all(self._database.following, list(self._watched))
        for credential, now in found.items():
            for watcher in list(self._watched.get(credential, ())):
                if loss := self._loss(watcher.viewer, now):
                    self._forget(credential, watcher)
                    watcher.on_loss(loss)

    def _forget(self, credential: Credential, watcher: Watcher) -> None:
        watchers = self._watched.get(credential, set())
        watchers.discard(watcher)
        if not watchers:
            self._watched.pop(credential, None)

    def _loss(self, before: Viewer, now: Viewer | InventoryError) -> InventoryError | None:
        if isinstance(now, InventoryError):
            return now
        if lost := before.permissions - now.permissions - self._anybody.permissions:
            return Forbidden(f"{now.name} has no longer the permission {', '.join(sorted(lost))}.")
        return None
