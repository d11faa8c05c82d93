"""Measures queries and adds, ours and those of others, and prints Markdown. README.md tells what and how.

python -m bench.queries.run [--only dams,mercurius] [--workloads page-100,add] [--rounds 7]
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path

from bench.install import MADE, NotInstalled, python_with
from bench.process import CORES
from bench.queries import client
from bench.queries.client import MeasurementFailed
from bench.queries.growth import Growth, growth_medians, growth_table, measure_growth
from bench.queries.inventories import DurablePostgres, Inventories
from bench.queries.measure import Measurement, measure, measure_walk, require_same_answers
from bench.queries.report import bar_medians, middle, tables
from bench.queries.servers import LOCK, SERVERS, QueryServer
from bench.queries.workloads import BY_NAME, VARIANTS, WORKLOADS, Workload
from bench.report import conditions
from tests.services import running

WALK = "walk"
Measured = dict[tuple[str, str], list[Measurement]]
Measure = Callable[[QueryServer], Measurement]


class Bench:
    """Servers that are up, and what was measured of them."""

    def __init__(self, options: argparse.Namespace, postgres: DurablePostgres) -> None:
        self._options, self._postgres = options, postgres
        engines = {SERVERS[name].engine for name in options.only} | ({"postgresql"} if options.growth else set())
        progress("loading the national inventory")
        self._inventories = Inventories(postgres, engines=engines)
        self.results: Measured = {}
        self.remarks: dict[str, None] = {}

    def reads(self, names: list[str]) -> None:
        """All servers on one database."""
        urls = {name: self._inventories.url(SERVERS[name].engine) for name in self._options.only}
        with self._started(urls) as servers:
            for name in names:
                if name == WALK:
                    self._take_turns(name, servers, lambda server: measure_walk(server, self._postgres))
                else:
                    self._measure(BY_NAME[name], servers)

    def writes(self, names: list[str]) -> None:
        """Each on a copy of its own, for each workload anew."""
        for name in names:
            urls = {
                server: self._inventories.copy(SERVERS[server].engine, f"{name}-{server}")
                for server in self._options.only
            }
            with self._started(urls) as servers:
                self._measure(BY_NAME[name], servers)

    def growth(self) -> Growth:
        """Of our server alone."""
        options = self._options
        if not options.growth:
            return {}
        return measure_growth(
            self._inventories, self._postgres, options.growth, options.rounds, options.seconds, progress
        )

    @contextmanager
    def _started(self, urls: dict[str, str]) -> Iterator[dict[str, QueryServer]]:
        with ExitStack() as stack:
            servers = {}
            for name, url in urls.items():
                try:
                    servers[name] = stack.enter_context(running(SERVERS[name](url)))
                except NotInstalled as problem:
                    self.remarks[f"{name} is left out, it could not be installed: {problem}."] = None
            yield servers

    def _measure(self, workload: Workload, servers: dict[str, QueryServer]) -> None:
        if not workload.writes:
            try:
                require_same_answers(servers, workload)
            except MeasurementFailed as problem:
                self.remarks[f"{problem}."] = None
            for server in servers.values():  # what is asked again and again has been asked before
                with suppress(MeasurementFailed):  # which its rounds tell
                    client.ask_all(server.port, islice(workload.requests(server.schema), VARIANTS))
        seconds = self._options.seconds * (4 if workload.writes else 1)
        self._take_turns(workload.name, servers, lambda server: measure(server, self._postgres, workload, seconds))

    def _take_turns(self, name: str, servers: dict[str, QueryServer], measure_one: Measure) -> None:
        """Once to warm up, then round by round."""
        for round_number in range(self._options.rounds + 1):
            for server_name, server in servers.items():
                try:
                    measurement = measure_one(server)
                except (MeasurementFailed, TimeoutError, OSError) as problem:
                    self.remarks[f"{server_name}, {name}: {problem or 'it took too long'}."] = None
                    continue
                if round_number:
                    self.results.setdefault((name, server_name), []).append(measurement)
        for server_name in servers:
            if cpu := middle(self.results.get((name, server_name)), lambda each: each.cpu):
                progress(f"{name}, {server_name}: {cpu:,.0f} µs a request")


def main() -> None:
    options = parse_options()
    if len(CORES) < 2:
        sys.exit("The server and the client each need a core of their own; this machine has one.")
    os.sched_setaffinity(0, CORES[:1])  # and with it the client and PostgreSQL
    with running(DurablePostgres()) as postgres:
        bench = Bench(options, postgres)
        writing = {workload.name for workload in WORKLOADS if workload.writes}
        bench.reads([name for name in options.workloads if name not in writing])
        bench.writes([name for name in options.workloads if name in writing])
        growth = bench.growth()
    waited = [each.waited for each in chain.from_iterable([*bench.results.values(), *growth.values()])]
    for line in [*conditions(options.rounds, waited), "", *tables(bench.results)]:
        print(line)
    if growth:
        for line in ["", "CPU of the server and of PostgreSQL a request as the inventory grows, in µs:", ""]:
            print(line)
        print(*growth_table(growth), sep="\n")
    print("", *(f"- {remark}" for remark in bench.remarks), sep="\n")
    if bench.results:
        plot(bar_medians(bench.results), options.plots / "queries.svg")
    if growth:
        plot(growth_medians(growth), options.plots / "growth.svg")


def plot(medians: Mapping[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = MADE / "queries" / f"{path.stem}.json"
    data.write_text(json.dumps(medians, indent=1))
    subprocess.run([python_with(LOCK), Path(__file__).with_name("plot.py"), data, path], check=True)


def parse_options() -> argparse.Namespace:
    names = [*(workload.name for workload in WORKLOADS), WALK]
    parser = argparse.ArgumentParser(prog="bench-queries", description="Measures queries and adds.")
    parser.add_argument(
        "--only", type=some_of(list(SERVERS)), default=list(SERVERS), help=f"some of {','.join(SERVERS)}"
    )
    parser.add_argument("--workloads", type=some_of(names), default=names, help=f"some of {','.join(names)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement; adds take four times as long")
    parser.add_argument("--growth", type=numbers, default=[10_000, 100_000, 1_000_000], help="dams; empty for none")
    parser.add_argument("--plots", type=Path, default=MADE / "queries", help="folder of the plots")
    return parser.parse_args()


def some_of(known: list[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name for name in text.split(",") if name]
        if unknown := set(found) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
        return found

    return names


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
