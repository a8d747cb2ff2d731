"""skip_spikes, smaller_lr, random_scale: which updates are left out, shortened, and by how much."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.mitigations.gradient_rows import drawn, flat
from tests.mitigations.workbench import Workbench, make

NEUTRAL: dict[str, dict[str, Any]] = {
    "skip_spikes": {"factor": math.inf, "window": 3},
    "smaller_lr": {"factor": 1.0},
    "random_scale": {"threshold": math.inf},
}


def put(bench: Workbench, size: float) -> None:
    """A gradient of this norm."""
    bench.set_gradients(0.0)
    bench.flat.gradients[0] = size


def skipped(bench: Workbench, norms: list[float]) -> list[bool]:
    found = []
    for size in norms:
        put(bench, size)
        found.append(bench.transform().skip)
    return found


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


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 9.0, 1e20, math.inf, math.nan]), max_size=40),
    st.integers(1, 6),
)
def test_skip_spikes_compares_with_the_median_of_the_last_finite_norms(
    norms: list[float], window: int
) -> None:
    bench = make(skip_spikes={"factor": 2.5, "window": window})
    bench.network.double()
    past: list[float] = []
    in_a_row = 0
    for size, skip in zip(norms, skipped(bench, norms), strict=True):
        if not math.isfinite(size):
            assert skip
            continue
        spike = len(past) >= window and size > 2.5 * np.median(past[-window:])
        assert skip == (spike and in_a_row < window)
        in_a_row = in_a_row + 1 if skip else 0
        past.append(size)
    assert list(bench.memories[0].norms) == past[-window:]


def test_a_new_level_of_norms_is_taken_after_half_a_window() -> None:
    bench = make(skip_spikes={"factor": 2.0, "window": 9})
    assert skipped(bench, [1.0] * 20 + [50.0] * 20) == [False] * 20 + [True] * 5 + [False] * 15


def test_where_all_are_spikes_one_in_every_so_many_is_taken() -> None:
    bench = make(skip_spikes={"factor": 2.0, "window": 4})
    bench.network.double()
    found = skipped(bench, [1000.0**n for n in range(24)])
    assert found == [False] * 4 + ([True] * 4 + [False]) * 4


def test_a_skipped_update_leaves_the_network_and_the_next_one_moves_it() -> None:
    bench = make(skip_spikes={"factor": 3.0, "window": 2})
    moved = []
    for size in (1.0, 1.0, 1e3, 1.0):
        before = bench.flat.values.clone()
        put(bench, size)
        with torch.no_grad():
            bench.trainer.move(bench.transform())
        moved.append(not torch.equal(bench.flat.values, before))
    assert moved == [True, True, False, True]


def test_a_smaller_learning_rate_is_a_smaller_learning_rate(sequence: Tensor) -> None:
    scaled, plain = make(smaller_lr={"factor": 0.25}), make()
    scaled.train(sequence, steps=5, lr=0.4)
    plain.train(sequence, steps=5, lr=0.1)
    assert torch.equal(scaled.flat.values, plain.flat.values)
    assert not torch.equal(scaled.flat.values, make().flat.values)


def test_random_scale_gives_each_update_the_factor_of_an_earlier_one() -> None:
    bench = make(random_scale={"threshold": 1.0})
    own: list[float] = []
    unlike_its_own = 0
    for step in range(60):
        before = flat(drawn(bench, step, size=0.2 * 1.1**step))
        own.append(min(1.0, 1.0 / float(before.norm())))
        bench.transform()
        factor = float(bench.flat.gradients.double().norm() / before.norm())
        torch.testing.assert_close(bench.flat.gradients.double(), before * factor)
        allowed = own[:-1] or own  # the first has no past
        assert min(abs(factor / other - 1) for other in allowed) < 1e-6
        unlike_its_own += abs(factor / own[-1] - 1) > 1e-3
    assert unlike_its_own > 30
    assert bench.memories[0].factors == pytest.approx(own)


def test_the_factor_does_not_depend_on_the_present_gradient() -> None:
    factors = []
    for size in (1e-3, 7.0, 1e20):
        bench = make(random_scale={"threshold": 1.0})
        for norm in (0.5, 2.0, 4.0, 8.0, 16.0, 32.0):
            put(bench, norm)
            bench.transform()
        put(bench, size)
        bench.transform()
        factors.append(float(bench.flat.gradients[0].double()) / size)
    assert factors == pytest.approx([factors[0]] * 3, rel=1e-6)
    assert min(abs(factors[0] - f) for f in (1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32)) < 1e-8


def test_every_past_factor_is_drawn_as_often() -> None:
    """Of 2, 3, ..., 400 past factors, those of the first half in half of the draws."""
    bench = make(random_scale={"threshold": 1.0})
    bench.network.double()
    shares = []
    for step in range(1, 401):
        put(bench, float(step))
        bench.transform()
        source = step / float(bench.flat.gradients[0])  # whose factor 1 / s it was
        shares.append((source - 0.5) / max(step - 1, 1))
    shares = shares[1:]
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / len(shares)))
    assert np.mean(np.array(shares) < 0.25) == pytest.approx(0.25, abs=4 * 0.44 / 20)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_has_no_factor_and_draws_none(poison: float) -> None:
    healthy, ill = (make(random_scale={"threshold": 1.0}) for _ in range(2))
    for step in range(12):
        if step in (0, 5):
            ill.set_gradients(poison)
            ill.transform()
            assert not ill.flat.gradients.isfinite().any()
        for bench in (healthy, ill):
            drawn(bench, step, size=3.0)
            bench.transform()
        assert torch.equal(healthy.flat.gradients, ill.flat.gradients)
