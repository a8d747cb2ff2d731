"""What an update costs with each mitigation, architecture and optimiser, beside the plain one.

    python scripts/costs.py            some minutes; writes bench/planning/costs.json
    python scripts/costs.py NAME ...   measures these again, keeps the others

Plans are estimated from that file, and docs/catalogue.md tells what stands in it. Mitigations are
measured on a recurrent and on a feed-forward network, as far as they can act there. Let nothing
else run meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch

from bench import discovery
from bench.acceptance import costs
from bench.acceptance.small import fitting
from bench.kernels import levels
from bench.planning.measured import FILE
from bench.records import RunSpec
from bench.results.provenance import cpu_model

PLAIN = {"sequence": "rnn_tanh", "vector": "mlp"}


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    known = json.loads(FILE.read_text()) if names and FILE.exists() else {}
    for kind in ("mitigation", "architecture", "optimizer"):
        found = known.setdefault(kind, {})
        for name in discovery.members(kind):
            if not names or name in names:
                found[name] = dict(measured(kind, name))
                print(kind, name, found[name], flush=True)
        known[kind] = {name: found[name] for name in discovery.members(kind) if name in found}
    known["machine"] = f"{cpu_model()}; kernels: {levels.in_words()}; one thread"
    known["sizes"] = costs.SIZES
    FILE.write_text(json.dumps(known, indent=1) + "\n")


def measured(kind: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind of inputs, what is known of the cost there)"""
    if kind == "optimizer":
        yield "sequence", told(costs.of_optimizer(name), "adding", "rnn_tanh", "rnn_tanh")
        return
    for inputs, run in firsts(kind, name).items():
        task, architecture = run.task.name, run.architecture.name
        if kind == "mitigation":
            cost, plain = costs.of_mitigation(name, task, architecture), architecture
        else:
            plain = PLAIN[inputs]
            cost = costs.of_architecture(name, task, plain)
        yield inputs, told(cost, task, architecture, plain)


def firsts(kind: str, name: str) -> dict[str, RunSpec]:
    """Kind of inputs -> the first run there that the member fits."""
    found: dict[str, RunSpec] = {}
    for run in fitting(**{kind: name}):
        inputs = discovery.member("architecture", run.architecture.name).facts["inputs"]
        found.setdefault(inputs, run)
    return found


def told(cost: costs.Cost, task: str, architecture: str, plain: str) -> dict[str, Any]:
    where = {"task": task, "architecture": architecture, "plain": plain}
    return {key: round(value, 2) for key, value in asdict(cost).items()} | where


if __name__ == "__main__":
    main(sys.argv[1:])
