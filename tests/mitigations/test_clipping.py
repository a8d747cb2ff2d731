"""clip_norm, clip_value, autoclip, skip_nonfinite: what a gradient becomes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.mitigations.autoclip import AutoClip
from tests.mitigations.workbench import Workbench, make

LARGEST = float(torch.finfo(torch.float32).max)


def random_gradients(bench: Workbench, size: float = 1.0, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(bench.flat.gradients.shape, generator=generator)
    bench.flat.gradients.copy_(drawn / 8 * size)


def flat(bench: Workbench) -> torch.Tensor:
    return bench.flat.gradients.double()


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e10, 1e20, 1e38])
@pytest.mark.parametrize("threshold", [1e-30, 0.25, 1.0, 1e30])
def test_clip_norm_shortens_to_the_threshold_and_keeps_the_direction(
    size: float, threshold: float
) -> None:
    bench = make(clip_norm={"threshold": threshold})
    random_gradients(bench, size)
    before = flat(bench)
    bench.transform()
    expected = before * min(1.0, threshold / float(before.norm()))
    torch.testing.assert_close(flat(bench), expected, rtol=3e-7, atol=2.0**-149)


@pytest.mark.parametrize("name", ["clip_norm", "autoclip"])
def test_finite_gradients_of_1e20_are_clipped_and_not_zeroed(name: str) -> None:
    bench = make(**{name: {"threshold": 1.0} if name == "clip_norm" else {"percentile": 0.0}})
    if name == "autoclip":
        bench.set_gradients(1.0)
        bench.transform()
    target = 1.0 if name == "clip_norm" else bench.norm()
    bench.set_gradients(1e20)
    # What the project does not do: torch's own clipping loses this gradient altogether.
    torch.nn.utils.clip_grad_norm_(bench.network.parameters(), 1.0)
    assert not flat(bench).any()
    bench.set_gradients(1e20)
    bench.transform()
    assert bench.norm() == pytest.approx(target, rel=1e-6)
    assert (flat(bench) > 0).all()


def test_clip_norm_acts_on_all_parameters_together() -> None:
    bench = make(clip_norm={"threshold": 0.5})
    random_gradients(bench)
    before = bench.gradients
    bench.transform()
    ratios = {name: bench.gradients[name] / before[name] for name in before}
    factor = float(ratios["readout"].flatten()[0])
    assert factor < 1
    for ratio in ratios.values():
        assert ratio.flatten().tolist() == pytest.approx([factor] * ratio.numel(), rel=1e-6)


@pytest.mark.parametrize("threshold", [1e-3, 0.1, 1e39, 1e308])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clip_value_is_numpys_clip(threshold: float, dtype: torch.dtype) -> None:
    bench = make(clip_value={"threshold": threshold})
    bench.network.to(dtype)
    random_gradients(bench)
    before = {name: gradient.numpy() for name, gradient in bench.gradients.items()}
    bench.transform()
    for name, gradient in bench.gradients.items():
        expected = np.clip(before[name].astype(np.float64), -threshold, threshold)
        assert np.array_equal(gradient.numpy(), expected.astype(before[name].dtype))


@pytest.mark.parametrize("threshold", [0.5, 1e39])
def test_clip_value_repairs_infinity_and_lets_nan_through(threshold: float) -> None:
    bench = make(clip_value={"threshold": threshold})
    bench.set_gradients(0.0)
    weight = bench.network.get_parameter("recurrent_0")
    assert weight.grad is not None
    weight.grad[0, :3] = torch.tensor([math.inf, -math.inf, math.nan])
    bench.transform()
    bound = min(threshold, LARGEST)
    assert weight.grad[0, :2].tolist() == pytest.approx([bound, -bound])
    assert weight.grad[0, 2].isnan()
    assert int((flat(bench) != 0).sum()) == 3


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=30), st.floats(0, 100))
def test_autoclips_threshold_is_numpys_percentile(norms: list[float], percent: float) -> None:
    """Seen through the clip itself: a gradient of norm n becomes one of min(n, threshold)."""
    bench = make(autoclip={"percentile": percent})
    bench.network.double()
    memory = bench.memories[0]
    for i, size in enumerate(norms):
        bench.set_gradients(0.0)
        bias = bench.network.get_parameter("readout_bias")
        assert bias.grad is not None
        bias.grad[0] = size
        bench.transform()
        threshold = float(np.percentile(norms[: i + 1], percent))
        assert float(bias.grad[0]) == pytest.approx(min(size, threshold), rel=1e-9, abs=1e-300)
    assert memory == sorted(norms)


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_autoclip_scales_with_the_loss(scale: float) -> None:
    """Twice the loss, twice the gradients, twice the thresholds: the same factors, to the bit."""
    results = []
    for factor in (1.0, scale):
        bench = make(autoclip={"percentile": 30.0})
        clipped = []
        for step in range(12):
            random_gradients(bench, factor * 1.5 ** (step % 5), seed=step)
            bench.transform()
            clipped.append(flat(bench) / factor)
        results.append(torch.stack(clipped))
    assert torch.equal(*results)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_autoclip_forgets_what_is_not_finite(poison: float) -> None:
    bench = make(autoclip={"percentile": 50.0})
    bench.set_gradients(1.0)
    bench.transform()
    remembered = list(bench.memories[0])
    bench.set_gradients(poison)
    before = bench.gradients
    bench.transform()
    assert bench.memories[0] == remembered
    for name, gradient in bench.gradients.items():
        torch.testing.assert_close(gradient, before[name], equal_nan=True, rtol=0, atol=0)


def test_each_run_has_a_history_of_its_own() -> None:
    rule, network = AutoClip(percentile=10.0), make().network
    assert rule.start(network, 0) is not rule.start(network, 0)


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_clip_norm_leaves_what_has_no_direction(poison: float) -> None:
    bench = make(clip_norm={"threshold": 1.0})
    random_gradients(bench, 100.0)
    weight = bench.network.get_parameter("input_0")
    assert weight.grad is not None
    weight.grad[1, 1] = poison
    before = bench.gradients
    bench.transform()
    for name, gradient in bench.gradients.items():
        torch.testing.assert_close(gradient, before[name], equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_skip_nonfinite_skips_and_leaves_the_gradient(value: float) -> None:
    bench = make(skip_nonfinite={})
    random_gradients(bench)
    weight = bench.network.get_parameter("readout")
    assert weight.grad is not None
    weight.grad[0, 0] = value
    assert bench.transform().skip
    assert not math.isfinite(float(weight.grad[0, 0]))


@pytest.mark.parametrize("size", [0.0, 1e-45, 1e38])
def test_skip_nonfinite_does_not_skip_the_finite(size: float) -> None:
    bench = make(skip_nonfinite={})
    bench.set_gradients(size)
    assert not bench.transform().skip
