"""The measurements in words, as docs/performance.md, and as a picture of growth."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch

from bench.execution.cores import available_cores
from bench.kernels import levels
from speed_parts.measuring import Measurement

DOCS = Path(__file__).parents[2] / "docs"
TITLES = {
    "layers": "The layers, forward and backward, one thread, float32",
    "grid": "A whole grid",
    "waste": "What is spent beside the training",
    "growth": "Growth",
}


@dataclass
class Growth:
    """What the plot shows."""

    time: list[tuple[str, list[int], list[float]]] = field(default_factory=list)
    memory: list[tuple[int, float, float]] = field(default_factory=list)


def in_words(measurement: Measurement) -> str:
    note = f"  ({measurement.note})" if measurement.note else ""
    verdict = {True: "ok", False: "MISSED", None: ""}[measurement.holds]
    return (
        f"{_value(measurement):>9}  {_goal(measurement):>9}  {verdict:<6}  {measurement.what}{note}"
    )


def write(measured: list[Measurement], grown: Growth) -> None:
    """docs/performance.md and docs/performance.png."""
    _plot(grown).savefig(DOCS / "performance.png", dpi=120)
    lines = [
        "# Performance",
        "",
        "Written by `python scripts/speed.py`: every figure is from one run of it, on",
        "",
        *(f"- {fact}" for fact in _machine()),
        "",
        "Ratios are medians over interleaved rounds: a slow spell of the machine falls on all that",
        "are compared. *sgemm*: torch's product of two float32 matrices 1024 x 1024, one thread.",
        "",
    ]
    for section, group in groupby(measured, key=lambda m: m.section):
        lines += [
            f"## {TITLES[section]}",
            "",
            "| what | measured | goal | |",
            "| --- | --- | --- | --- |",
        ]
        for m in group:
            verdict = {True: "holds", False: "**missed**", None: ""}[m.holds]
            what = f"{m.what} ({m.note})" if m.note else m.what
            lines.append(f"| {what} | {_value(m)} | {_goal(m)} | {verdict} |")
        lines.append("")
    lines += ["![How time and memory grow](performance.png)", ""]
    (DOCS / "performance.md").write_text("\n".join(lines))


def _machine() -> list[str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return [
        f"{model}, {available_cores()} cores, {platform.system()} {platform.machine()}",
        f"kernels {levels.in_words()}",
        f"Python {platform.python_version()}, torch {torch.__version__}",
    ]


def _value(m: Measurement) -> str:
    return f"{m.value:.3g}{' ' + m.unit if m.unit else ''}"


def _goal(m: Measurement) -> str:
    if m.goal is None:
        return ""
    return f"{'<=' if m.at_most else '>='} {m.goal:.3g}"


def _plot(grown: Growth) -> mpl.figure.Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(grown.time) + 1))
    names = {"length": "time steps T", "hidden_size": "hidden units H", "batch_size": "batch B"}
    for ax, (name, series, seconds) in zip(axes, grown.time, strict=False):
        ax.loglog(series, np.array(seconds) * 1000, "o-", color="C0")
        ax.set_xticks(series, [str(value) for value in series], minor=False)
        ax.minorticks_off()
        ax.set(xlabel=names[name], ylabel="ms an update" if ax is axes[0] else "")
    lengths, measured, least = np.array(grown.memory or [(1, 1, 1)]).T
    axes[-1].loglog(lengths, measured / 2**20, "o-", color="C0", label="measured")
    axes[-1].loglog(lengths, least / 2**20, ":", color="0.4", label="all states at once")
    axes[-1].set(xlabel="time steps T", ylabel="MiB of training")
    axes[-1].legend(frameon=False)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure
