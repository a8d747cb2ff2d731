from __future__ import annotations

import io
from pathlib import Path

from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.screen import print_summary
from bench.reporting.summaries import summarise
from bench.reporting.writing import Report
from tests.reporting.made_up import stored, whole_report

FOLDER = Path("results/demo/report")


def made() -> Report:
    collected = collect(stored(whole_report(num_seeds=2)))
    return Report(
        folder=FOLDER,
        summaries=[summarise(cell) for cell in group(collected)],
        not_counted=[run for cell in collected.values() for run in cell.not_counted],
        alarms=["run 01 contradicts run 02"],
        files=[
            FOLDER / name for name in ("tables/a.csv", "tables/a.md", "figures/a.png", "report.md")
        ],
    )


def printed(report: Report) -> str:
    file = io.StringIO()
    print_summary(report, file)
    return file.getvalue()


def test_without_a_terminal_it_is_plain_text() -> None:
    text = printed(made())
    assert text.isascii()
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "adding: mse on test data, lower is better, chance 0.167\n" in text


def test_it_says_what_was_not_counted_what_contradicts_and_what_stands_where() -> None:
    text = printed(made())
    assert "not counted: 2 failed, 1 timeout (listed in the report)\n" in text
    assert "contradiction: run 01 contradicts run 02\n" in text
    assert "report:  results/demo/report/report.md\n" in text
    assert "tables:  results/demo/report/tables (1 as .csv, .md)\n" in text
    assert "figures: results/demo/report/figures (1 as .png)\n" in text


def test_every_cell_stands_in_the_tables_once() -> None:
    report = made()
    text = printed(report)
    ran = [summary for summary in report.summaries if summary.num_runs]
    counts = [f" {one.num_diverged}/{one.num_runs} diverged" for one in ran]
    for count in set(counts):
        assert text.count(count) == counts.count(count)
    assert text.count("| 2 failed ") == 1
