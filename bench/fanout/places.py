"""Where the programs of this benchmark are."""

from pathlib import Path

from bench.install import MADE

HERE = Path(__file__).parent
CLIENT = MADE / "fanout" / "client"
FLOOR = MADE / "fanout" / "floor"
PEERS = HERE / "peers"
NODE_PEER = PEERS / "node"
LOCK = HERE / "requirements.lock"
FRAMES = HERE / "frames.h"
