"""Settings, read from the environment. docs/settings.md lists them."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from auth.openid import OpenIdConfig
from models.database import ASYNC_DRIVERS, STATEMENT_TIMEOUT_S
from pubsub.redis_url import connect

HIGHEST_PORT = 65535

SigningAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # RFC 7518 and 8037, without those of a shared secret and without none

TILES = re.compile(r"(https?://[\w.:\[\]-]+)?/(?=\S*\{z\})(?=\S*\{x\})(?=\S*\{y\})[^\s;,]*")
"""Its beginning goes into the Content-Security-Policy."""


class Settings(BaseSettings):
    """Each is `DAMS_` and the name in capitals. What changes while the service runs is in the database instead."""

    model_config = SettingsConfigDict(env_prefix="DAMS_", env_ignore_empty=True, frozen=True)

    database_url: str = Field(
        default="", description="`postgresql://…` or `sqlite:///…`. By default a SQLite file in `DAMS_DATA_DIR`."
    )
    data_dir: Path = Field(default=Path("data"), description="Folder of the embedded database.")
    redis_url: str | None = Field(
        default=None,
        description="`redis://…`, `redis+sentinel://…` or `redis+cluster://…`, by which several processes wake each"
        " other. None: one process, which needs no Redis.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=HIGHEST_PORT, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, description="Server processes. More than one needs `DAMS_REDIS_URL`.")
    admin_token: str | None = Field(
        default=None,
        min_length=20,
        description="API token of the first administrator, for unattended starts. None: one is made and shown.",
    )
    public_read: bool = Field(default=True, description="Whether dams can be read without a token.")
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description='Web origins, besides our own, that may use the API and its WebSocket, as JSON: `["https://…"]`.',
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="OpenID Connect provider whose tokens are taken, exactly as it calls itself in them.",
    )
    oidc_client_id: str | None = Field(default=None, description="Of our pages, as registered at the provider.")
    oidc_audience: str | None = Field(
        default=None, description="What `aud` of a token must be or have. None: the client id."
    )
    oidc_scopes: tuple[str, ...] = Field(default=("openid", "profile"), description="For our pages to ask for.")
    oidc_algorithms: tuple[SigningAlgorithm, ...] = Field(
        default=("RS256", "ES256"), min_length=1, description="Signatures that are taken. None with a shared secret."
    )
    oidc_groups_claim: str = Field(default="groups", description="Claim that has the provider's groups.")
    oidc_groups: dict[str, str] = Field(
        default={}, description='Our groups by the provider\'s, as JSON: `{"dam-team": "contributor"}`.'
    )
    oidc_leeway_s: int = Field(default=30, ge=0, le=300, description="Seconds by which clocks may differ.")
    session_hours: int = Field(default=168, ge=1, le=8_760, description="Hours that a sign-in with a password lasts.")
    rate_limit_per_address: int = Field(
        default=1_000_000,
        ge=0,
        le=10_000_000,
        description="Points a minute for an address without a token. 0: no limit.",
    )
    rate_limit_per_user: int = Field(
        default=1_000_000,
        ge=0,
        le=10_000_000,
        description="Points a minute for all tokens of a user together. 0: no limit.",
    )
    rate_limit_per_token: int = Field(
        default=1_000_000, ge=0, le=10_000_000, description="Points a minute for a token. 0: no limit."
    )
    map_tiles: str | None = Field(
        default=None,
        description="Tiles below the dams, `https://…/{z}/{x}/{y}.png`; vector tiles where it ends with `.mvt` or"
        " `.pbf`. None: state and county lines that the page brings along.",
    )
    map_attribution: str = Field(default="", description="Whom to name for these tiles, as text.")
    max_page_size: int = Field(
        default=100, ge=1, le=1000, description="Dams a page may ask for. Each costs the server and holds others up."
    )
    compile_selections: bool = Field(
        default=True,
        description="Whether what documents select is compiled to Python. If not, answers take several times as long.",
    )
    kept_answers_mb: int = Field(
        default=64,
        ge=0,
        le=100_000,
        description="Megabytes of answers that a process keeps until the next change. 0: each is made anew.",
    )
    event_retention_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Days that the log of changes is kept. 0: for ever, since it is small and auditors read it.",
    )

    max_request_bytes: int = Field(
        default=256 * 1024,
        ge=1024,
        description="Bytes of an HTTP body or of a WebSocket message. The default takes a polygon of 5,000 vertices.",
    )

    request_timeout_s: float = Field(
        default=20,
        gt=0,
        description="Seconds that a query or mutation may take. Subscriptions have no end.",
    )
    statement_timeout_s: float = Field(
        default=STATEMENT_TIMEOUT_S,
        gt=0,
        description="Seconds that one statement of a query may take.",
    )
    max_tokens: int = Field(
        default=2_000, ge=1, le=20_000, description="Names, numbers, brackets and so on that a document may have."
    )
    max_depth: int = Field(default=20, ge=1, description="Fields within fields. Tools ask for the schema with 15.")
    max_aliases: int = Field(default=30, ge=0, description="Aliases of an operation, fragments written out.")
    max_directives: int = Field(default=50, ge=0, description="Directives of an operation, fragments written out.")
    max_root_fields: int = Field(default=20, ge=1, description="Root fields of an operation. Each is work of its own.")
    max_cost: int = Field(
        default=5_000, ge=1, description="What an operation may cost: the objects that it asks for, by docs/limits.md."
    )
    max_list_length: int = Field(
        default=100, ge=1, le=10_000, description="Values in a list of an input, such as the states of a filter."
    )
    max_vertices: int = Field(
        default=5_000, ge=4, description="Of a polygon. State outlines at 1:5,000,000 have some hundreds."
    )
    trusted_documents: tuple[Path, ...] = Field(
        default=(),
        description="Manifests of documents that may be named by their hash, besides that of our own pages, as JSON.",
    )
    trusted_documents_only: bool = Field(
        default=False, description="Whether nothing but the documents of the manifests is executed."
    )
    introspection: bool = Field(
        default=True, description="Whether the schema is shown, and errors suggest names that it has."
    )

    max_sockets: int = Field(default=20_000, ge=1, description="WebSockets open at a time in one process.")
    max_sockets_per_address: int = Field(
        default=1_000, ge=1, description="WebSockets open at a time from one client address. Offices share one."
    )
    max_subscriptions: int = Field(
        default=50_000, ge=1, description="Subscriptions open at a time in one process, counted by their KiB."
    )
    max_subscriptions_per_address: int = Field(
        default=5_000, ge=1, description="Subscriptions open at a time from one client address."
    )
    max_subscriptions_per_user: int = Field(
        default=1_000, ge=1, description="Subscriptions open at a time with the tokens of one user."
    )

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        if not url:
            return url
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            parsed = None
        if parsed is None or parsed.drivername not in {*ASYNC_DRIVERS, *ASYNC_DRIVERS.values()}:
            raise ValueError("must be postgresql://… or sqlite:///…")
        if (parsed.port or 0) > HIGHEST_PORT:
            raise ValueError(f"the port must be at most {HIGHEST_PORT}")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, url: str | None) -> str | None:
        try:
            connect(url or "redis://", timeout_s=0)
        except ValueError:
            forms = "redis://…, rediss://…, unix://…, redis+sentinel://…/service or redis+cluster://…"
            raise ValueError(f"must be {forms}, with a port of at most {HIGHEST_PORT} and redis-py's options") from None
        return url

    @field_validator("map_tiles")
    @classmethod
    def _is_an_address_of_tiles(cls, url: str | None) -> str | None:
        if url is not None and not TILES.fullmatch(url):
            raise ValueError("must be https://… or a path of ours, with {z}, {x} and {y} and without blanks")
        return url

    @field_validator("admin_token")
    @classmethod
    def _fits_a_header(cls, token: str | None) -> str | None:
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("must be of ASCII characters without blanks, because it is sent in a header")
        return token

    @model_validator(mode="after")
    def _embedded_database(self) -> "Settings":
        if not self.database_url:
            file = URL.create("sqlite", database=str(self.data_dir.resolve() / "dams.sqlite3"))
            object.__setattr__(self, "database_url", file.render_as_string())
        return self

    @model_validator(mode="after")
    def _several_workers_need_redis(self) -> "Settings":
        if self.workers > 1 and self.redis_url is None:
            raise ValueError("several workers hear of each other's dams through Redis: set DAMS_REDIS_URL")
        return self

    @model_validator(mode="after")
    def _provider_knows_our_pages(self) -> "Settings":
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("a provider knows our pages by their client id: set DAMS_OIDC_CLIENT_ID")
        return self

    @property
    def open_id(self) -> OpenIdConfig | None:
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return None
        return OpenIdConfig(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            audience=self.oidc_audience or self.oidc_client_id,
            scopes=self.oidc_scopes,
            algorithms=self.oidc_algorithms,
            groups_claim=self.oidc_groups_claim,
            groups=self.oidc_groups,
            leeway=timedelta(seconds=self.oidc_leeway_s),
        )

    @property
    def embedded_file(self) -> Path | None:
        """The file of an SQLite database."""
        url = make_url(self.database_url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None
