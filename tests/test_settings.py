from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import Settings


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["data", "what?x", "50%20 #b", "a:b@c", "Stauanlagen in Übersee"])
def test_the_embedded_file_is_in_the_data_folder_whatever_its_name(data_dir: Path, name: str) -> None:
    assert Settings(data_dir=Path(name)).embedded_file == data_dir / name / "dams.sqlite3"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_variable_is_as_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings()
    monkeypatch.setenv(f"DAMS_{name.upper()}", "")
    assert Settings() == default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://ada:secret@db.example.org:5432/dams"),
        ("database_url", "postgres:///dams?host=/run/postgresql"),
        ("database_url", "postgresql+asyncpg://db.example.org/dams"),
        ("database_url", "sqlite:////srv/dams.sqlite3"),
        ("redis_url", "redis://localhost:6379/1"),
        ("redis_url", "rediss://:secret@redis.example.org"),
        ("redis_url", "unix:///run/redis.sock"),
        ("admin_token", "a-token-of-my-own-choice"),
        ("map_tiles", "https://tiles.example.org:8443/base/{z}/{x}/{y}.png?key=1"),
        ("map_tiles", "/tiles/{z}/{y}/{x}.mvt"),
    ],
)
def test_a_setting_is_taken_as_it_is_given(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"DAMS_{name.upper()}", value)
    assert getattr(Settings(), name) == value


DATABASE = "must be postgresql://… or sqlite:///…"
REDIS = (
    "must be redis://…, rediss://…, unix://…, redis+sentinel://…/service or redis+cluster://…,"
    " with a port of at most 65535 and redis-py's options"
)
TILES = "must be https://… or a path of ours, with {z}, {x} and {y} and without blanks"
TOKEN = "must be of ASCII characters without blanks, because it is sent in a header"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("database_url", "foo", DATABASE),
        ("database_url", "mysql://db.example.org/dams", DATABASE),
        ("database_url", "postgresql+psycopg2://db.example.org/dams", DATABASE),
        ("database_url", "postgresql://db.example.org:port/dams", DATABASE),
        ("database_url", "postgresql://db.example.org:99999/dams", "the port must be at most 65535"),
        ("redis_url", "localhost:6379", REDIS),
        ("redis_url", "http://localhost:6379", REDIS),
        ("redis_url", "redis://localhost:99999", REDIS),
        ("admin_token", "correct horse battery staple", TOKEN),
        ("admin_token", "ein-Schlüssel-zu-allen-Dämmen", TOKEN),
        ("map_tiles", "https://tiles.example.org/{z}/{x}.png", TILES),
        ("map_tiles", "tiles.example.org/{z}/{x}/{y}.png", TILES),
        ("map_tiles", "https://a.example.org; script-src *;/{z}/{x}/{y}", TILES),
        ("admin_token", "too-short", "String should have at least 20 characters"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_one_sentence(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DAMS_{name.upper()}", value)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    (problem,) = refusal.value.errors()
    assert problem["loc"] == (name,)
    assert problem["msg"].removeprefix("Value error, ") == message
