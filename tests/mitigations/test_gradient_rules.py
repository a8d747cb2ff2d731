"""clip_layerwise, agc, normalised_gradient, gradient_noise: each against its formula written a
second time; and all rules of the family where they must not act."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.kernels.norms import norm
from bench.mitigations._gradients import row_lengths
from tests.mitigations.gradient_rows import ADAGC, AGC, SPAM, ZCLIP, drawn, flat
from tests.mitigations.workbench import make

NEUTRAL: dict[str, dict[str, Any]] = {
    "clip_layerwise": {"threshold": math.inf},
    "agc": {"threshold": math.inf, "eps": 1e-3},
    "zclip": ZCLIP | {"z_threshold": math.inf, "warmup": 2},
    "adagc": ADAGC | {"ratio": math.inf, "threshold": math.inf},
    "spam": SPAM | {"threshold": math.inf, "interval": 1000},
    "gradient_noise": {"eta": 0.0, "decay": 0.55},
}


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("name", NEUTRAL)
def test_a_neutral_setting_is_none_to_the_bit(
    name: str, architecture: str, sequence: Tensor
) -> None:
    inputs = sequence[0] if architecture == "mlp" else sequence
    found = []
    for mitigations in ({}, {name: NEUTRAL[name]}):
        bench = make(architecture, **mitigations)
        bench.train(inputs, steps=10)
        found.append(bench.flat.values.clone())
    assert not torch.equal(found[0], make(architecture).flat.values)
    assert torch.equal(*found)


@pytest.mark.parametrize("size", [1e-42, 1.0, 1e20, 3e38])
@pytest.mark.parametrize("name", NEUTRAL)
def test_a_neutral_transform_leaves_gradients_of_any_size(name: str, size: float) -> None:
    bench = make(**{name: NEUTRAL[name]})
    for _ in range(6):
        bench.set_gradients(size)
        before = bench.flat.gradients.clone()
        assert not bench.transform().skip
        assert torch.equal(bench.flat.gradients, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_row_lengths_are_the_norms_of_the_rows(dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    values[1] *= torch.finfo(dtype).tiny
    values[2] = largest
    values[3] = 0
    expected = [norm(row) for row in values]
    assert row_lengths(values).tolist() == pytest.approx(expected, rel=1e-14)
    values[0, 0], values[4, 1] = math.nan, math.inf
    assert row_lengths(values).isfinite().tolist() == [False, True, True, True, False]


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e20, 1e38])
def test_clip_layerwise_clips_every_tensor_by_itself(size: float) -> None:
    bench = make(clip_layerwise={"threshold": 0.5})
    before = drawn(bench, 0, size)
    bench.transform()
    for name, gradient in bench.gradients.items():
        expected = before[name] * min(1.0, 0.5 / float(before[name].norm()))
        torch.testing.assert_close(gradient.double(), expected, rtol=3e-7, atol=2.0**-149)
        assert norm(gradient) <= 0.5 * (1 + 1e-6)


@pytest.mark.parametrize("architecture", ["rnn_tanh", "lstm", "mlp"])
@pytest.mark.parametrize("size", [1e-2, 1e20])
def test_agc_bounds_every_unit_by_its_weights(architecture: str, size: float) -> None:
    bench = make(architecture, agc=AGC)
    before, weights = drawn(bench, 0, size), bench.parameters
    bench.transform()
    for name, gradient in bench.gradients.items():
        if name.startswith("readout"):
            assert torch.equal(gradient.double(), before[name])
            continue
        matrix = weights[name].dim() > 1
        for row, (old, new) in enumerate(zip(before[name], gradient, strict=True)):
            weight = weights[name][row] if matrix else weights[name]
            allowed = 0.05 * max(float(weight.double().norm()), 1e-3)
            length = float((old if matrix else before[name]).norm())
            expected = old * min(1.0, allowed / length)
            torch.testing.assert_close(new.double(), expected, rtol=3e-7, atol=1e-44)


def test_agc_takes_a_weight_of_the_diagonal_for_a_unit_of_its_own() -> None:
    bench = make(agc=AGC)
    role = bench.network.roles["bias_0"]
    object.__setattr__(role, "name", "diagonal")
    with torch.no_grad():
        bench.network.get_parameter("bias_0").copy_(torch.tensor([1.0, 2.0, 0.0, -4.0, 8.0, 1.0]))
    bench.set_gradients(1.0)
    bench.transform()
    expected = [0.05, 0.1, 0.05 * 1e-3, 0.2, 0.4, 0.05]
    assert bench.gradients["bias_0"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e-42, 1e-20, 1.0, 1e20, 3e38])
def test_a_normalised_gradient_has_norm_one_and_its_direction(
    size: float, dtype: torch.dtype
) -> None:
    bench = make(normalised_gradient={})
    bench.network.to(dtype)
    before = flat(drawn(bench, 0, size))
    bench.transform()
    expected = before / norm(before)
    torch.testing.assert_close(bench.flat.gradients.double(), expected, rtol=5e-7, atol=1e-9)


def test_a_gradient_of_zero_stays_zero_when_normalised() -> None:
    bench = make(normalised_gradient={})
    bench.transform()
    assert not bench.flat.gradients.any()


@pytest.mark.parametrize("eta", [1e-14, 0.3])
def test_gradient_noise_has_the_papers_variance(eta: float) -> None:
    bench = make(gradient_noise={"eta": eta, "decay": 0.55})
    noise = []
    for step in range(400):
        bench.set_gradients(0.0)
        bench.transform()
        scale = math.sqrt(eta / (1 + step) ** 0.55)
        noise.append(bench.flat.gradients.double() / scale)
    drawn_ = torch.stack(noise)
    assert float(drawn_.mean()) == pytest.approx(0, abs=4 / math.sqrt(drawn_.numel()))
    for half in drawn_.chunk(4):
        assert float((half**2).mean()) == pytest.approx(1, abs=4 * math.sqrt(2 / half.numel()))
    assert len(torch.unique(drawn_)) > 0.9 * drawn_.numel()


def test_the_noise_is_the_seeds_and_is_added() -> None:
    rows = []
    for size in (0.0, 0.0, 4.0):
        bench = make(gradient_noise={"eta": 1.0, "decay": 0.0})
        bench.network.double()
        bench.set_gradients(size)
        bench.transform()
        rows.append(bench.flat.gradients - size)
    assert torch.equal(rows[0], rows[1])
    torch.testing.assert_close(rows[2], rows[0], rtol=0, atol=1e-14)


def test_agc_scales_with_the_weights() -> None:
    found = []
    for scale in (1.0, 2.0**10):
        bench = make(agc=AGC | {"eps": 1e-30})
        bench.flat.values.fill_(scale)
        drawn(bench, 0, scale)
        bench.transform()
        found.append(bench.flat.gradients / scale)
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("agc", AGC),
        ("spam", SPAM),
        ("adagc", ADAGC),
        ("gradient_noise", {"eta": 0.1, "decay": 0.5}),
        ("clip_layerwise", {"threshold": 1e-3}),
    ],
)
def test_a_parameter_without_axes_is_changed_too(name: str, settings: dict[str, Any]) -> None:
    bench = make(**{name: settings})
    bench.network.register_parameter("scale", nn.Parameter(torch.tensor(0.5)))
    gradient = bench.gradients["scale"]
    for size in (1.0, 1.0, 1000.0):
        gradient = torch.tensor(size)
        bench.set_gradients(size)
        bench.transform()
    assert bench.gradients["scale"].shape == ()
    assert not torch.equal(bench.gradients["scale"], gradient)
