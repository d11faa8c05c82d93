"""The `dams` command."""

import sys
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from cli import identity, inventory, server, setup  # noqa: F401  # they register their commands
from cli.app import app, visible
from ingest.reading import ImportFileError
from models.errors import DatabaseUnavailable, InventoryError


def main() -> None:
    """An expected failure is one sentence on standard error and exit code 1, not a traceback."""
    try:
        app()
    except DatabaseUnavailable as error:
        sys.exit(f"The database cannot be reached. dams check tells more. [{error.code}]")
    except (InventoryError, ImportFileError) as error:
        sys.exit(f"{visible(str(error))} [{error.code}]")
    except ValidationError as error:
        sys.exit("\n".join(_setting_problem(problem) for problem in error.errors()))
    except SettingsError as error:
        sys.exit(f"{error}: {error.__cause__}")


def _setting_problem(problem: Any) -> str:
    name = f"DAMS_{'_'.join(map(str, problem['loc'])).upper()}: " if problem["loc"] else ""
    return f"{name}{problem['msg'].removeprefix('Value error, ')}"
