"""The dams command, on both engines; the errors as a shell sees them."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from gql import GraphQLRequest
from typer.testing import CliRunner

from auth import passwords
from cli.app import app
from models.database import Database
from models.errors import BadUserInput
from resolvers.inventory import read_inventory, set_cap
from schema import schema
from tests.conftest import Place, Serve, until
from tests.services import Postgres, free_port
from tests.shared import opened

Run = Callable[..., str]
DAMS = Path(sys.executable).with_name("dams")
TWO_DAMS = """name,owner,river,date_built,latitude,longitude
Deer Creek,Reclamation,Provo River,1941,40.4066,-111.5266
Jordanelle,Reclamation,Provo River,"April 12, 1993",40.5966,-111.4233
"""


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's database; what it prints."""
    monkeypatch.setenv("DAMS_DATABASE_URL", place.url)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DAMS, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False)


def test_caps_are_read_and_set(run: Run) -> None:
    assert run("settings", "get", "max_dams") == "0\n"
    run("settings", "set", "max_dams", "100")
    assert run("settings", "get", "max_dams") == "100\n"


async def test_a_cap_that_is_set_applies_at_once_to_a_running_server(
    place: Place, serve: Serve, database: Database
) -> None:
    async with serve() as server:
        await set_cap(database, "max_dams", 7)
        assert await server.query("{ inventory { maxDams remaining } }", token=None) == {
            "inventory": {"maxDams": 7, "remaining": 7}
        }


def test_a_password_is_a_line_of_standard_input_and_never_an_argument(
    run: Run, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    run("user", "add", "ada", "--group", "reader")
    password = " correct horse, battery "  # whose blanks count
    result = CliRunner().invoke(app, ["user", "password", "ada"], input=f"{password}\n")
    assert (result.exit_code, result.output) == (0, "ada can sign in.\n")

    async def sign_in(tried: str) -> passwords.Session:
        async with opened(place.url) as database:
            return await passwords.sign_in(database, "ada", tried, timedelta(hours=1))

    assert asyncio.run(sign_in(password)).token.startswith("dams_")
    with pytest.raises(BadUserInput, match="wrong"):
        asyncio.run(sign_in(password.strip()))
    assert CliRunner().invoke(app, ["user", "password", "ada", password]).exit_code == 2


def test_users_and_tokens_are_made_listed_and_revoked(run: Run) -> None:
    run("user", "add", "ada", "--group", "contributor", "--quota", "3")
    token = run("token", "create", "ada", "--name", "laptop", "--scope", "view_dams", "--days", "90")
    assert re.fullmatch(r"dams_[\w-]{43}\n", token)
    assert re.search(r"ada +│ contributor +│ 3 ", run("user", "list"))
    run("user", "quota", "ada")
    assert re.search(r"ada +│ contributor +│ inventory's ", run("user", "list"))
    assert run("user", "groups", "ada", "--group", "reader", "--group", "admin") == "ada is in reader, admin.\n"
    assert run("user", "disable", "ada") == "ada is disabled.\n"
    assert re.search(r"ada +│ admin, reader +│ inventory's +│ yes", run("user", "list"))
    assert run("user", "enable", "ada") == "ada is enabled.\n"
    assert run("user", "groups", "ada") == "ada is in no group.\n"
    assert re.search(r"ada +│ +│ inventory's +│ +│", run("user", "list"))
    listed = run("token", "list")
    assert re.search(r"ada +│ laptop +│ view_dams ", listed)
    assert token.strip() not in listed
    assert "Revoked laptop of ada." in run("token", "revoke", "ada", "--name", "laptop")


def test_names_are_printed_as_they_are(run: Run) -> None:
    assert "Added a[/b]:smile:." in run("user", "add", "a[/b]:smile:", "--group", "reader")
    assert "a[/b]:smile: │" in run("user", "list")


def test_a_file_is_imported_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_text(TWO_DAMS)
    assert run("import", "--dry-run", str(file)).endswith("2 would be added, 0 unchanged, 0 refused of 2 read.\n")
    assert run("import", str(file)).endswith("2 added, 0 unchanged, 0 refused of 2 read.\n")
    assert run("import", str(file)).endswith("0 added, 2 unchanged, 0 refused of 2 read.\n")


def test_refused_rows_and_columns_that_are_not_read_are_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("name,latitude,longitude,heigth_ft\nNowhere,,,5\n")
    printed = run("import", str(file))
    assert "Columns that are not read: heigth_ft" in printed
    assert re.search(r"Refused line 2: .*[Ll]ocation", printed)


def test_the_dams_of_geojson_are_counted_in_features(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.geojson"
    file.write_text(
        '{"type": "FeatureCollection",'
        ' "features": ["a dam", {"type": "Feature", "geometry": null, "properties": {"name": "Nowhere"}}]}'
    )
    printed = run("import", str(file))
    assert "Refused feature 1: It is not a GeoJSON Feature." in printed
    assert "Refused feature 2: Location is missing." in printed


def test_what_a_file_says_does_not_reach_the_terminal_as_commands(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "evil.csv"
    file.write_text("name,latitude,longitude,\x1b[2J\nDam,\x1b[2J[red]:smile:,1,\n")
    printed = run("import", str(file))
    assert r"not read: \x1b[2J" in printed
    assert r'Latitude "\x1b[2J[red]:smile:" is not a number.' in printed


async def test_an_import_reaches_subscribers(run: Run, serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_text(TWO_DAMS)
    async with serve() as server:
        session = await server.connect()
        cursor = (await server.query("{ inventory { eventCursor } }", token=None))["inventory"]["eventCursor"]
        document = "subscription ($after: String) { damAdded(after: $after) { name } }"
        events = session.subscribe(GraphQLRequest(document, variable_values={"after": cursor}))
        await asyncio.to_thread(run, "import", str(file))
        names = [(await anext(events))["damAdded"]["name"] for _ in range(2)]
        await events.aclose()
    assert names == ["Deer Creek", "Jordanelle"]


def test_init_makes_an_administrator_once(run: Run) -> None:
    assert re.search(r"^ {4}dams_[\w-]{43}$", run("init", "--empty"), re.MULTILINE)
    assert run("init", "--empty") == ""


def test_init_takes_the_administrators_token_from_the_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAMS_ADMIN_TOKEN", "a-token-of-my-own-choice")
    printed = run("init", "--empty")
    assert "a-token-of-my-own-choice" not in printed
    assert "belongs to the user admin" in printed


def test_check_finds_nothing_wrong_with_a_good_database(run: Run) -> None:
    assert "Everything is in order." in run("check")


def test_check_tells_of_a_lost_redis(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAMS_REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 1
    assert "Redis cannot be reached" in result.output


def test_check_tells_of_a_lost_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAMS_DATABASE_URL", f"postgresql://127.0.0.1:{free_port()}/dams")
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 1
    assert "The database cannot be reached" in result.output
    assert "sqlalche.me" not in result.output


def test_check_tells_of_a_database_that_is_not_made_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAMS_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["check"])
    assert (result.exit_code, result.output) == (1, "✗ There is no inventory yet. Run: dams init\n")
    assert list(tmp_path.iterdir()) == []


def test_check_gives_the_reason_of_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dams.sqlite3").write_text("no database, but long enough to be looked at as one" * 10)
    monkeypatch.setenv("DAMS_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 1
    assert result.output == ("✗ The database cannot be reached: file is not a database. Is DAMS_DATABASE_URL right?\n")


def test_check_tells_of_a_database_without_tables_and_postgis(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.create_database("bare")
    monkeypatch.setenv("DAMS_DATABASE_URL", postgres.url("bare"))
    result = CliRunner().invoke(app, ["check"])
    postgres.drop_database("bare")
    assert result.exit_code == 1
    assert "CREATE EXTENSION postgis" in result.output


def test_serve_refuses_a_postgresql_database_that_is_not_migrated(postgres: Postgres) -> None:
    postgres.create_database("unmigrated")
    result = shell("serve", DAMS_DATABASE_URL=postgres.url("unmigrated"))
    postgres.drop_database("unmigrated")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "There is no inventory in the database yet. Run: dams init [SETUP_REQUIRED]\n"


def test_the_schema_is_printed(run: Run) -> None:
    assert run("schema") == schema.as_str() + "\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "error"),
    [
        (["token", "list"], {}, "There is no inventory yet. Run: dams init [SETUP_REQUIRED]"),
        (["import", "no\x1b[2J.csv"], {}, r"no\x1b[2J.csv cannot be read"),
        (["serve"], {"DAMS_REDIS_URL": "localhost:6379"}, "DAMS_REDIS_URL: must be redis://…"),
        (["serve"], {"DAMS_ALLOWED_ORIGINS": "https://example.org"}, "allowed_origins"),
        (["serve"], {"DAMS_PORT": "99999"}, "DAMS_PORT: Input should be less than or equal to 65535"),
        (
            ["serve"],
            {"DAMS_WORKERS": "2"},
            "several workers hear of each other's dams through Redis: set DAMS_REDIS_URL",
        ),
        (["import", "no-such-file.csv"], {}, "[UNREADABLE]"),
    ],
    ids=["no inventory", "escape", "bad Redis", "no JSON", "bad port", "workers without Redis", "no file"],
)
def test_an_expected_failure_is_one_sentence(
    arguments: list[str], environment: dict[str, str], error: str, tmp_path: Path
) -> None:
    result = shell(*arguments, **environment, DAMS_DATA_DIR=str(tmp_path / "none"))
    assert result.returncode == 1
    assert error in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["user", "add", "ada", "--group", "nobles"], 'There is no group "nobles".'),
        (["token", "create", "nobody", "--name", "x"], 'There is no user "nobody".'),
        (["token", "revoke", "nobody", "--name", "x"], 'nobody has no token "x" in force.'),
        (["user", "quota", "nobody", "3"], 'There is no user "nobody".'),
        (["user", "groups", "nobody"], 'There is no user "nobody".'),
        (["user", "disable", "nobody"], 'There is no user "nobody".'),
        (["user", "password", "nobody"], "A password has from 12 to 1,000 characters, not 0."),
        (["user", "add", " ", "--group", "admin"], "The name is blank."),
        (["user", "add", "ada\x1b[2J", "--group", "admin"], "The name contains control characters"),
        (["token", "create", "ada", "--name", ""], "The name is blank."),
        (["settings", "set", "max_dams", "9999999999"], "max_dams must be from 0 (no limit) to 2147483647"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
async def test_a_wrong_argument_is_named(arguments: list[str], error: str, database: Database, run: Run) -> None:
    with pytest.raises(BadUserInput) as raised:
        await asyncio.to_thread(run, *arguments)
    assert str(raised.value).startswith(error)
    assert (await read_inventory(database)).max_dams == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["settings", "get", "speed"], "none of max_dams"),
        (["settings", "set", "speed", "1"], "none of max_dams"),
        (["token", "create", "ada", "--name", "x", "--days", "99999999"], "36500"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_an_argument_that_cannot_be_is_told_before_the_database_is_opened(
    arguments: list[str], error: str, tmp_path: Path
) -> None:
    result = shell(*arguments, DAMS_DATA_DIR=str(tmp_path / "none"))
    assert result.returncode == 2
    assert error in result.stderr


async def test_serve_makes_an_embedded_database_by_itself(tmp_path: Path) -> None:
    port = free_port()
    environment = {"DAMS_DATA_DIR": str(tmp_path / "new"), "DAMS_PORT": str(port)}
    server = await asyncio.create_subprocess_exec(DAMS, "serve", env=os.environ | environment)

    async def answer() -> httpx.Response | None:
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient() as client:
                return await client.get(f"http://127.0.0.1:{port}/readyz")
        return None

    try:
        assert (await until(answer)).json()["status"] == "ok"
    finally:
        server.terminate()
        await server.wait()
