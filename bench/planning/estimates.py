"""What a run will cost: rough numbers, from settings and the members' facts alone.

The order of the runs, the time left and whether a run fits into memory follow from them; within a
factor of two is enough. The constants were fitted to bench.training.run.run on one core of an AVX2
server that did other work besides, over the five architectures, hidden sizes 32 to 256, lengths 50
to 200, batches 16 to 64, depths 10 to 100, both dtypes and layer_norm.

Legend: T time steps, B batch, H hidden units, G gates, L layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import discovery
from bench.records import RunSpec

UPDATE = 150e-6  # seconds for each update: data, optimiser, bookkeeping
LAYER = 60e-6  # for each layer besides: its parameters one by one
ELEMENT = 2.5e-9  # for each gate value computed (T B G H L of them)
FLOP = 14e-12  # for each of the 6 operations that a multiply-add costs, forward and backward
PARAMETER = 3e-9  # for each parameter: optimiser, norms, tests for NaN
SITE = 250e-6  # for each gate, layer and time step where autograd sees them one by one

FORWARD = 1 / 3
"""The share of an evaluation, which has no backward pass."""

PROCESS = 270e6  # bytes: Python and torch
PARAMETER_COPIES = 10  # weights, gradients, optimiser state, what is compared and temporary
KEPT_COPIES = 1.8  # of T B G H in each layer, for the backward pass ...
KEPT_AT_MOST = 270e6  # ... until a sequence is cut in segments
PASSED_COPIES = 2.0  # of T B H between two layers: states and dL/dh
STEPWISE_COPIES = 8.0  # of T B G H where there is no kernel to cut it in segments
INPUT_BYTES = 16  # for each number of a batch: as generated, then cast

FEATURES = {"sequence": 8, "vector": 64}


@dataclass(frozen=True)
class Estimate:
    """Of one run to the end of its budget: many end earlier, when they diverge."""

    seconds: float
    bytes: int  # peak memory of the process


@dataclass(frozen=True)
class _Size:
    """What the costs depend on."""

    is_sequence: bool
    time: int
    features: int
    hidden: int
    gates: int
    layers: int
    is_stepwise: bool  # no kernel runs the whole: autograd sees every layer and time step
    dispatch: float  # seconds of Python for each time step of a layer, seen by autograd or not

    @property
    def places(self) -> int:
        """Time steps of all layers together."""
        return self.time * self.layers

    @property
    def gate_values(self) -> int:
        """Computed for one example."""
        return self.places * self.gates * self.hidden

    @property
    def parameters(self) -> int:
        inputs = self.features + self.hidden * (self.layers - 1)
        recurrent = self.hidden * self.layers if self.is_sequence else 0
        return self.gates * self.hidden * (inputs + recurrent)


def estimate(spec: RunSpec) -> Estimate:
    """Seconds on one core, and bytes, of the run of `spec`."""
    size, task = _size(spec), spec.task.settings
    batch, held_out = _whole(task, "batch_size", 32), _whole(task, "evaluation_size", 256)
    width = 2 if spec.dtype == "float64" else 1
    # The first evaluations come at 1, 2, 5, 10, 20, 50, ...; two more at the start and the end.
    early = 3 * math.log10(max(spec.steps / spec.evaluations, 1))
    evaluations = min(spec.evaluations, spec.steps) + early + 2
    seconds = spec.steps * _update_seconds(size, batch, width)
    seconds += evaluations * _evaluation_seconds(size, held_out, width)
    return Estimate(seconds, round(_bytes(size, batch, held_out, 4 * width)))


def estimates(specs: Sequence[RunSpec]) -> list[Estimate]:
    """One for each of a plan's cells; those that differ in what costs nothing share it."""
    known: dict[Any, Estimate] = {}
    found = []
    for spec in specs:
        # The cells of a plan share their members; a key of their settings would cost more.
        members = (id(spec.task), id(spec.architecture), *map(id, spec.mitigation))
        key = (*members, spec.dtype, spec.evaluations)
        if key not in known:
            known[key] = estimate(spec)
        found.append(known[key])
    return found


def gigabytes(size: float) -> str:
    """ "0.27 GB", "2.7 GB", "270 GB" """
    return f"{size / 1e9:.2g} GB" if size < 1e11 else f"{size / 1e9:,.0f} GB"


def _size(spec: RunSpec) -> _Size:
    facts = discovery.member("architecture", spec.architecture.name).facts
    settings, inputs = spec.architecture.settings, facts.get("inputs", "sequence")
    needs = (discovery.member("mitigation", m.name).facts.get("needs", ()) for m in spec.mitigation)
    sites = {"preactivation", "state", "feedback", "skip"}
    setting, unit = discovery.member("task", spec.task.name).facts.get("time_steps", ("", 1))
    return _Size(
        is_sequence=inputs == "sequence",
        time=unit * _whole(spec.task.settings, setting, 1),
        features=FEATURES[inputs],
        hidden=_whole(settings, "hidden_size", 64),
        gates=facts.get("gates", 1),
        layers=_whole(settings, "num_layers", _whole(settings, "depth", 1)),
        dispatch=1e-6 * facts.get("dispatch", 0),
        is_stepwise=facts.get("stepwise", False) or any(sites & set(need) for need in needs),
    )


def _update_seconds(size: _Size, batch: int, width: int) -> float:
    dispatch = UPDATE + size.layers * LAYER
    elements = width * ELEMENT * batch * size.gate_values
    products = width * FLOP * 6 * batch * size.time * size.parameters
    sites = size.places * size.gates * SITE + elements if size.is_stepwise else 0.0
    dispatch += size.places * size.dispatch
    return dispatch + elements + products + PARAMETER * size.parameters + sites


def _evaluation_seconds(size: _Size, held_out: int, width: int) -> float:
    elements = width * ELEMENT * held_out * size.gate_values
    products = width * FLOP * 6 * held_out * size.time * size.parameters
    sites = size.places * size.gates * SITE if size.is_stepwise else 0.0
    return FORWARD * (elements + products + sites + size.places * size.dispatch)


def _bytes(size: _Size, batch: int, held_out: int, item: int) -> float:
    hidden = item * size.time * size.hidden  # states of one example, all steps of one layer
    if size.is_stepwise or size.dispatch:
        kept = STEPWISE_COPIES * size.layers * batch * hidden * size.gates
    else:
        kept = size.layers * min(KEPT_COPIES * batch * hidden * size.gates, KEPT_AT_MOST)
    passed = PASSED_COPIES * (size.layers - 1) * hidden if size.is_sequence else 0.0
    inputs = INPUT_BYTES * max(batch, held_out) * size.time * size.features
    weights = PARAMETER_COPIES * item * size.parameters
    return PROCESS + weights + inputs + max(kept + batch * passed, held_out * passed)


def _whole(settings: Mapping[str, Any], name: str, default: int) -> int:
    return int(settings.get(name, default))
