"""Programs in Node, with the packages of web/."""

import asyncio
import os
import shlex
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parent.parent


async def told_by(script: str, *arguments: str, timeout_s: float) -> Any:
    """The JSON that `tests/clients/<script>.mjs` prints."""
    command = ["node", str(ROOT / f"tests/clients/{script}.mjs"), *arguments]
    process = await asyncio.create_subprocess_exec(
        # By way of npm, because that script knows where a Node is.
        *(str(ROOT / "scripts/npm"), "exec", "--offline", "--call", shlex.join(command)),
        env=os.environ | {"npm_config_update_notifier": "false"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complained = await asyncio.wait_for(process.communicate(), timeout_s)
    assert process.returncode == 0, complained.decode()
    return orjson.loads(told)
