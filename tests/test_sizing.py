"""`bench plan`: seeds for an effect, their cost, and what fewer cannot conclude."""

from __future__ import annotations

import re

import pytest

from bench.cli import main
from bench.planning import plan
from bench.records import BadInput
from bench.sizing import in_words
from bench.stats.power import mcnemar_power, seeds_needed

GRID = ["task=adding", "mitigation=none,clip_norm,l2", "architecture=rnn_tanh", "seeds=5"]


def told(rates: tuple[float, float] = (0.5, 0.1), power: float = 0.8, *more: str) -> str:
    return "\n".join(in_words(plan([*GRID, *more]), rates, power, 2))


def test_the_seeds_it_names_have_the_power_that_was_asked_for() -> None:
    text = told()
    alone, family = map(int, re.findall(r": (\d+) seeds$", text, re.M))
    assert alone == seeds_needed(0.5, 0.1)
    assert family == seeds_needed(0.5, 0.1, num_methods=2)
    assert mcnemar_power(0.5, 0.1, alone) >= 0.8 > mcnemar_power(0.5, 0.1, alone - 1)
    assert "each of 2 mitigations" in text
    assert re.search(rf"5 seeds: .*power in one cell {mcnemar_power(0.5, 0.1, 5):.2f}", text)


def test_three_seeds_can_conclude_nothing() -> None:
    assert re.search(r"3 seeds: p is at least 0.25 paired, 0.1 unpaired, so never below", told())


def test_trials_are_counted() -> None:
    assert "tuning and sweep: 77 runs of each cell" in told((0.5, 0.1), 0.8, "protocol=tuned")
    assert "tuning" not in told()


@pytest.mark.parametrize(
    ("rates", "power", "message"),
    [
        ((0.5, 1.2), 0.8, "1.2 is not a rate"),
        ((-0.5, 0.1), 0.8, "-0.5 is not a rate"),
        ((0.5, 0.1), 1.0, "--power 1: must be above 0 and below 1"),
        ((0.5, 0.1), float("nan"), "--power nan: must be"),
        ((float("nan"), 0.1), 0.8, "nan is not a rate"),
    ],
)
def test_what_cannot_be_is_refused(rates: tuple[float, float], power: float, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        told(rates, power)


def test_equal_rates_are_not_estimable_and_the_command_ends_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", *GRID, "--rates", "0.3,0.3"]) == 0
    assert "not estimable (equal rates" in capsys.readouterr().out
    assert main(["plan", *GRID, "--rates", "0.3"]) == 2
    assert "must be two numbers" in capsys.readouterr().err
