"""Packs the current runs of a store into a folder that is kept with the code.

    python scripts/baseline.py results/paper_small paper/baseline/main
    python scripts/baseline.py results/phenomenon paper/baseline/phenomenon --with-curves

Everything that reads stores reads the packed one: `bench report results/mine paper/baseline`
compares with all of them. Refused where a run is damaged, stale or failed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from bench.paths import CONF
from bench.records import BadInput
from bench.results.checking import check
from bench.results.opening import unreadable
from bench.results.packing import Packed, pack
from bench.results.staleness import not_current
from bench.results.store import Store


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path, metavar="STORE", help="a folder with results.sqlite")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the packed one is put")
    parser.add_argument(
        "--with-curves",
        action="store_true",
        help="curves and gradient flow too: 3 KB a run instead of 130 bytes",
    )
    parser.add_argument(
        "--only-current",
        action="store_true",
        help="leave stale and failed runs behind, where nothing asks for them any more",
    )
    options = parser.parse_args(arguments)
    try:
        packed = _pack(options.store, options.folder, options.with_curves, options.only_current)
    except BadInput as error:
        print(f"baseline: {error}", file=sys.stderr)
        return 2
    print(*packed, sep="\n")
    return 0


def _pack(source: Path, folder: Path, with_curves: bool, only_current: bool) -> list[str]:
    """What was done, in lines."""
    for finding in check(source).findings:
        raise unreadable(source, finding.problem, finding.run_id)
    with Store(source) as store:
        store.freeze()
        problem = not_current(store)
        if problem and not only_current:
            raise BadInput(
                f"{source}: {problem}; run them again: {_command(source)}; "
                "or leave them behind, if nothing asks for them: --only-current"
            )
        packed = pack(store, folder, with_tables=with_curves)
    return [_in_words(packed), *([f"left behind: {problem}"] if problem else [])]


def _command(source: Path) -> str:
    """What makes the runs of a store that are not current anew; the others it leaves alone."""
    name = source.resolve().name
    if not (CONF / "experiment" / f"{name}.yaml").exists():
        return f"the command that made them, with results={shlex.quote(str(source))}"
    is_usual = source.resolve() == (Path("results") / name).resolve()
    where = "" if is_usual else f" results={shlex.quote(str(source))}"
    return f"bench run experiment={name}{where}"


def _in_words(packed: Packed) -> str:
    left_out = packed.num_without_tables
    return (
        f"{packed.file}: {packed.num_runs} runs in {packed.num_bytes} bytes "
        f"({packed.num_bytes / packed.num_runs:.0f} a run), "
        + (f"{left_out} of them without their curves" if left_out else "with their curves")
    )


if __name__ == "__main__":
    sys.exit(main())
