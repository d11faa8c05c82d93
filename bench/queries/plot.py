"""Draws what was measured. Runs where matplotlib is: python plot.py MEDIANS.json PLOT.svg

MEDIANS.json is either {"title", "servers": [...], "workloads": {workload: {server: µs}}}, drawn as bars,
or {"curves": {who: {workload: [[rows, µs]...]}}}, drawn as curves.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "dams"  # the same numbers give the same file
mpl.rcParams["svg.fonttype"] = "none"  # text stays text

from matplotlib import pyplot as plt  # noqa: E402

BAR = 0.8


def draw_bars(data: dict, path: Path) -> None:
    servers, workloads = data["servers"], data["workloads"]
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
    width = BAR / len(servers)
    for number, server in enumerate(servers):
        places = [place - BAR / 2 + width * (number + 0.5) for place in range(len(workloads))]
        heights = [cpu.get(server, 0) / 1e3 for cpu in workloads.values()]
        axes.bar(places, heights, width, label=server)
    axes.set_yscale("log")
    axes.set_xticks(range(len(workloads)), list(workloads))
    axes.set_ylabel("CPU of the server, ms a request")
    axes.set_title(data["title"], fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(ncols=len(servers), fontsize=8, loc="outside lower center")
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


def draw_curves(data: dict, path: Path) -> None:
    figure, panels = plt.subplots(1, len(data["curves"]), figsize=(11, 4), sharey=True, layout="constrained")
    for axes, (who, workloads) in zip(panels, data["curves"].items(), strict=True):
        for workload, points in workloads.items():
            rows, cpu = zip(*points, strict=True)
            axes.plot(rows, [each / 1e3 for each in cpu], marker="o", label=workload)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(f"CPU of {who}, ms a request", fontsize=10)
        axes.set_xlabel("dams")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    (draw_curves if "curves" in found else draw_bars)(found, Path(sys.argv[2]))
