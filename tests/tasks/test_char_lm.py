"""Language modelling: windows of the right part of a text, and levels that follow from it."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import datasets
from bench.planning import plan
from bench.records import BadInput
from bench.tasks.char_lm import CharLM, entropies
from bench.training.run import run
from tests.specs import spec

TEXT = "persuasion"
SIZES = {"training": 416_951, "validation": 23_163, "test": 23_163}


def char_lm(text: str = TEXT, length: int = 50, batch_size: int = 8, size: int = 100) -> CharLM:
    return CharLM(text=text, length=length, batch_size=batch_size, steps=1, evaluation_size=size)


@pytest.fixture(scope="module")
def whole() -> str:
    return datasets.text(TEXT)


@pytest.fixture
def own_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A text in which each of three characters is followed by one alone: "abcabcabc..."."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    (tmp_path / "text").mkdir()
    # The caches are keyed by names: each test has a name of its own.
    name = tmp_path.name.replace("_", "-")
    (tmp_path / "text" / f"{name}.txt").write_text("abc" * 4000)
    return name


def windows(task: CharLM, batch: object, whole: str) -> list[tuple[str, str]]:
    """(input, target) of every example, as text."""
    alphabet = sorted(set(whole))
    inputs = batch.inputs.argmax(axis=2).T  # type: ignore[attr-defined]
    targets = batch.targets.T  # type: ignore[attr-defined]
    return [
        ("".join(alphabet[i] for i in row), "".join(alphabet[i] for i in wanted))
        for row, wanted in zip(inputs, targets, strict=True)
    ]


def test_the_embedded_text_is_the_novel(whole: str) -> None:
    assert len(whole) == sum(SIZES.values()) == 463_277
    assert len(set(whole)) == 75
    assert whole.startswith("Chapter 1\nSir Walter Elliot, of Kellynch Hall, in Somersetshire, was")
    assert whole.endswith("its domestic virtues than in its national importance.\n")
    assert not {"_", "\r", "\t"} & set(whole)
    assert "  " not in whole


def test_windows_come_from_their_part_and_ask_for_the_next_character(whole: str) -> None:
    task, start = char_lm(), 0
    for part, size in SIZES.items():
        inside = whole[start : start + size]
        if part == "training":
            batches = [task.training_batch(step, seed) for step in (1, 2, 50) for seed in (0, 1)]
        else:
            batches = [task.evaluation_batch(part, 0)]  # type: ignore[arg-type]
        for batch in batches:
            assert (batch.inputs.sum(axis=2) == 1).all()
            for given, wanted in windows(task, batch, whole):
                assert given[1:] == wanted[:-1]
                assert given + wanted[-1] in inside
        start += size


def test_evaluation_windows_are_spread_over_their_part_whatever_the_seed(whole: str) -> None:
    task = char_lm(size=200)
    first, other = (task.evaluation_batch("test", seed) for seed in (0, 1))
    assert np.array_equal(first.inputs, other.inputs)
    found = windows(task, first, whole)
    test = whole[-SIZES["test"] :]
    assert test.startswith(found[0][0])
    assert test.endswith(found[-1][1])
    places = [test.index(given) for given, _ in found]
    assert np.ptp(np.diff(places)) <= 1


def test_training_windows_begin_anywhere(whole: str) -> None:
    task = char_lm(length=20, batch_size=4000)
    training = whole[: SIZES["training"]]
    found = windows(task, task.training_batch(1, 0), whole)
    places = np.array([training.find(given) for given, _ in found]) / len(training)
    assert np.histogram(places, bins=8, range=(0, 1))[0].min() > 500 - 5 * math.sqrt(500)


def test_chance_is_the_entropy_of_single_characters(whole: str) -> None:
    shares = np.array(list(Counter(whole).values())) / len(whole)
    bits = -(shares * np.log2(shares)).sum()
    task = char_lm()
    assert task.chance_metric == pytest.approx(bits, abs=1e-6)
    assert task.chance_loss == pytest.approx(bits * math.log(2), abs=1e-6)


def test_solved_is_below_what_knowing_one_character_gives(whole: str) -> None:
    training = whole[: SIZES["training"]]
    pairs = Counter(pairwise(training))
    firsts = Counter(training[:-1])
    bits = -sum(count * math.log2(count / firsts[first]) for (first, _), count in pairs.items()) / (
        len(training) - 1
    )
    assert entropies(TEXT)[1] == pytest.approx(bits, abs=1e-6)
    task = char_lm()
    assert task.is_solved(0.0, bits - 1e-3)
    assert not task.is_solved(0.0, bits + 1e-3)


def test_the_metric_is_the_loss_in_bits() -> None:
    task = char_lm()
    targets = torch.from_numpy(task.evaluation_batch("validation", 0).targets)
    outputs = torch.zeros(50, 100, 75)
    assert task.score(outputs, targets) == pytest.approx(math.log2(75))
    assert float(task.loss(outputs, targets)) == pytest.approx(math.log(75))


def test_a_text_of_ones_own(own_text: str) -> None:
    task = char_lm(own_text)
    assert task.signature.input_size == 3
    assert task.chance_metric == pytest.approx(math.log2(3), abs=1e-6)
    assert entropies(own_text)[1] == pytest.approx(0, abs=1e-6)
    batch = task.training_batch(1, 0)
    assert np.array_equal(batch.targets, (batch.inputs.argmax(axis=2) + 1) % 3)


def test_the_record_says_which_text_was_read(own_text: str) -> None:
    found = {
        text: run(spec("char_lm", "gru", steps=2, task_settings={"text": text})).facts
        for text in (TEXT, own_text)
    }
    for text, facts in found.items():
        assert facts["dataset_digest"] == datasets.digest(f"text/{text}")
        assert facts["metric"] == "bits_per_character"
    assert found[TEXT]["dataset_digest"] != found[own_text]["dataset_digest"]


def test_windows_longer_than_a_part_are_refused_in_one_line(own_text: str) -> None:
    assert char_lm(own_text, length=599).evaluation_batch("test", 0).inputs.shape[0] == 599
    with pytest.raises(BadInput, match=r"length=600: the test part of text .* has 600 characters"):
        char_lm(own_text, length=600).evaluation_batch("test", 0)


def test_a_text_that_is_not_there_is_refused_or_left_out(own_text: str) -> None:
    with pytest.raises(BadInput, match=r"^task=char_lm: data set text/nowhere: there is no"):
        plan(["task=char_lm", "task.char_lm.text=nowhere"])
    planned = plan(["task=char_lm", f"task.char_lm.text=nowhere,{own_text}"])
    assert {each.task.settings["text"] for each in planned.runs} == {own_text}
    assert [each.what for each in planned.left_out] == ["task=char_lm"]
