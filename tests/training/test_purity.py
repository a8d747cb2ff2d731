"""The same specification gives the same bits, whatever ran before; seeds pair what they should."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch

from bench.discovery import members
from bench.records import Outcome
from bench.training.run import run
from tests.specs import exploding, member, spec

SPECS = [
    spec(),
    spec(architecture="lstm", mitigation="autoclip", optimizer="adam"),
    spec(task="digits", architecture="mlp", mitigation="layer_norm", optimizer="momentum"),
    exploding(),
    exploding("skip_nonfinite", steps=60),
]


def test_a_run_repeats_bit_for_bit_in_any_order():
    forward = [run(one).digest for one in SPECS]
    backward = [run(one).digest for one in reversed(SPECS)]
    assert forward == backward[::-1]
    assert len(set(forward)) == len(SPECS)


def test_a_diverged_run_repeats_too():
    first, second = run(exploding()), run(exploding())
    assert first.outcome is Outcome.DIVERGED
    assert first.digest == second.digest


def test_a_run_leaves_global_random_state_and_threads_alone():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    before = random.getstate(), pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    run(spec(steps=3))
    after = random.getstate(), pickle.dumps(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", sorted(members("mitigation")))
def test_no_mitigation_changes_the_data_of_a_seed(name):
    plain, protected = run(spec(steps=2)), run(spec(mitigation=name, steps=2))
    assert protected.facts["data_digest"] == plain.facts["data_digest"]


LEAVES_WEIGHTS_ALONE = [
    name
    for name, found in members("mitigation").items()
    if not {"initial_weights", "preactivation", "parametrisation"} & set(found.facts["claims"])
]


@pytest.mark.parametrize("name", LEAVES_WEIGHTS_ALONE)
def test_only_initialisers_change_the_initial_weights(name):
    plain, protected = run(spec(steps=2)), run(spec(mitigation=name, steps=2))
    assert protected.facts["initial_digest"] == plain.facts["initial_digest"]
    assert protected.scores["initial_validation_loss"] == plain.scores["initial_validation_loss"]


def test_seeds_differ_and_neither_optimiser_nor_learning_rate_enters_them():
    records = [
        run(spec(steps=2, seed=0)),
        run(spec(steps=2, seed=0, optimizer="adam", optimizer_settings={"lr": 0.5})),
        run(spec(steps=2, seed=1)),
    ]
    facts = [(r.facts["data_digest"], r.facts["initial_digest"]) for r in records]
    assert facts[0] == facts[1]
    assert facts[0][0] != facts[2][0]
    assert facts[0][1] != facts[2][1]


@pytest.mark.parametrize("architecture", ["rnn_tanh", "gru"])
def test_float64_starts_from_the_very_same_numbers(architecture):
    single, double = (
        run(spec(architecture=architecture, steps=5, dtype=dtype))
        for dtype in ("float32", "float64")
    )
    assert single.facts["initial_digest"] == double.facts["initial_digest"]
    assert single.facts["data_digest"] == double.facts["data_digest"]
    loss = "final_validation_loss"
    assert single.scores[loss] == pytest.approx(double.scores[loss], rel=1e-4)
    assert single.scores[loss] != double.scores[loss]


@pytest.mark.parametrize(
    "neutral",
    [
        member("mitigation", "clip_norm", threshold=float("inf")),
        member("mitigation", "clip_value", threshold=float("inf")),
        member("mitigation", "max_norm", radius=float("inf")),
        member("mitigation", "autoclip", percentile=100.0),
        member("mitigation", "warmup", updates=1),
        member("mitigation", "weight_decay", coefficient=0.0),
        member("mitigation", "skip_nonfinite"),
    ],
    ids=lambda found: found.name,
)
def test_a_neutral_setting_is_bitwise_no_mitigation(neutral):
    plain, protected = run(spec(steps=30)), run(spec(mitigation=(neutral,), steps=30))
    assert protected.outcome == plain.outcome
    assert protected.scores == plain.scores
    for column in plain.curves:
        np.testing.assert_array_equal(protected.curves[column], plain.curves[column])


def test_an_infinite_clip_is_bitwise_none_in_a_diverging_run_too():
    infinite = member("mitigation", "clip_norm", threshold=float("inf"))
    plain, protected = run(exploding()), run(exploding((infinite,)))
    assert plain.outcome is Outcome.DIVERGED
    assert (protected.outcome, protected.steps_done) == (plain.outcome, plain.steps_done)
    assert protected.first_event == plain.first_event
    for column in plain.curves:
        np.testing.assert_array_equal(protected.curves[column], plain.curves[column])
