"""Settings, read from the environment. docs/settings.md lists them."""

from pathlib import Path

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url


class Settings(BaseSettings):
    """Each is `DAMS_` and the name in capitals. What changes while the service runs is in the database instead."""

    model_config = SettingsConfigDict(env_prefix="DAMS_", frozen=True)

    database_url: str = Field(
        default="", description="`postgresql://…` or `sqlite:///…`. By default a SQLite file in `DAMS_DATA_DIR`."
    )
    data_dir: Path = Field(default=Path("data"), description="Folder of the embedded database.")
    redis_url: str | None = Field(
        default=None,
        description="`redis://…`, by which several processes wake each other. None: one process, which needs no Redis.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
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
    max_page_size: int = Field(
        default=100, ge=1, le=1000, description="Dams a page may ask for. Each costs the server and holds others up."
    )

    @model_validator(mode="after")
    def _embedded_database(self) -> "Settings":
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir.resolve() / 'dams.sqlite3'}")
        return self

    @model_validator(mode="after")
    def _several_workers_need_redis(self) -> "Settings":
        if self.workers > 1 and self.redis_url is None:
            raise ValueError("several workers hear of each other's dams through Redis: set DAMS_REDIS_URL")
        return self

    @property
    def embedded_file(self) -> Path | None:
        """The file of an SQLite database."""
        url = make_url(self.database_url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None
