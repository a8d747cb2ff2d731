"""adding and multiplication: layouts, targets, chance levels and criteria of every variant.

Monte Carlo checks allow 5 standard errors: a false alarm below 1e-6 each.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.seeding import Stream
from bench.tasks._marked_values import MarkedValuesTask, hs97_chance_of_the_first_step
from bench.tasks.adding import Adding
from bench.tasks.multiplication import Multiplication

MANY = 40_000
SIZES: dict[str, Any] = {"batch_size": 4, "steps": 1, "evaluation_size": 100}
CASES = [
    *((Adding, variant) for variant in ("arjovsky", "tcn", "pascanu13", "hs97")),
    *((Multiplication, variant) for variant in ("pascanu13", "hs97")),
]
repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=60)
each_case = pytest.mark.parametrize(("task", "variant"), CASES)


def build(task: Any, variant: str, length: int) -> MarkedValuesTask:
    built: MarkedValuesTask = task(variant=variant, length=length, **SIZES)
    return built


def draw(task: MarkedValuesTask, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    batch = task.generate(Stream("test of marked values", seed=seed), size)
    return batch.inputs.astype(np.float64), batch.targets.ravel()


def slow_target(task: Any, variant: str, marked: list[float]) -> float:
    """What the papers ask for, from the values that carry a visible mark."""
    if task is Multiplication:
        return math.prod(marked)
    return {
        "arjovsky": sum(marked),
        "tcn": sum(marked),
        "pascanu13": sum(marked) / 2,
        "hs97": 0.5 + sum(marked) / 4,
    }[variant]


@repeatable
@given(st.sampled_from(CASES), st.integers(2, 70), st.integers(0, 2**20))
def test_marks_stand_in_their_windows_and_the_target_follows_from_them(
    case: tuple[Any, str], length: int, seed: int
) -> None:
    task, variant = case
    inputs, targets = draw(build(*case, length), 5, seed)
    steps = len(inputs)
    assert (
        steps == length
        if variant in ("arjovsky", "tcn")
        else length <= steps and 10 * steps < 11 * length
    )
    for example, target in zip(inputs.swapaxes(0, 1), targets, strict=True):
        values, markers = example.T[::-1] if variant == "pascanu13" else example.T
        marks = [t for t in range(steps) if markers[t] == 1]
        lowest = -1 if variant == "hs97" and task is Adding else 0
        assert all(lowest <= value < 1 for value in values[1:])
        if variant == "hs97":
            assert markers[0] == -1
            assert markers[-1] == -1 or length == 2
            assert set(markers[1:-1]) <= {0, 1}
            assert all(t < max(2, length // 2) for t in marks)
            # A mark on the first step does not show, and its value changes nothing.
            assert len(marks) == 2 or (len(marks) == 1 and values[0] == (task is Multiplication))
            assert len(marks) == 1 or marks[0] < 10
        else:
            assert set(markers) <= {0, 1}
            first, second = marks
            end = {"arjovsky": length // 2, "tcn": steps, "pascanu13": max(1, steps // 10)}[variant]
            assert first < end
            assert second >= end or variant == "tcn"
            assert variant != "pascanu13" or second < max(steps // 2, end + 1)
        assert target == slow_target(task, variant, [values[t] for t in marks])


@each_case
def test_every_place_of_the_windows_is_used(task: Any, variant: str) -> None:
    """At T = 20 no place is rarer than 1 in 10: 2000 examples miss one less than once in 1e80."""
    inputs, _ = draw(build(task, variant, 20), 2000)
    markers = inputs[..., 0 if variant == "pascanu13" else 1]
    places = set(np.flatnonzero((markers == 1).any(axis=1)))
    last = {"arjovsky": 20, "tcn": 20, "pascanu13": len(inputs) // 2, "hs97": 10}[variant]
    assert places == set(range(1 if variant == "hs97" else 0, last))


@pytest.mark.parametrize("length", [2, 3, 10, 30, 100])
def test_how_often_the_first_step_is_marked(length: int) -> None:
    inputs, _ = draw(build(Adding, "hs97", length), MANY)
    hidden = (inputs[..., 1] == 1).sum(axis=0) == 1
    rate = hs97_chance_of_the_first_step(length)
    # By hand: the first mark is on one of min(10, half), the second on one of half - 1 others.
    half = max(2, length // 2)
    pairs = [(i, j) for i in range(min(10, half)) for j in range(half) if i != j]
    assert rate == pytest.approx(sum(0 in pair for pair in pairs) / len(pairs))
    assert hidden.mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / MANY))


BY_HAND = {
    (Adding, "arjovsky"): (1.0, 1 / 6, None, 1 / 6),
    (Adding, "tcn"): (1.0, 1 / 6, None, 1 / 6),
    (Adding, "pascanu13"): (0.5, 1 / 24, 0.5, 0.36),
    (Adding, "hs97"): (0.5, 0.0392, 0.5, 0.8456),
    (Multiplication, "pascanu13"): (0.25, 7 / 144, 0.2, 0.2335),
    (Multiplication, "hs97"): (0.2796, 0.0592, 0.04, 0.7419),
}
"""(task, variant) -> at T = 100 the constant of least loss, its loss, that of least error, its."""


@each_case
def test_chance_is_what_the_best_constants_reach(task: Any, variant: str) -> None:
    built = build(task, variant, 100)
    mean, loss, guess, wrong = BY_HAND[task, variant]
    assert built.chance_loss == pytest.approx(loss, abs=5e-5)
    assert built.chance_metric == pytest.approx(wrong, abs=5e-5)
    _, targets = draw(built, MANY)
    assert targets.mean() == pytest.approx(mean, abs=5 * targets.std() / math.sqrt(MANY) + 5e-5)
    squares = (targets - targets.mean()) ** 2
    tolerance = 5 * squares.std() / math.sqrt(MANY)
    assert squares.mean() == pytest.approx(built.chance_loss, abs=tolerance)
    if guess is None:
        assert built.chance_metric == built.chance_loss
        return
    asked = torch.from_numpy(targets)[None, :, None]
    scored = built.score(torch.full_like(asked, guess), asked)
    assert scored == pytest.approx(wrong, abs=5 * math.sqrt(0.25 / MANY))
    # No constant is better. An interval's share is off by 2 eps at most for all of them at once,
    # but for a probability of 2 exp(-2 n eps^2) (Dvoretzky, Kiefer & Wolfowitz): 1e-6 here.
    off = 2 * math.sqrt(math.log(2e6) / (2 * MANY))
    others = [built.score(torch.full_like(asked, other), asked) for other in np.linspace(0, 1, 101)]
    assert min(others) >= wrong - off


def test_but_for_the_first_step_chance_is_that_of_two_uniform_numbers() -> None:
    """Sums and products over a grid of 2000 x 2000 midpoints; the closed forms at q = 0."""
    middles = (np.arange(2000) + 0.5) / 2000
    sums = np.add.outer(2 * middles - 1, 2 * middles - 1)
    assert (np.abs(sums) / 4 > 0.04).mean() == pytest.approx(0.8464, abs=1e-3)
    products = np.multiply.outer(middles, middles)
    reach = 2 * 0.04
    assert (products > reach).mean() == pytest.approx(1 - reach * (1 - math.log(reach)), abs=1e-3)
    pascanu = build(Multiplication, "pascanu13", 100)
    assert (np.abs(products - 0.2) > 0.2).mean() == pytest.approx(pascanu.chance_metric, abs=1e-3)
    assert products.var() == pytest.approx(pascanu.chance_loss, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("task", [Adding, Multiplication])
def test_hochreiter_compares_the_error_and_pascanu_its_square(
    task: Any, dtype: torch.dtype
) -> None:
    targets = torch.full((1, 4, 1), 0.5, dtype=dtype)
    errors = torch.tensor([0.039, -0.041, 0.199, -0.201], dtype=dtype)[None, :, None]
    outputs = targets + errors
    assert build(task, "hs97", 50).score(outputs, targets) == 0.75
    assert build(task, "pascanu13", 50).score(outputs, targets) == 0.25


@pytest.mark.parametrize("outputs", [math.nan, math.inf, -math.inf])
@each_case
def test_no_metric_of_what_is_not_finite(task: Any, variant: str, outputs: float) -> None:
    score = build(task, variant, 50).score(torch.full((1, 3, 1), outputs), torch.zeros(1, 3, 1))
    assert not math.isfinite(score)


@pytest.mark.parametrize(
    ("task", "variant", "solved", "not_yet"),
    [
        (Adding, "arjovsky", 0.0099, 0.01),
        (Adding, "tcn", 0.0099, 0.01),
        (Adding, "pascanu13", 99 / 10_000, 0.01),
        (Adding, "hs97", 0.0, 1 / 2560),
        (Multiplication, "pascanu13", 99 / 10_000, 0.01),
        (Multiplication, "hs97", 12 / 2000, 13 / 2000),
    ],
)
def test_solved_is_what_the_paper_says(
    task: Any, variant: str, solved: float, not_yet: float
) -> None:
    built = build(task, variant, 100)
    assert built.is_solved(math.nan, solved)
    assert not built.is_solved(0.0, not_yet)


def test_the_metric_is_the_one_that_the_criterion_reads() -> None:
    names = {case: build(*case, 100).metric_name for case in CASES}
    assert {case for case, name in names.items() if name == "mse"} == {
        (Adding, "arjovsky"),
        (Adding, "tcn"),
    }
    assert set(names.values()) == {"mse", "wrong_fraction"}


def test_the_docstrings_print_chance_as_it_is() -> None:
    for task, numbers in (
        (Adding, ("1/6", "0.0417", "36 %", "0.0392", "84.6 %")),
        (Multiplication, ("0.0486", "23.4 %", "0.0592", "74.2 %")),
    ):
        assert all(number in str(task.__doc__) for number in numbers)
    drawn = str(Multiplication.__doc__).splitlines()
    values = next(line.split()[1:] for line in drawn if line.split()[:1] == ["value"])
    marks = next(line for line in drawn if line.split()[:1] == ["marker"])
    shown = marks.split("->")[0].split()[1:]
    chosen = [float(v) for v, mark in zip(values, shown, strict=True) if mark == "1"]
    assert math.prod(chosen) == pytest.approx(float(marks.split("=")[1].split()[0]))
