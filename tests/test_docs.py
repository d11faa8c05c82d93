"""What exists is written down where a user looks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.app import app
from models.identity import Permission
from resolvers.inventory import CAPS
from resolvers.pagination import SORT_COLUMNS
from settings import Settings
from transport.streams.metrics import Metrics

ROOT = Path(__file__).parent.parent
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
CODE = re.compile(r"[A-Z]{7,}|(?=.{7})[A-Z]+(_[A-Z0-9]+)+")
NOT_CODES = {
    *SORT_COLUMNS,
    "AUTOCOMMIT",
    "CASCADE",
    "ROLLBACK",
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_INTERRUPT",
    "SQLITE_LOCKED",
    "JORDANELLE",
}
"""Fields of an order, words of the database, a dam."""
ROOMS = ["auth", "cli", "ingest", "models", "pubsub", "resolvers", "schema", "transport"]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`DAMS_{name.upper()}`" in DOCS["settings.md"]


@pytest.mark.parametrize("metric", [metric.name for metric in Metrics().registry.collect()])
def test_every_metric_is_documented(metric: str) -> None:
    assert re.search(rf"\| `{metric}(_total)?` \|", DOCS["metrics.md"])


@pytest.mark.parametrize("name", CAPS)
def test_every_cap_is_documented(name: str) -> None:
    assert f"| `{name}` |" in DOCS["settings.md"]


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_documented(permission: Permission) -> None:
    assert f"`{permission}`" in DOCS["access.md"]


def commands(command: Any, name: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if not children:
        yield name
    for child_name, child in (children or {}).items():
        yield from commands(child, f"{name} {child_name}")


@pytest.mark.parametrize("command", list(commands(typer.main.get_command(app), "dams")))
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"\| `{command}[ `]", DOCS["commands.md"])


def codes_in_source() -> set[str]:
    """Texts in capitals that are not something else: codes are written out wherever they are given."""
    texts = {
        node.value
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return set(filter(CODE.fullmatch, texts)) - NOT_CODES


@pytest.mark.parametrize("code", sorted(codes_in_source()))
def test_every_error_code_is_documented(code: str) -> None:
    assert f"| `{code}` |" in DOCS["errors.md"]


def test_every_documented_error_code_is_in_the_source() -> None:
    documented = set(re.findall(r"^\| `([A-Z][A-Z_0-9]+)` \|", DOCS["errors.md"], re.MULTILINE))
    assert documented - codes_in_source() == set()


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_links_of_the_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())
    assert [target for target in targets if not (path.parent / target).exists()] == []
