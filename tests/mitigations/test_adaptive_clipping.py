"""zclip, adagc, spam: what they remember and what it does, written a second time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.mitigations.gradient_rows import ADAGC, SPAM, ZCLIP, clipped, drawn, flat
from tests.mitigations.workbench import make

NAMES = ("input_0", "recurrent_0", "bias_0", "readout", "readout_bias")


def zclip_factors(norms: list[float], decay: float, z: float, warmup: int) -> list[float]:
    """As the paper writes it, with a z-score and a variance."""
    factors, mean, variance = [1.0] * warmup, np.mean(norms[:warmup]), np.var(norms[:warmup])
    for size in norms[warmup:]:
        score = (size - mean) / np.sqrt(variance)
        kept = mean + z * np.sqrt(variance) / (score / z) if score > z else size
        factors.append(kept / size)
        mean = decay * mean + (1 - decay) * kept
        variance = decay * variance + (1 - decay) * (kept - mean) ** 2
    return factors


def test_zclip_brings_an_outlier_near_the_mean() -> None:
    bench = make(zclip=ZCLIP)
    befores = [flat(drawn(bench, step)) for step in range(20)]
    factors = zclip_factors([float(g.norm()) for g in befores], 0.9, 2.0, 5)
    assert sum(factor < 0.99 for factor in factors) >= 2
    for before, after, factor in zip(befores, clipped(make(zclip=ZCLIP)), factors, strict=True):
        torch.testing.assert_close(after, before * factor, rtol=1e-6, atol=1e-9)


def test_zclips_cap_holds_from_the_first_update_on_and_its_memory_does_not_see_it() -> None:
    free, capped = make(zclip=ZCLIP), make(zclip=ZCLIP | {"cap": 0.2})
    clipped(free)
    assert all(float(g.norm()) == pytest.approx(0.2, rel=1e-6) for g in clipped(capped))
    assert capped.memories == free.memories


def adagc_expected(befores: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    gamma: dict[str, float] = {}
    found = []
    for t, gradients in enumerate(befores, start=1):
        sizes = {name: float(g.norm()) for name, g in gradients.items()}
        whole = math.sqrt(sum(size**2 for size in sizes.values()))
        if t <= ADAGC["warmup"]:
            factors = {name: min(1.0, ADAGC["threshold"] / whole) for name in gradients}
            for name, size in sizes.items():
                gamma[name] = min(gamma.get(name, math.inf), factors[name] * size)
        else:
            factors = {n: min(1.0, ADAGC["ratio"] * gamma[n] / sizes[n]) for n in gradients}
            for name, size in sizes.items():
                kept = factors[name] * size
                gamma[name] = ADAGC["beta"] * gamma[name] + (1 - ADAGC["beta"]) * kept
        found.append({name: g * factors[name] for name, g in gradients.items()})
    return found


def test_adagc_holds_each_tensor_to_its_own_past() -> None:
    bench = make(adagc=ADAGC)
    befores = [drawn(bench, step) for step in range(16)]
    expected = adagc_expected(befores)
    changed = 0
    for step, wanted in enumerate(expected):
        drawn(bench, step)
        bench.transform()
        for name, gradient in bench.gradients.items():
            torch.testing.assert_close(gradient.double(), wanted[name], rtol=1e-6, atol=1e-9)
            changed += not torch.equal(wanted[name], befores[step][name])
    assert 10 < changed < 16 * len(NAMES)


def test_adagc_does_not_freeze_a_tensor_whose_gradient_was_once_zero() -> None:
    bench = make(adagc=ADAGC)
    for step in range(10):
        drawn(bench, step)
        if step == 1:
            bench.flat.by_name(bench.flat.gradients)["recurrent_0"].zero_()
        bench.transform()
        assert bench.gradients["recurrent_0"].any() == (step != 1)


def test_spam_cuts_coordinates_and_forgets_every_interval() -> None:
    bench = make(spam=SPAM)
    square, cuts = torch.zeros_like(bench.flat.gradients, dtype=torch.float64), 0
    for step in range(1, 21):
        before = flat(drawn(bench, step))
        if step in (7, 13, 19):
            square.zero_()
        spikes = (square > 0) & (before**2 > 10 * square)
        expected = torch.where(spikes, before.sign() * (10 * square).sqrt(), before)
        square = 0.7 * square + 0.3 * expected**2
        assert bench.transform().restart == (step in (7, 13, 19))
        torch.testing.assert_close(bench.flat.gradients.double(), expected, rtol=1e-6, atol=1e-12)
        cuts += int(spikes.sum())
    assert cuts > 20
    rule = bench.mitigations[0]
    rates = [1.0] * 6 + [1 / 3, 2 / 3, 1, 1, 1, 1] * 2
    assert [rule.schedule(step, 100) for step in range(1, 19)] == pytest.approx(rates)


def test_spam_repairs_infinity_where_it_has_seen_the_coordinate() -> None:
    bench = make(spam=SPAM)
    bench.set_gradients(0.5)
    weight = bench.network.get_parameter("recurrent_0")
    assert weight.grad is not None
    weight.grad[0, 3] = 0.0
    bench.transform()
    bench.set_gradients(0.5)
    weight.grad[0, :4] = torch.tensor([math.inf, -math.inf, math.nan, math.inf])
    bench.transform()
    bound = math.sqrt(10 * 0.3) * 0.5
    assert weight.grad[0, :2].tolist() == pytest.approx([bound, -bound])
    assert weight.grad[0, 2].isnan()
    assert weight.grad[0, 3].isinf()
    assert all(np.isfinite(squares).all() for squares in bench.memories[0].values())


def test_spam_lets_the_optimiser_start_anew(sequence: Tensor) -> None:
    bench = make(spam=SPAM)
    states = []
    for _ in range(8):
        bench.train(sequence, steps=1)
        states.append(bench.trainer.optimizer_state)
    assert [a is b for a, b in pairwise(states)] == [True] * 5 + [False, True]


@pytest.mark.parametrize(
    ("name", "settings"), [("zclip", ZCLIP), ("adagc", ADAGC | {"threshold": math.inf})]
)
@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_it_scales_with_the_loss(name: str, settings: dict[str, Any], scale: float) -> None:
    one, other = (clipped(make(**{name: settings}), size=size) for size in (1.0, scale))
    assert torch.equal(torch.stack(one), torch.stack(other))


@pytest.mark.parametrize("poison", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("name", "settings"), [("zclip", ZCLIP), ("adagc", ADAGC), ("adagc", ADAGC | {"warmup": 1})]
)
def test_what_is_not_finite_is_not_remembered(
    name: str, settings: dict[str, Any], poison: float
) -> None:
    healthy, ill = make(**{name: settings}), make(**{name: settings})
    for step in range(8):
        drawn(healthy, step)
        healthy.transform()
    for step in range(8):
        if step in (2, 6):
            ill.set_gradients(poison)
            before = ill.flat.gradients.clone()
            ill.transform()
            assert torch.equal(ill.flat.gradients.view(torch.int32), before.view(torch.int32))
            ill.steps -= 1
        drawn(ill, step)
        ill.transform()
    assert ill.memories == healthy.memories
