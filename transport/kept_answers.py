"""Whole answers, kept until the next change.

An answer that depends on dams alone is the same for everybody who asks the same with the same permissions, as long as
the counter row is what it is: each change of the dams gives it a new sequence number, and the caps are in it too. So it
is read for each request, once for all that come together, and a kept answer is served only where the row is just as it
was read before that answer was made. Nobody gets an older one, whichever process made the change.

Kept are answers to documents that come again, without errors, the latest used up to a number of bytes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from models.errors import InventoryError
from resolvers.inventory import InventoryState, read_inventory
from schema import schema
from schema.context import Context
from schema.dependence import depends_on_dams_alone
from schema.documents import known
from transport.negotiation import JSON, Accepted
from transport.requests import GraphQLRequest

LARGEST_SHARE = 8
"""An answer may take one part in so many of all the bytes."""

ENTRY_BYTES = 500
"""What an entry takes besides its texts."""

may_be_kept = partial(depends_on_dams_alone, schema._schema)


class Question(NamedTuple):
    """All that a kept answer depends on, but for the dams."""

    query: str
    name: str | None
    variables: bytes
    permissions: Hashable


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    state: InventoryState
    """As it was before the answer was made, which may know later changes, but not earlier ones alone."""
    body: bytes
    etag: str
    """Quoted."""


class KeptAnswers:
    """Of one process."""

    def __init__(self, max_bytes: int) -> None:
        """0 bytes keep nothing."""
        self.max_bytes = max_bytes
        self.bytes = 0
        self._answers: OrderedDict[Question, KeptAnswer] = OrderedDict()
        self._making: dict[tuple[Question, InventoryState], asyncio.Future[bool]] = {}
        """Whether it came to an end; else another one who waits makes it."""

    async def answer(
        self,
        request: Request,
        context: Context,
        accepted: Accepted,
        asked: GraphQLRequest,
        make: Callable[[], Awaitable[Response]],
    ) -> Response:
        """Kept, or made."""
        prepared = known(asked.query) if self.max_bytes else None
        if prepared is None or not prepared.fact(may_be_kept):
            return await make()
        try:
            permissions = (await context.viewer()).permissions
            state = await read_inventory(context.database)
            variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)
        except (InventoryError, orjson.JSONEncodeError):  # told as with any other answer; nested too deep to be written
            return await make()
        question = Question(asked.query, asked.name, variables, permissions)
        while (under_way := self._making.get((question, state))) is not None:
            await asyncio.wait([under_way])
            if under_way.result():
                break
        kept = self._get(question, state)
        if kept is None:
            if under_way is not None:  # it could not be kept, and the next could not either
                return await make()
            response = await self._made(question, state, make)
            kept = self._get(question, state)
            if kept is None:
                return response
        return _response(request, context, accepted, kept)

    async def _made(
        self, question: Question, state: InventoryState, make: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Those who ask the same meanwhile wait for it: after a change everybody asks at once."""
        making = self._making[question, state] = asyncio.get_running_loop().create_future()
        is_done = True
        try:
            response = await make()
        except asyncio.CancelledError:
            is_done = False
            raise
        finally:
            del self._making[question, state]
            making.set_result(is_done)
        body = bytes(response.body)
        if response.status_code == 200 and not body.startswith(b'{"errors"'):
            self._put(question, KeptAnswer(state, body, f'"{blake2b(body, digest_size=12).hexdigest()}"'))
        return response

    def _get(self, question: Question, state: InventoryState) -> KeptAnswer | None:
        kept = self._answers.get(question)
        if kept is None or kept.state != state:
            return None
        self._answers.move_to_end(question)
        return kept

    def _put(self, question: Question, kept: KeptAnswer) -> None:
        if (former := self._answers.pop(question, None)) is not None:
            self.bytes -= _size(question, former)
        if _size(question, kept) * LARGEST_SHARE > self.max_bytes:
            return
        self._answers[question] = kept
        self.bytes += _size(question, kept)
        while self.bytes > self.max_bytes:
            self.bytes -= _size(*self._answers.popitem(last=False))


def _size(question: Question, kept: KeptAnswer) -> int:
    return len(question.query) + len(question.variables) + len(kept.body) + ENTRY_BYTES


def _response(request: Request, context: Context, accepted: Accepted, kept: KeptAnswer) -> Response:
    """By GET, browsers and proxies may store it, and must ask each time whether it is still true."""
    headers = {"content-type": f"{accepted.json or JSON}; charset=utf-8"}
    if request.method != "GET" or accepted.json is None:
        return Response(kept.body, headers=headers)
    whose = "public" if context.authorization is None else "private"
    headers |= {"etag": f"W/{kept.etag}", "cache-control": f"{whose}, no-cache"}
    headers["vary"] = "accept, authorization, origin"
    if kept.etag in request.headers.get("if-none-match", ""):
        del headers["content-type"]
        return Response(status_code=304, headers=headers)
    return Response(kept.body, headers=headers)
