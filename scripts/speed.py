"""How fast the suite is: every goal as a ratio measured in one run, against sgemm and its peers.

    python scripts/speed.py            about ten minutes; writes docs/performance.md and its plot
    python scripts/speed.py --quick    under 50 seconds; prints, writes nothing
    python scripts/speed.py --json     the measurements as JSON on standard output

Let nothing else run meanwhile. JAX is compared where `make peers` has made an environment for it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by torch's libraries when they load
sys.path.insert(0, str(Path(__file__).parent))

import torch
from speed_parts import grids, growth, layers, waste
from speed_parts.measuring import Measurement
from speed_parts.peers import find_peer
from speed_parts.writing import Growth, in_words, write

from bench.machine import keep_freed_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as a worker does
    measured, grown = [], Growth()
    try:
        for measurement in quick() if options.quick else full(grown):
            measured.append(measurement)
            where = sys.stderr if options.json else sys.stdout
            print(in_words(measurement), file=where, flush=True)
    finally:  # what was measured is written, whatever happens to the rest
        if not options.quick:
            write(measured, grown)
    if options.json:
        rows = [dataclasses.asdict(m) | {"holds": m.holds} for m in measured]
        print(json.dumps(rows, indent=1))


def quick() -> Iterator[Measurement]:
    for name in layers.CELLS:
        for hidden in (64, 128):
            yield from layers.recurrent(name, 200, hidden, rounds=5, peer=None)
    yield from layers.deep(rounds=5)
    yield from waste.shares(waste.CELLS[:2])
    yield waste.fixed_cost(runs=60)
    yield from waste.commands(rounds=2)
    yield growth.planning(20_000)


def full(grown: Growth) -> Iterator[Measurement]:
    peer = find_peer()
    try:
        for name in layers.CELLS:
            for steps in (200, 1000):
                for hidden in (64, 128, 256):
                    asked = peer if steps == 200 else None  # its time grows as ours
                    yield from layers.recurrent(name, steps, hidden, rounds=5, peer=asked)
    finally:
        if peer is not None:
            peer.close()
    yield from layers.deep(rounds=5)
    yield from grids.grid(seeds=4, steps=300)
    yield from waste.shares()
    yield waste.fixed_cost(runs=400)
    yield from waste.occupancy(runs=24, steps=700, mirrored=True)
    yield from waste.commands(rounds=5)
    grown.time = list(
        growth.in_time(
            {
                "length": [100, 200, 400, 800, 1600, 3200],
                "hidden_size": [32, 64, 128, 256, 512],
                "batch_size": [8, 16, 32, 64, 128, 256],
            },
            rounds=3,
        )
    )
    yield from growth.exponents(grown.time)
    grown.memory = list(growth.memory([1000, 2000, 4000, 8000, 16000, 32000]))
    yield growth.memory_share(grown.memory)
    yield growth.long_sequence()
    yield growth.planning(100_000)
    yield from growth.stores(10_000)


if __name__ == "__main__":
    main()
