"""Tokens of an OpenID Connect provider: signed JWTs, verified by the keys that the provider publishes.

Its keys are asked for once and kept. A token that names a key we do not know has them asked for anew, as after a
rotation, though not more often than every `RETRY_S`: forgers name many. Known keys are renewed beside the requests,
and stay good for a day while the provider is away.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import httpx
import jwt
import orjson
from jwt.algorithms import AllowedPublicKeys
from jwt.exceptions import InvalidSubjectError

from auth.claims import Claims
from models.background import background
from models.errors import ProviderUnavailable, Unauthenticated

logger = logging.getLogger(__name__)

RENEW_S = 600.0
RETRY_S = 10.0
USABLE_S = 86_400.0
TIMEOUT_S = 5.0
"""For all of its keys, be they ever so slow to come."""

MAX_BYTES = 1024 * 1024
"""Of an answer of the provider; keys are some KB."""

MAX_NAME = 200
MAX_SUBJECT = 255
"""OpenID Connect Core 1.0, section 2."""

REQUIRED = ["exp", "iss", "aud", "sub"]
PUBLIC_KEYS = {"RSA", "EC", "OKP"}
NAMES = ("preferred_username", "email", "name", "sub")
"""Claims that may tell a name, the best first."""


@dataclass(frozen=True, slots=True)
class OpenIdConfig:
    issuer: str
    client_id: str
    """Of our pages."""
    audience: str
    scopes: tuple[str, ...]
    """For our pages to ask for."""
    algorithms: tuple[str, ...]
    groups_claim: str
    groups: Mapping[str, str]
    """Ours by the provider's."""
    leeway: timedelta
    """By which clocks may differ."""


UNREADABLE = (
    *(httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError, AttributeError),
    jwt.PyJWTError,
)
"""Of a provider that is away, or answers with what it should not."""


Key: TypeAlias = "jwt.PyJWK | AllowedPublicKeys"
"""Bound to an algorithm, or good for those of its kind."""


class Keys:
    """As the provider publishes them, by `kid`."""

    def __init__(self, issuer: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._client = client
        self._keys: dict[str | None, Key] = {}
        self._asked_at = self._known_at = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self, kid: str | None) -> Key:
        """Raises Unauthenticated where there is no such key, ProviderUnavailable where that is not known."""
        if kid not in self._keys:
            async with self._asking:
                if kid not in self._keys and time.monotonic() - self._asked_at > RETRY_S:
                    await self._renew()
        now = time.monotonic()
        if kid in self._keys and now - self._known_at < USABLE_S:
            return self._keys[kid]
        if self._known_at < self._asked_at:
            raise ProviderUnavailable("The OpenID provider cannot be reached to check this token. Try again.")
        raise Unauthenticated("This token is signed with a key that the OpenID provider does not publish.")

    async def renew_for_ever(self) -> None:
        while True:
            async with self._asking:
                await self._renew()
            await asyncio.sleep(RENEW_S if self._known_at == self._asked_at else RETRY_S)

    async def _renew(self) -> None:
        """Never raises: what was known stays."""
        asked_at = self._asked_at = time.monotonic()
        try:
            self._keys = await published_keys(self._issuer, self._client)
            self._known_at = asked_at
        except UNREADABLE as error:
            logger.warning("cannot read the keys of the OpenID provider, trying again: %r", error)


async def published_keys(issuer: str, client: httpx.AsyncClient) -> dict[str | None, Key]:
    """By `kid`. Raises one of `UNREADABLE`."""

    async with asyncio.timeout(TIMEOUT_S):
        configuration = await _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration", client)
        if configuration["issuer"] != issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise ValueError(f"the provider calls itself {configuration['issuer']!r}")
        return _usable((await _fetched(configuration["jwks_uri"], client))["keys"])


async def _fetched(url: str, client: httpx.AsyncClient) -> Any:
    body = bytearray()
    async with client.stream("GET", url) as answer:
        async for chunk in answer.raise_for_status().aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"{url} answers with more than {MAX_BYTES:,} bytes")
    return orjson.loads(body)


def _usable(published: list[dict[str, Any]]) -> dict[str | None, Key]:
    """A token may leave the `kid` out where there is one key only. Keys of unknown kinds are passed over.

    PyJWT would take RS256 for granted where an RSA key names no algorithm; the token then names one of those allowed.
    """
    keys: dict[str | None, Key] = {}
    for key in published:
        if key.get("kty") in PUBLIC_KEYS and key.get("use", "sig") == "sig":
            try:
                known = jwt.PyJWK.from_dict(key)
            except jwt.PyJWTError:
                continue
            keys[key.get("kid")] = known if "alg" in key else known.key
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


class Provider:
    def __init__(self, config: OpenIdConfig, client: httpx.AsyncClient) -> None:
        self.config = config
        self._keys = Keys(config.issuer, client)

    @staticmethod
    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT_S)

    @classmethod
    @asynccontextmanager
    async def running(cls, config: OpenIdConfig) -> AsyncIterator["Provider"]:
        async with cls.client() as client:
            provider = cls(config, client)
            async with background(provider._keys.renew_for_ever()):
                yield provider

    async def verify(self, token: str) -> Claims:
        """Raises Unauthenticated and ProviderUnavailable."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self.config.algorithms:
                raise jwt.InvalidAlgorithmError(f"the algorithm must be {' or '.join(self.config.algorithms)}")
            claims = jwt.decode(
                token,
                await self._keys.get(header.get("kid")),
                algorithms=self.config.algorithms,
                audience=self.config.audience,
                issuer=self.config.issuer,
                leeway=self.config.leeway,
                options={"require": REQUIRED},
            )
            return self._claims(claims)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("This token of the OpenID provider has expired. Sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError) as error:
            # What Python says of it is nobody's business.
            is_told = isinstance(error, jwt.PyJWTError) and error.__cause__ is None
            reason = str(error).rstrip(".") if is_told else "it cannot be read"
            raise Unauthenticated(f"This token of the OpenID provider is not valid: {reason}.") from None

    def _claims(self, claims: dict[str, Any]) -> Claims:
        """Raises InvalidSubjectError, ValueError, TypeError, and of times out of range OverflowError or OSError."""
        subject = claims["sub"]
        if not subject or len(subject) > MAX_SUBJECT or not subject.isprintable():
            raise InvalidSubjectError("sub cannot be used")
        given = claims.get(self.config.groups_claim) or []
        given = given.split() if isinstance(given, str) else given
        named = (_name(claims.get(claim)) for claim in NAMES)
        return Claims(
            issuer=self.config.issuer,
            subject=subject,
            name=next(name for name in named if name),
            groups=frozenset(self.config.groups[group] for group in given if group in self.config.groups),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC) + self.config.leeway,
            token_id=_name(claims.get("jti")) or None,
        )


def _name(claim: object) -> str:
    """What can be shown of it."""
    return "".join(c for c in claim if c.isprintable())[:MAX_NAME].strip() if isinstance(claim, str) else ""


def is_jwt(token: str) -> bool:
    """Three parts of base64, of which the first is a JSON object."""
    return token.startswith("eyJ") and token.count(".") == 2
