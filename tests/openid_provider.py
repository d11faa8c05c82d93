"""An OpenID provider on 127.0.0.1 with keys of its own: as much of one as a resource server asks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT = "dam-pages"


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
        request = (await reader.readuntil(b"\r\n\r\n")).split()
        path = request[1].decode()
        self.requests.append(path)
        documents: dict[str, Any] = {
            "/realms/dams/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "jwks_uri": self.issuer.replace("/realms/dams", "/keys"),
            },
            "/keys": {"keys": self.published},
        }
        body, status = orjson.dumps(documents.get(path)), "200 OK" if path in documents else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def provided() -> AsyncIterator[OpenIdServer]:
    server = OpenIdServer()
    await server.open()
    try:
        yield server
    finally:
        await server.close()
