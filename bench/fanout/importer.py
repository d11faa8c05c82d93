"""Imports each file that it is told of on standard input, as `dams import` does: with the cost of the import, but not
that of starting Python, during which a server with many sockets spends as much on pings."""

import asyncio
import sys
from pathlib import Path

from cli.app import ready_database
from cli.inventory import load_with_progress
from ingest.reading import open_source

DONE = "done\n"


async def main() -> None:
    async with ready_database() as database:
        print(end=DONE, flush=True)
        for line in sys.stdin:
            path = Path(line.rstrip("\n"))
            await load_with_progress(database, open_source(path), path)
            print(end=DONE, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
