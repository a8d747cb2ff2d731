"""What a run will cost: rough numbers, from settings and the members' facts alone.

The order of the runs, the time left and whether a run fits into memory follow from them; within a
factor of two is enough. The constants were fitted to bench.training.run.run on one core of an
AVX-512 server (torch 2.13). Over the five architectures, hidden sizes 16 to 256, lengths 50 to 400,
batches 8 to 256, depths 10 to 200, both dtypes and layer_norm, the estimate of an update was 0.8 to
1.5 times what it took, that of an evaluation 0.8 to 1.4 times; the peak memory of a fresh process,
0.4 to 3 GB, was estimated at 0.9 to 1.3 times.

Legend: T time steps, B batch, H hidden units, G gates, L layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import discovery
from bench.records import RunSpec

UPDATE = 400e-6  # seconds for each update: data, optimiser, bookkeeping
LAYER = 130e-6  # for each layer besides: its parameters one by one
STEP = 25e-6  # for each time step of each layer, forward and backward: Python and dispatch
GATE = 32e-6  # the same, for each gate
ELEMENT = 14e-9  # for each gate value computed (T B G H L of them)
FLOP = 21e-12  # for each of the 6 operations that a multiply-add costs, forward and backward
PARAMETER = 9e-9  # for each parameter: optimiser, norms, tests for NaN
SITE = 200e-6  # for each gate and time step at which a mitigation's own module stands

FORWARD_STEP, FORWARD_ELEMENT, FORWARD_FLOP = 1 / 3, 1 / 4, 1 / 3
"""The share of an evaluation, which has no backward pass."""

PROCESS = 270e6  # bytes: Python and torch
PARAMETER_COPIES = 10  # weights, gradients, optimiser state, what is compared and temporary
TRAINING_COPIES = 6.0  # of T B G H
TRAINING_COPIES_MORE = 2.4  # for each further layer of a sequence, of which less is kept
STEPWISE_COPIES = 8.0  # where a mitigation's module makes autograd keep every step
EVALUATION_COPIES, EVALUATION_COPIES_MORE = 3.0, 1.0
INPUT_BYTES = 16  # for each number of a batch: float64 as generated, then cast

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
    has_sites: bool

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


def memory_available() -> int:
    """Bytes that a new process could use on this machine now."""
    import psutil

    return int(psutil.virtual_memory().available)


def gigabytes(size: float) -> str:
    """ "0.27 GB", "2.7 GB", "270 GB" """
    return f"{size / 1e9:.2g} GB" if size < 1e11 else f"{size / 1e9:,.0f} GB"


def _size(spec: RunSpec) -> _Size:
    facts = discovery.member("architecture", spec.architecture.name).facts
    settings, inputs = spec.architecture.settings, facts.get("inputs", "sequence")
    needs = (discovery.member("mitigation", m.name).facts.get("needs", ()) for m in spec.mitigation)
    setting, unit = discovery.member("task", spec.task.name).facts.get("time_steps", ("", 1))
    return _Size(
        is_sequence=inputs == "sequence",
        time=unit * _whole(spec.task.settings, setting, 1),
        features=FEATURES[inputs],
        hidden=_whole(settings, "hidden_size", 64),
        gates=facts.get("gates", 1),
        layers=_whole(settings, "num_layers", _whole(settings, "depth", 1)),
        has_sites=any({"preactivation", "state"} & set(need) for need in needs),
    )


def _update_seconds(size: _Size, batch: int, width: int) -> float:
    dispatch = UPDATE + size.layers * LAYER + size.places * (STEP + size.gates * GATE)
    elements = width * ELEMENT * batch * size.gate_values
    products = width * FLOP * 6 * batch * size.time * size.parameters
    sites = size.places * size.gates * SITE + elements if size.has_sites else 0.0
    return dispatch + elements + products + PARAMETER * size.parameters + sites


def _evaluation_seconds(size: _Size, held_out: int, width: int) -> float:
    dispatch = FORWARD_STEP * size.places * (STEP + size.gates * GATE)
    if size.has_sites:
        dispatch += FORWARD_STEP * size.places * size.gates * SITE
    elements = FORWARD_ELEMENT * width * ELEMENT * held_out * size.gate_values
    products = FORWARD_FLOP * width * FLOP * 6 * held_out * size.time * size.parameters
    return dispatch + elements + products


def _bytes(size: _Size, batch: int, held_out: int, item: int) -> float:
    layer = item * size.time * size.gates * size.hidden  # of one example
    more = size.layers - 1
    copies = TRAINING_COPIES + more * (
        TRAINING_COPIES_MORE if size.is_sequence else TRAINING_COPIES
    )
    if size.has_sites:
        copies = STEPWISE_COPIES * size.layers
    training = batch * layer * copies
    evaluation = held_out * layer * (EVALUATION_COPIES + EVALUATION_COPIES_MORE * more)
    inputs = INPUT_BYTES * max(batch, held_out) * size.time * size.features
    weights = PARAMETER_COPIES * item * size.parameters
    return PROCESS + weights + inputs + max(training, evaluation)


def _whole(settings: Mapping[str, Any], name: str, default: int) -> int:
    return int(settings.get(name, default))
