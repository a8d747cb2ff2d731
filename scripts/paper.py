"""paper/generated from the stored runs, or, with --check, what is wrong with it: `make paper`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.execution.cores import available_cores
from bench.records import BadInput
from bench.reporting.paper.checking import problems
from bench.reporting.paper.files import GENERATED, write
from bench.reporting.paper.sources import BASELINE, Opened, named, opened_sources

PAPER = Path(__file__).parents[1] / "paper"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "stores",
        nargs="*",
        metavar="STORE",
        help=f"DIR or NAME=DIR; the first is the main one; without any, those of {BASELINE}",
    )
    parser.add_argument("--paper", type=Path, default=PAPER, help="the folder with paper.tex")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; say what is stale, unknown or typed"
    )
    options = parser.parse_args(arguments)
    try:
        with opened_sources(named(options.stores, options.paper / BASELINE.name)) as found:
            return _check(found, options.paper) if options.check else _write(found, options.paper)
    except BadInput as error:
        print(f"paper: {error}", file=sys.stderr)
        return 2


def _write(found: Opened, paper: Path) -> int:
    files = write(found.materials, paper, available_cores())
    print(f"{paper / GENERATED}: {len(files)} files")
    for alarm in found.alarms:
        print(f"paper: {alarm}", file=sys.stderr)
    for material in found.materials:
        lost = sum(not run.is_current for run in material.runs)
        if lost:
            print(f"paper: {material.name}: {lost} stored runs are not counted", file=sys.stderr)
    return 0


def _check(found: Opened, paper: Path) -> int:
    lines = [*found.alarms, *problems(found.materials, paper, available_cores())]
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
