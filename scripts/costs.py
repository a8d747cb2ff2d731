"""What an update costs with each mitigation, architecture and optimiser, beside the plain one.

    python scripts/costs.py            some minutes; writes docs/costs.json, for docs/catalogue.md
    python scripts/costs.py NAME ...   measures these again, keeps the others

Let nothing else run meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch

from bench import discovery
from bench.acceptance import costs
from bench.acceptance.small import fitting
from bench.kernels import levels
from bench.results.provenance import cpu_model

FILE = Path(__file__).parents[1] / "docs" / "costs.json"
PLAIN = {"sequence": "rnn_tanh", "vector": "mlp"}


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    known = json.loads(FILE.read_text()) if names and FILE.exists() else {}
    for kind in ("mitigation", "architecture", "optimizer"):
        found = known.setdefault(kind, {})
        for name in discovery.members(kind):
            if not names or name in names:
                found |= dict(measured(kind, name))
                print(kind, name, found.get(name), flush=True)
        known[kind] = {name: found[name] for name in discovery.members(kind) if name in found}
    known["machine"] = f"{cpu_model()}; kernels: {levels.in_words()}; one thread"
    FILE.write_text(json.dumps(known, indent=1) + "\n")


def measured(kind: str, name: str) -> Iterator[tuple[str, dict[str, object]]]:
    if kind == "optimizer":
        yield name, told(costs.of_optimizer(name), "sgd, rnn_tanh on adding")
        return
    run = next(iter(fitting(**{kind: name})), None)
    if run is None:
        return
    task, architecture = run.task.name, run.architecture.name
    if kind == "mitigation":
        cost, than = costs.of_mitigation(name, task, architecture), "none"
        yield name, told(cost, f"{than}, {architecture} on {task}")
    else:
        than = PLAIN[discovery.member(kind, name).facts["inputs"]]
        yield name, told(costs.of_architecture(name, task, than), f"{than} on {task}")


def told(cost: costs.Cost, than: str) -> dict[str, object]:
    return {key: round(value, 2) for key, value in asdict(cost).items()} | {"than": than}


if __name__ == "__main__":
    main(sys.argv[1:])
