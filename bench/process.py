"""What the kernel knows of a process: time on and off its core, and memory that is its own."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[-1]
"""For the server alone; the client, Redis and whoever adds have the first."""

SETTLE_POLL_S = 0.2
SETTLE_TIMEOUT_S = 60.0
IDLE_SHARE = 0.05
"""Of a core, below which a server counts as idle: the pings of 10,000 sockets go on."""


def cpu_ns(pid: int) -> int:
    """Of all its threads, those that have ended included: clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def cpu_of_all_ns(processes: Sequence[int]) -> int:
    """Of a process, which comes first, and its children, those that have ended included (to 10 ms each)."""
    ended = sum(map(int, Path(f"/proc/{processes[0]}/stat").read_text().rpartition(")")[2].split()[13:15]))
    return sum(map(cpu_ns, processes)) + ended * 10**9 // os.sysconf("SC_CLK_TCK")


def waited_ns(pid: int) -> int:
    """How long its main thread was ready to run and did not get its core."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])


def own_memory(pid: int) -> int:
    """Bytes that no other process shares. What the kernel holds for sockets is not among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024


def settle(pid: int) -> None:
    """Returns when the process has become idle."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    before = cpu_ns(pid)
    while time.monotonic() < deadline:
        time.sleep(SETTLE_POLL_S)
        now = cpu_ns(pid)
        if now - before < IDLE_SHARE * SETTLE_POLL_S * 1e9:
            return
        before = now
