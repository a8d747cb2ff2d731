"""All figures of a report: which there are, where they stand, and that they can be read."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from bench.planning.seeds import Purpose, seeds_for
from bench.records import RunRecord, Setting
from bench.reporting import drawing
from bench.reporting.analysis import Analysis, analyse
from bench.reporting.figure_files import Sheet, caption, sheets
from bench.reporting.figures.style import drawing_style
from bench.reporting.pages.kinds import HEADINGS, Kind
from bench.reporting.writing import write_report
from tests.reporting.made_up import record, stored, story
from tests.reporting.page_layout import check_page

KINDS = {"none": "late", "clip_norm": "learns", "orthogonal+clip_norm": "stuck"}


def of_every_kind(num_seeds: int = 3) -> list[RunRecord]:
    """Lengths, thresholds by rates, sweeps and times, in two architectures."""
    runs = [
        run(seed, architecture, mitigation, length=length)
        for seed in range(num_seeds)
        for architecture in ("rnn_tanh", "lstm")
        for mitigation in KINDS
        for length in (100, 200)
    ]
    runs += [
        run(seed, "rnn_tanh", "clip_norm", rate=rate, threshold=threshold, length=200)
        for seed in range(2)
        for rate in (0.01, 0.1)
        for threshold in (10.0, 100.0)
    ]
    runs += [
        run(seed, architecture, mitigation, rate=rate, length=200)
        for seed in seeds_for(Purpose.SWEEP, 2)
        for architecture in ("rnn_tanh", "lstm")
        for mitigation in KINDS
        for rate in (0.001, 0.01, 0.1, 1.0)
    ]
    return [replace(one, cpu_seconds=0.01 * one.steps_done) for one in runs]


def run(
    seed: int,
    architecture: str,
    mitigation: str,
    *,
    rate: float = 0.1,
    threshold: float = 1.0,
    length: int,
) -> RunRecord:
    settings: dict[str, dict[str, Setting]] = {
        "sgd": {"lr": rate},
        "adding": {"length": length, "variant": "arjovsky"},
        "clip_norm": {"threshold": threshold},
    }
    dies = rate >= 1 and "clip" not in mitigation
    return story(
        seed,
        kind="late" if dies else KINDS[mitigation],
        length=20,
        architecture=architecture,
        mitigation=mitigation,
        settings=settings,
    )


@pytest.fixture(scope="module")
def found() -> Analysis:
    return analyse(stored(of_every_kind()))


def sheets_by_kind(
    found: Analysis, kinds: Collection[Kind] = tuple(Kind)
) -> dict[Kind, list[Sheet]]:
    by_kind: dict[Kind, list[Sheet]] = {kind: [] for kind in kinds}
    for sheet in sheets(found, [], kinds):
        by_kind[sheet.kind].append(sheet)
    return by_kind


@pytest.fixture(scope="module")
def by_kind(found: Analysis) -> dict[Kind, list[Sheet]]:
    return sheets_by_kind(found)


def test_every_kind_of_figure_comes_from_the_runs_that_carry_it(
    by_kind: dict[Kind, list[Sheet]],
) -> None:
    assert [kind for kind, some in by_kind.items() if not some] == []
    names = [sheet.name for some in by_kind.values() for sheet in some]
    assert len(set(names)) == len(names)
    assert all(name.startswith(kind) for kind, some in by_kind.items() for name in names_of(some))


def names_of(some: list[Sheet]) -> list[str]:
    return [sheet.name for sheet in some]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.OUTCOMES])
def test_a_page_from_runs_can_be_read(by_kind: dict[Kind, list[Sheet]], kind: Kind) -> None:
    with drawing_style():
        check_page(drawing.figure_of(by_kind[kind][-1].page))


def test_a_mitigation_looks_the_same_everywhere(by_kind: dict[Kind, list[Sheet]]) -> None:
    looks = [
        sheet.page.styles
        for some in by_kind.values()
        for sheet in some
        if hasattr(sheet.page, "styles")
    ]
    assert len(looks) >= 8
    assert all(list(one.items()) == list(looks[0].items()) for one in looks)


def test_some_kinds_alone_are_the_same_and_need_no_curves(
    found: Analysis, by_kind: dict[Kind, list[Sheet]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.reporting.pages.curves.read_curves", None)
    some = sheets_by_kind(found, [Kind.LENGTH, Kind.THRESHOLDS])
    assert {kind: names_of(one) for kind, one in some.items()} == {
        kind: names_of(by_kind[kind]) for kind in (Kind.LENGTH, Kind.THRESHOLDS)
    }


def test_the_order_of_the_runs_changes_nothing(by_kind: dict[Kind, list[Sheet]]) -> None:
    runs = of_every_kind()
    random.Random(1).shuffle(runs)
    shuffled = sheets_by_kind(analyse(stored(runs)))
    for kind in (Kind.COST_BENEFIT, Kind.PROFILE, Kind.WINDOW):
        assert names_of(shuffled[kind]) == names_of(by_kind[kind])
        one, other = (some[kind][0].page for some in (shuffled, by_kind))
        assert drawing.draw(one, ["png"]) == drawing.draw(other, ["png"])


def test_runs_that_carry_little_leave_no_trace_of_the_rest() -> None:
    made = {sheet.kind for sheet in sheets(analyse(stored([record()])), [])}
    assert made == {Kind.OUTCOMES, Kind.INCIDENCE}


def test_the_report_shows_every_kind_once_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "figure_of", lambda page: None)
    monkeypatch.setattr(drawing, "encode", lambda figure, suffix: b"")
    write_report(stored(of_every_kind()), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    places = [text.index(f"\n## {heading}\n") for heading in HEADINGS.values()]
    assert places == sorted(places)
    assert all(text.count(f"\n## {heading}\n") == 1 for heading in HEADINGS.values())
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert drawn
    assert [name for name in drawn if text.count(f"(figures/{name}.png)") != 1] == []


def test_a_caption_says_that_solved_runs_were_stopped() -> None:
    found = analyse(stored([record(stop_on_solved=True)]))
    assert "diverged before solving" in caption(Kind.LENGTH, found)
    assert "diverged before solving" not in caption(Kind.PROFILE, found)
    assert "diverged before solving" not in caption(Kind.LENGTH, analyse(stored([record()])))


def test_every_kind_of_page_is_drawn_by_somebody(by_kind: dict[Kind, list[Sheet]]) -> None:
    pages = {type(sheet.page) for some in by_kind.values() for sheet in some}
    assert pages == set(drawing.DRAWN_BY)
