"""The commands of README.md, run as they are printed, against what `make run` starts."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.conftest import until
from tests.services import free_port

ROOT = Path(__file__).parent.parent
COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def command(beginning: str, port: int) -> str:
    """The one that begins so, with the test's own port."""
    (found,) = [each for each in COMMANDS if each.startswith(beginning)]
    return str(found).replace("127.0.0.1:8000", f"127.0.0.1:{port}")


async def run(script: str, **environment: str) -> Any:
    """What the command prints, as JSON."""
    process = await asyncio.create_subprocess_shell(script, cwd=ROOT, env=os.environ | environment, stdout=PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return orjson.loads(printed)


@asynccontextmanager
async def running(script: str, **environment: str) -> AsyncIterator[Process]:
    """With all it has started, until the end of the block."""
    process = await asyncio.create_subprocess_shell(
        f"exec {script}",
        cwd=ROOT,
        env=os.environ | environment,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await process.communicate()


async def line_with(process: Process, text: str) -> str:
    """The next line printed that has the text in it."""
    assert process.stdout
    printed = []
    async with asyncio.timeout(120):
        async for line in process.stdout:
            printed.append(line.decode())
            if text in printed[-1]:
                return printed[-1].strip()
    raise AssertionError(f"{text} was not printed: {''.join(printed)}")


@asynccontextmanager
async def make_run(port: int, folder: Path) -> AsyncIterator[Process]:
    async with running(command("make run", port), DAMS_PORT=str(port), DAMS_DATA_DIR=str(folder)) as process:
        yield process


async def is_ready(port: int) -> bool:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def test_the_commands_do_what_is_said(tmp_path: Path) -> None:
    port = free_port()
    listen = command(".venv/bin/python examples/listen.py", port)
    add = command("curl -s http://127.0.0.1:8000/graphql -H 'content-type: application/json' -H", port)
    async with running(listen, DAMS_PORT=str(port)) as listener:
        async with make_run(port, tmp_path) as server:
            token = await line_with(server, "dams_")
            await until(lambda: is_ready(port), timeout_s=120)

            query = command("curl -s http://127.0.0.1:8000/graphql -H 'content-type: application/json' -d", port)
            found = (await run(query))["data"]["dams"]
            assert found["totalCount"] > 800
            assert len(found["nodes"]) == 5

            await line_with(listener, "listening")
            added = await run(add, DAMS_TOKEN=token)
            assert added["data"]["addDam"]["errors"] == []
            await line_with(listener, "Sample Dam on Provo River, by Other")

        await line_with(listener, "reconnecting")
        async with make_run(port, tmp_path):
            await until(lambda: is_ready(port), timeout_s=120)
            await run(add.replace("Sample Dam", "Another Dam"), DAMS_TOKEN=token)
            await line_with(listener, "Another Dam on Provo River, by Other")
