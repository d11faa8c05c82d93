"""An OpenID provider on 127.0.0.1 with keys of its own: as much of one as a resource server asks, and a page with PKCE.

Its page lists its users, each a link that signs in as that one.
"""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT = "dam-pages"
USERS: dict[str, dict[str, Any]] = {
    "eve": {},
    "mallory": {"sub": "u2", "preferred_username": "mallory", "groups": ["others"]},
}
"""What their tokens say other than `OpenIdServer.token` does."""


class SigningKey:
    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def public(self) -> dict[str, Any]:
        kind = jwt.algorithms.RSAAlgorithm if self.algorithm == "RS256" else jwt.algorithms.ECAlgorithm
        key: dict[str, Any] = kind.to_jwk(self.private.public_key(), as_dict=True)
        return key | {"kid": self.kid, "use": "sig", "alg": self.algorithm}


class OpenIdServer:
    """`close` and `open` keep the port."""

    def __init__(self) -> None:
        self.key = SigningKey("first")
        self.published = [self.key.public]
        self.requests: list[str] = []
        self._granted: dict[str, tuple[str, dict[str, str]]] = {}
        """By code, for whom and what was asked for. A code is good once."""
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._port}/realms/dams"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def rotate(self, key: SigningKey) -> None:
        self.key, self.published = key, [key.public]

    def token(self, *, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Valid for ten minutes, but for what is said otherwise; None leaves a claim out."""
        key, now = key or self.key, int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT, "sub": "u1", "preferred_username": "eve", "iat": now}
        told |= {"exp": now + 600, "groups": ["dam-team"], "jti": "t1"} | claims
        payload, headers = (
            {name: value for name, value in each.items() if value is not None}
            for each in (told, {"kid": key.kid} | (header or {}))
        )
        return jwt.encode(payload, key.private, key.algorithm, headers)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        body = (await reader.readexactly(int(fields.get("content-length", 0)))).decode()
        target = head.split()[1]
        self.requests.append(target)
        path, query = urlsplit(target)[2:4]
        status, headers, answer = self._respond(path, dict(parse_qsl(query or body)))
        lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(answer)}", "connection: close"]
        writer.write("\r\n".join([*lines, "access-control-allow-origin: *", "", ""]).encode() + answer)
        await writer.drain()
        writer.close()

    def _respond(self, path: str, parameters: dict[str, str]) -> tuple[str, list[str], bytes]:
        """Status, headers and body."""
        match path.removeprefix("/realms/dams"):
            case "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "/keys":
                return _json({"keys": self.published})
            case "/authorize":
                return "200 OK", ["content-type: text/html"], self._page(parameters).encode()
            case "/token":
                return self._exchange(parameters)
        return _json(None, "404 Not Found")

    def _configuration(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            "jwks_uri": self.issuer.replace("/realms/dams", "/keys"),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
        }

    def _page(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        answers = {"Cancel": {"error": "access_denied", "error_description": "Not today."}}
        for user in USERS:
            code = secrets.token_urlsafe()
            self._granted[code] = user, asked
            answers[user] = {"code": code}
        links = [
            f'<li><a href="{escape(asked["redirect_uri"])}?{escape(urlencode(answer | {"state": asked["state"]}))}">'
            f"{label}</a>"
            for label, answer in answers.items()
        ]
        return f"<!doctype html><title>Sign in</title><ul>{''.join(links)}</ul>"

    def _exchange(self, given: dict[str, str]) -> tuple[str, list[str], bytes]:
        """A token for a code (RFC 6749, section 4.1.3) and for the secret that was behind its challenge (RFC 7636)."""
        user, asked = self._granted.pop(given["code"])
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != asked["code_challenge"] or given["redirect_uri"] != asked["redirect_uri"]:
            return _json({"error": "invalid_grant"}, "400 Bad Request")
        return _json({"access_token": "opaque", "token_type": "Bearer", "id_token": self.token(**USERS[user])})


def _json(body: Any, status: str = "200 OK") -> tuple[str, list[str], bytes]:
    return status, ["content-type: application/json"], orjson.dumps(body)


@asynccontextmanager
async def provided() -> AsyncIterator[OpenIdServer]:
    server = OpenIdServer()
    await server.open()
    try:
        yield server
    finally:
        await server.close()
