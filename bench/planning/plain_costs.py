"""What an update costs with nothing but its kernels: from settings and the members' facts alone.

The constants were fitted to bench.training.run.run on one core of an AVX2 server that did other
work besides, over the five architectures, hidden sizes 32 to 256, lengths 50 to 200, batches 16 to
64, depths 10 to 100, both dtypes and layer_norm.

Legend: T time steps, B batch, H hidden units, G gates, L layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import discovery
from bench.planning.measured import measured
from bench.records import MemberSpec

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


SITES = {"preactivation", "state", "feedback", "skip"}
"""Where something is inserted there, autograd sees every time step."""


@dataclass(frozen=True)
class Size:
    """What the costs depend on."""

    is_sequence: bool
    time: int
    features: int
    hidden: int
    gates: int
    layers: int
    is_stepwise: bool  # no kernel runs the whole: autograd sees every layer and time step
    pays_for_steps: bool  # and nobody has measured what that costs with this mitigation
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


def inputs_of(architecture: str) -> str:
    inputs: str = discovery.member("architecture", architecture).facts.get("inputs", "sequence")
    return inputs


def _needs(mitigation: str) -> set[str]:
    return set(discovery.member("mitigation", mitigation).facts.get("needs", ()))


def size_of(task: MemberSpec, architecture: MemberSpec, mitigation: Sequence[MemberSpec]) -> Size:
    facts = discovery.member("architecture", architecture.name).facts
    settings, inputs = architecture.settings, inputs_of(architecture.name)
    inserted = [each.name for each in mitigation if SITES & _needs(each.name)]
    setting, unit = discovery.member("task", task.name).facts.get("time_steps", ("", 1))
    is_stepwise = facts.get("stepwise", False)
    return Size(
        is_sequence=inputs == "sequence",
        time=unit * whole(task.settings, setting, 1),
        features=FEATURES[inputs],
        hidden=whole(settings, "hidden_size", 64),
        gates=facts.get("gates", 1),
        layers=whole(settings, "num_layers", whole(settings, "depth", 1)),
        dispatch=1e-6 * facts.get("dispatch", 0),
        is_stepwise=is_stepwise or bool(inserted),
        pays_for_steps=is_stepwise
        or any(measured("mitigation", name, inputs) is None for name in inserted),
    )


def update_seconds(size: Size, batch: int, width: int) -> float:
    dispatch = UPDATE + size.layers * LAYER
    elements = width * ELEMENT * batch * size.gate_values
    products = width * FLOP * 6 * batch * size.time * size.parameters
    sites = size.places * size.gates * SITE + elements if size.pays_for_steps else 0.0
    dispatch += size.places * size.dispatch
    return dispatch + elements + products + PARAMETER * size.parameters + sites


def evaluation_seconds(size: Size, held_out: int, width: int) -> float:
    elements = width * ELEMENT * held_out * size.gate_values
    products = width * FLOP * 6 * held_out * size.time * size.parameters
    sites = size.places * size.gates * SITE if size.pays_for_steps else 0.0
    return FORWARD * (elements + products + sites + size.places * size.dispatch)


def peak_bytes(size: Size, batch: int, held_out: int, item: int) -> float:
    hidden = item * size.time * size.hidden  # states of one example, all steps of one layer
    if size.is_stepwise or size.dispatch:
        kept = STEPWISE_COPIES * size.layers * batch * hidden * size.gates
    else:
        kept = size.layers * min(KEPT_COPIES * batch * hidden * size.gates, KEPT_AT_MOST)
    passed = PASSED_COPIES * (size.layers - 1) * hidden if size.is_sequence else 0.0
    inputs = INPUT_BYTES * max(batch, held_out) * size.time * size.features
    weights = PARAMETER_COPIES * item * size.parameters
    return PROCESS + weights + inputs + max(kept + batch * passed, held_out * passed)


def whole(settings: Mapping[str, Any], name: str, default: int) -> int:
    return int(settings.get(name, default))
