"""Makes what the benchmark runs on: the C programs, a virtualenv for the Python peers, packages for the Node peer."""

import shutil
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MADE = ROOT / "build" / "fanout"
CLIENT = MADE / "client"
FLOOR = MADE / "floor"
PEERS = HERE / "peers"
NODE_PEER = PEERS / "node"


class NotInstalled(Exception):
    """One sentence for the report."""


def compile_c(source: Path, program: Path) -> None:
    """Raises NotInstalled."""
    sources = [source, HERE / "frames.h"]
    if program.exists() and all(program.stat().st_mtime > each.stat().st_mtime for each in sources):
        return
    if not shutil.which("cc"):
        raise NotInstalled("there is no C compiler (cc); Debian's package is gcc")
    MADE.mkdir(parents=True, exist_ok=True)
    _run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source])


@cache
def python_for_peers() -> Path:
    """The interpreter of a virtualenv with exactly what requirements.lock names. Raises NotInstalled."""
    lock, folder = HERE / "requirements.lock", MADE / "venv"
    stamp, python = folder / "installed.lock", folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        venv.create(folder, clear=True, symlinks=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", python]
        _run([*pip, "install", "--require-hashes", "--requirement", lock])
        shutil.copy(lock, stamp)
    return python


@cache
def node_for_peer() -> Path:
    """Node, that of the machine or of the lock, with the peer's packages installed. Raises NotInstalled."""
    npm = [ROOT / "scripts" / "npm", "--prefix", NODE_PEER]
    stamp, lock = NODE_PEER / "node_modules" / ".package-lock.json", NODE_PEER / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        _run([*npm, "ci", "--no-audit", "--no-fund"])
        stamp.touch()
    return Path(_run([*npm, "exec", "--call", "node --print process.execPath"]).strip().splitlines()[-1])


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotInstalled(f"{Path(command[0]).name} ended with {done.returncode}: {' '.join(reason)}")
    return done.stdout
