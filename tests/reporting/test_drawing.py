"""Figures are the same to the byte, by whichever process they are drawn."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.reporting import drawing
from bench.reporting.bands import Band
from bench.reporting.drawing import FEW_PAGES, Page, draw_all
from bench.reporting.figures.line_page import LinePage, PanelRow
from bench.reporting.figures.matrix_page import MatrixPage, MatrixPanel
from bench.reporting.figures.style import line_styles
from bench.reporting.writing import write_report
from tests.reporting.made_up import stored, story

NUM_PAGES = 6


def line_page(number: int) -> LinePage:
    x = np.arange(1.0, 4.0)
    band = Band(x, x * 10.0**number, None)
    row = PanelRow("loss", [{"none": band}])
    return LinePage(f"page {number}", ["lstm"], [row], "update", True, line_styles(["none"]))


def pages() -> list[Page]:
    matrix = MatrixPanel("task", ["none"], ["lstm"], np.array([[0.5]]), [["1/2 div."]])
    return [MatrixPage([[matrix]]), *map(line_page, range(NUM_PAGES - 1))]


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "FEW_PAGES", 1)


@pytest.fixture(scope="module")
def drawn_here() -> list[drawing.Content]:
    return [drawing.draw(page) for page in pages()]


@pytest.mark.usefixtures("few_are_many")
def test_other_processes_draw_the_same_in_the_same_order(
    drawn_here: list[drawing.Content],
) -> None:
    assert len({content["png"] for content in drawn_here}) == NUM_PAGES
    assert list(draw_all(pages(), processes=2)) == drawn_here


@pytest.mark.usefixtures("few_are_many")
def test_what_a_killed_process_was_to_draw_is_drawn_here(
    drawn_here: list[drawing.Content], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAWS_HERE", str(os.getpid()))
    monkeypatch.setattr(drawing, "draw", die_elsewhere)
    assert list(draw_all(pages(), processes=2)) == drawn_here


def die_elsewhere(
    page: Page,
    formats: Sequence[str],
    draw: Callable[[Page, Sequence[str]], drawing.Content] = drawing.draw,
) -> Any:
    if os.environ["DRAWS_HERE"] != str(os.getpid()):
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(page, formats)


def test_no_more_pages_are_made_than_are_being_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "encode", lambda figure, suffix: b"")
    made: list[int] = []

    def one_by_one() -> Iterator[Page]:
        for number in range(FEW_PAGES + 30):
            made.append(number)
            yield line_page(number)

    for num_drawn, _ in enumerate(draw_all(one_by_one(), processes=1), start=1):
        assert len(made) <= num_drawn + FEW_PAGES + 1


@pytest.mark.usefixtures("few_are_many")
def test_a_report_by_several_processes(tmp_path: Path) -> None:
    runs = stored([story(0, kind="learns", length=5)])
    for processes in (1, 2):
        write_report(runs, tmp_path / str(processes), processes=processes)
    one, other = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "1", tmp_path / "2")
    )
    assert one == other
    assert sum(name.endswith(".png") for name in one) == 4
