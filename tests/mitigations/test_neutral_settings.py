"""A mitigation set so that it cannot act leaves training as it is, to the bit."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.mitigations.workbench import Workbench, make

NEUTRAL: dict[str, dict[str, Any]] = {
    "none": {},
    "clip_norm": {"threshold": math.inf},
    "clip_value": {"threshold": math.inf},
    "autoclip": {"percentile": 100.0},
    "skip_nonfinite": {},
    "l2": {"coefficient": 0.0},
    "weight_decay": {"coefficient": 0.0},
    "max_norm": {"radius": math.inf},
    "warmup": {"updates": 1},
}


def trained(bench: Workbench, inputs: Tensor) -> dict[str, Tensor]:
    bench.train(inputs, steps=10)
    return bench.parameters


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral(name: str, architecture: str, sequence: Tensor) -> None:
    inputs = sequence[0] if architecture == "mlp" else sequence
    plain = trained(make(architecture), inputs)
    with_it = trained(make(architecture, **{name: NEUTRAL[name]}), inputs)
    start = make(architecture).parameters
    assert any(not torch.equal(plain[key], start[key]) for key in plain)  # it did train
    for key, parameter in plain.items():
        assert torch.equal(parameter, with_it[key]), key


@pytest.mark.parametrize("name", NEUTRAL)
@pytest.mark.parametrize("size", [1e-42, 1.0, 1e20, 3e38])
def test_neutral_transforms_leave_gradients_of_any_size(name: str, size: float) -> None:
    bench = make(**{name: NEUTRAL[name]})
    for _ in range(3):
        bench.set_gradients(size)
        before = bench.gradients
        assert not bench.transform().skip
        assert all(torch.equal(bench.gradients[key], before[key]) for key in before)
