from __future__ import annotations

from typing import Any

from bench.planning.seeds import Purpose, seeds_for
from bench.records import RunRecord
from bench.reporting.pages.length import length_pages
from bench.stats.proportions import clopper_pearson
from tests.reporting.made_up import COMPLETED, DIVERGED, record
from tests.reporting.pages.looks import asked


def runs(length: int, num_solved: int, num_diverged: int, **of_spec: Any) -> list[RunRecord]:
    settings = {"adding": {"length": length}, **of_spec.pop("settings", {})}
    return [
        record(
            DIVERGED if seed < num_diverged else COMPLETED,
            solved_step=500 if seed >= 6 - num_solved else None,
            seed=seed,
            settings=settings,
            **of_spec,
        )
        for seed in range(6)
    ]


def test_a_point_is_the_share_of_the_runs_of_that_length() -> None:
    (page,), gaps = asked(
        length_pages,
        [
            *runs(100, 4, 1),
            *runs(50, 6, 0),
            *runs(400, 0, 5),
            *runs(50, 5, 0, mitigation="clip_norm"),
            *runs(400, 2, 0, mitigation="clip_norm"),
        ],
    )
    assert (page.title, page.columns, gaps) == ("adding, sgd", ["rnn_tanh"], [])
    (solved,), (diverged,) = page.solved, page.diverged
    assert list(solved["none"].x) == [50, 100, 400]
    assert list(solved["none"].shares) == [clopper_pearson(count, 6) for count in (6, 4, 0)]
    assert list(diverged["none"].shares) == [clopper_pearson(count, 6) for count in (0, 1, 5)]
    assert list(solved["clip_norm"].x) == [50, 400]
    assert page.x_label == "sequence length (time steps)"


def test_what_differs_in_more_than_its_length_is_not_on_one_line() -> None:
    longer = {"adding": {"length": 100, "batch_size": 64}}
    apart = [*runs(50, 3, 0), *[record(seed=seed, settings=longer) for seed in range(3)]]
    assert asked(length_pages, apart) == ([], [])


def test_each_optimiser_has_a_page_of_its_own() -> None:
    both = [
        run
        for optimizer in ("sgd", "adam")
        for length in (50, 100)
        for run in runs(length, 3, 0, optimizer=optimizer)
    ]
    pages, _ = asked(length_pages, both)
    assert [page.title for page in pages] == ["adding, adam", "adding, sgd"]


def test_a_feed_forward_network_is_as_long_as_it_is_deep() -> None:
    deep = [
        run
        for depth in (10, 30)
        for run in runs(200, 3, 1, architecture="mlp", settings={"mlp": {"depth": depth}})
    ]
    (page,), _ = asked(length_pages, deep)
    assert list(page.solved[0]["none"].x) == [10, 30]
    assert (page.columns, page.x_label) == (["mlp"], "depth (layers)")


def test_an_image_has_as_many_steps_as_pixels() -> None:
    images = [
        record(task="sequential_digits", seed=seed, settings={"sequential_digits": {"images": num}})
        for num in (1, 4)
        for seed in range(2)
    ]
    (page,), _ = asked(length_pages, images)
    assert list(page.solved[0]["none"].x) == [64, 256]


def test_an_architecture_that_was_tried_at_one_length_has_no_column() -> None:
    (page,), _ = asked(
        length_pages,
        [*runs(50, 3, 0), *runs(100, 3, 0), *runs(50, 3, 0, architecture="lstm")],
    )
    assert page.columns == ["rnn_tanh"]


def test_settings_that_trials_chose_do_not_part_the_lengths() -> None:
    def at(length: int, rate: float, seed: int) -> RunRecord:
        return record(seed=seed, settings={"adding": {"length": length}, "sgd": {"lr": rate}})

    trials = [
        at(length, rate, seed)
        for length in (50, 100)
        for rate in (0.01, 0.1)
        for seed in seeds_for(Purpose.TUNING, 2)
    ]
    evaluated = [at(length, rate, 0) for length, rate in ((50, 0.1), (100, 0.01))]
    (page,), _ = asked(length_pages, [*trials, *evaluated])
    assert list(page.solved[0]["none"].x) == [50, 100]
