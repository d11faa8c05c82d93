"""Documents that are named by the SHA-256 of their text instead of sent.

- Automatic ones, as Apollo has them: `extensions.persistedQuery = {version: 1, sha256Hash}`. Who gets
  `PERSISTED_QUERY_NOT_FOUND` sends the text along once, and from then on everybody may name it.
- Trusted ones, of manifests that a build writes: `{hash: text}`. A setting makes them all that is executed.
- `documentId: "sha256:<hash>"` names either.
- `extensions.trustedDocument = hash` beside a text: where the hash is trusted its document is executed, else the text.
  So a page that is older than the manifest goes on.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from models.errors import BadUserInput, InventoryError
from pubsub.shared_texts import Texts
from schema.documents import MAX_CHARACTERS
from transport.requests import GraphQLRequest

HASH = re.compile("[0-9a-f]{64}")
DOCUMENT_ID = re.compile(f"sha256:({HASH.pattern})")


class PersistedQueryNotFound(InventoryError):
    """Clients know the message as well as the code."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class DocumentNotTrusted(InventoryError):
    code = "DOCUMENT_NOT_TRUSTED"

    def __init__(self) -> None:
        super().__init__("This server executes only the documents of its manifests.")


class PersistedDocuments:
    """`is_valid` tells of a text whether it is worth keeping."""

    def __init__(
        self, texts: Texts, is_valid: Callable[[str], bool], trusted: Mapping[str, str], *, only_trusted: bool
    ) -> None:
        self._texts = texts
        self._is_valid = is_valid
        self._trusted = trusted
        self._only_trusted = only_trusted

    async def text_of(self, asked: GraphQLRequest) -> str:
        """Of the document to execute; empty where the request names none.

        Raises PersistedQueryNotFound, DocumentNotTrusted and, for a name that is none or another text's, BadUserInput.
        """
        beside = asked.extensions.get("trustedDocument")
        if isinstance(beside, str) and (known := self._trusted.get(beside)) is not None:
            return known
        name = hash_of(asked)
        if self._only_trusted and (name or asked.query):
            trusted = self._trusted.get(name or hash_of_text(asked.query))
            if trusted is None:
                raise DocumentNotTrusted
            return trusted
        if name is None:
            return asked.query
        if (known := self._trusted.get(name)) is not None:
            return known
        if not asked.query:
            return await self._found(name)
        if hash_of_text(asked.query) != name:
            raise BadUserInput("The hash is not that of the query.")
        fits = len(asked.query) <= MAX_CHARACTERS
        if fits and await self._texts.find(name) is None and self._is_valid(asked.query):
            await self._texts.keep(name, asked.query)
        return asked.query

    async def _found(self, name: str) -> str:
        text = await self._texts.find(name)
        if text is None or hash_of_text(text) != name:  # whoever can write to Redis decides nothing here
            raise PersistedQueryNotFound
        return text


def hash_of_text(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hash_of(asked: GraphQLRequest) -> str | None:
    """Raises BadUserInput."""
    match asked.extensions.get("persistedQuery"):
        case None:
            pass
        case {"version": 1, "sha256Hash": str(name)} if HASH.fullmatch(name):
            return name
        case _:
            raise BadUserInput(
                "persistedQuery must be {version: 1, sha256Hash: 64 hexadecimal digits in small letters}."
            )
    if asked.document_id is None:
        return None
    if named := DOCUMENT_ID.fullmatch(asked.document_id):
        return named[1]
    raise BadUserInput("documentId must be sha256: and 64 hexadecimal digits in small letters.")


def read_manifests(files: Iterable[Path]) -> dict[str, str]:
    """Documents by hash. Raises ValueError for a file that is no manifest."""
    documents: dict[str, str] = {}
    for file in files:
        try:
            manifest: Any = orjson.loads(file.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise ValueError(f"{file} cannot be read as a manifest of documents: {error}") from error
        for name, text in manifest.items() if isinstance(manifest, dict) else [("", manifest)]:
            if not isinstance(text, str) or hash_of_text(text) != name:
                raise ValueError(f"{file} must hold documents by the SHA-256 of their text; {name!r} is not that.")
            documents[name] = text
    return documents
