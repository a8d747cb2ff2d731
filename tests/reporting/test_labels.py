from __future__ import annotations

import itertools

import pytest

from bench.records import RunSpec
from bench.reporting.labels import Labels, setting_text, sort_key
from tests.reporting.made_up import spec


def whole(labels: Labels, one: RunSpec) -> tuple[str, ...]:
    return (
        labels.member("task", one.task),
        labels.member("architecture", one.architecture),
        labels.mitigation(one),
        labels.member("optimizer", one.optimizer),
        labels.conditions(one),
    )


def test_a_setting_is_shown_where_it_varies_and_nowhere_else() -> None:
    specs = [spec(settings={"adding": {"length": length}}) for length in (100, 200)]
    specs.append(spec(task="temporal_order"))
    labels = Labels(specs)
    assert whole(labels, specs[1]) == ("adding (length=200)", "rnn_tanh", "none", "sgd", "")
    assert whole(labels, specs[2]) == ("temporal_order", "rnn_tanh", "none", "sgd", "")


def test_each_member_of_a_combination_shows_its_own_settings() -> None:
    specs = [
        spec(mitigation="orthogonal+clip_norm", settings={"clip_norm": {"threshold": threshold}})
        for threshold in (0.5, float("inf"))
    ]
    labels = Labels(specs)
    assert [labels.mitigation(one) for one in specs] == [
        "orthogonal+clip_norm (threshold=0.5)",
        "orthogonal+clip_norm (threshold=inf)",
    ]


def test_settings_of_the_run_are_shown_where_they_vary_within_a_task() -> None:
    """Tasks have budgets of their own: that is no variation."""
    specs = [
        spec(dtype="float64"),
        spec(dtype="float32"),
        spec(task="digits", steps=500),
    ]
    labels = Labels(specs)
    assert [labels.conditions(one) for one in specs] == ["dtype=float64", "dtype=float32", ""]


def test_different_cells_never_share_a_label() -> None:
    grid = itertools.product(
        (100, 200), (0.1, 0.1000001), ("float32", "float64"), (1.0, 2.0, float("inf")), (500, 1000)
    )
    specs = [
        spec(
            mitigation="clip_norm",
            dtype=dtype,
            steps=steps,
            settings={
                "adding": {"length": length},
                "sgd": {"lr": lr},
                "clip_norm": {"threshold": threshold},
            },
        )
        for length, lr, dtype, threshold, steps in grid
    ]
    labels = Labels(specs)
    assert len({whole(labels, one) for one in specs}) == len(specs) == 48


def test_the_seed_is_no_setting() -> None:
    specs = [spec(seed=seed) for seed in range(3)]
    labels = Labels(specs)
    assert whole(labels, specs[0]) == ("adding", "rnn_tanh", "none", "sgd", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (0.1000001, "0.1000001"),
        (1e-5, "1e-05"),
        (float("inf"), "inf"),
        (200, "200"),
        (True, "true"),
        ("tanh", "tanh"),
    ],
)
def test_a_setting_reads_as_it_is_typed(value: object, text: str) -> None:
    assert setting_text(value) == text  # type: ignore[arg-type]


def test_labels_sort_by_size_and_the_baseline_comes_first() -> None:
    labels = ["a (length=1000)", "a (length=200)", "a (lr=0.1)", "a (lr=0.01)", "none", "a"]
    assert sorted(labels, key=sort_key) == [
        "none",
        "a",
        "a (length=200)",
        "a (length=1000)",
        "a (lr=0.01)",
        "a (lr=0.1)",
    ]
