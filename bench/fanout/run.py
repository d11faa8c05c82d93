"""Measures subscription fan-out, ours and that of others, and prints Markdown. README.md tells what and how.

python -m bench.fanout.run [--n 100,1000,5000,10000] [--only floor,dams] [--rounds 3]
"""

import argparse
import os
import resource
import sys
from itertools import chain

from bench.fanout.filters import deciding
from bench.fanout.measure import Measurement, Run
from bench.fanout.places import CLIENT, FRAMES, HERE
from bench.fanout.report import tables
from bench.fanout.servers import SERVERS
from bench.fanout.subscribers import MeasurementFailed
from bench.install import NotInstalled, compile_c
from bench.process import CORES
from bench.report import conditions
from tests.services import Redis, running


def main() -> None:
    options = parse_options()
    if len(CORES) < 2:
        sys.exit("The server and the client each need a core of their own; this machine has one.")
    os.sched_setaffinity(0, CORES[:1])  # and with it the client, Redis and whoever adds
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))
    try:
        compile_c(CLIENT, [HERE / "client.c", FRAMES])
    except NotInstalled as problem:
        sys.exit(f"The client cannot be built: {problem}.")
    with running(Redis()) as redis:
        results, remarks = measure_all(options, redis)
    waited = [each.waited for each in chain.from_iterable(results.values())]
    report = [
        *conditions(options.rounds, waited),
        "",
        *tables(results),
        deciding(),
        "",
        *(f"- {each}" for each in remarks),
    ]
    print("\n".join(report))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-fanout", description="Measures subscription fan-out.")
    parser.add_argument("--n", type=numbers, default=[100, 1_000, 5_000, 10_000], help="numbers of subscribers")
    parser.add_argument("--only", type=server_names, default=list(SERVERS), help=f"some of {','.join(SERVERS)}")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def server_names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - SERVERS.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return names


def measure_all(
    options: argparse.Namespace, redis: Redis
) -> tuple[dict[tuple[int, str], list[Measurement]], list[str]]:
    """Round by round, in each number by number, and for each all servers one after the other."""
    results: dict[tuple[int, str], list[Measurement]] = {}
    remarks: dict[str, None] = {}
    missing: set[str] = set()
    for round_number in range(1, options.rounds + 1):
        for subscribers in options.n:
            for name in options.only:
                if name in missing:
                    continue
                try:
                    measurement = measure(name, subscribers, redis)
                except NotInstalled as problem:
                    missing.add(name)
                    remarks[f"{name} is left out, it could not be installed: {problem}."] = None
                except (MeasurementFailed, RuntimeError, OSError) as problem:
                    remarks[f"{name} with {subscribers:,} subscribers, round {round_number}: {problem}."] = None
                else:
                    results.setdefault((subscribers, name), []).append(measurement)
                    progress(round_number, subscribers, name, measurement)
    return dict(sorted(results.items(), key=lambda item: item[0][0])), list(remarks)


def measure(name: str, subscribers: int, redis: Redis) -> Measurement:
    """Of a server started for it."""
    with running(SERVERS[name](redis)) as server:
        return Run(server).measure(subscribers)


def progress(round_number: int, subscribers: int, name: str, measurement: Measurement) -> None:
    print(
        f"round {round_number}, {subscribers} subscribers, {name}: {measurement.cpu_per_message:.1f} µs a message, "
        f"waited for its core {measurement.waited:.0%} of the time",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
