"""Sends to the group. Each line on standard input is a JSON array of dams; "done" is printed when all are sent."""

import asyncio
import json
import sys

import channels_layers  # noqa: F401  # before anything that reads Django's settings
from channels.layers import get_channel_layer


async def main() -> None:
    layer = get_channel_layer()
    while line := await asyncio.to_thread(sys.stdin.readline):
        for dam in json.loads(line):
            await layer.group_send("dams", {"type": "dam.added", "dam": dam})
        print("done", flush=True)


asyncio.run(main())
