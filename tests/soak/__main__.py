"""`make soak`: docs/development.md tells what it does."""

import asyncio
import sys

from tests.soak.run import soak
from tests.soak.settings import SoakSettings


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


settings = SoakSettings()
problems = asyncio.run(soak(settings, say))
for problem in problems:
    say(f"PROBLEM  {problem}")
if problems:
    sys.exit(f"Again: SOAK_SEED={settings.seed} and what else is said in the first line.")
