from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.records import Event, EventKind, Outcome, RunRecord
from bench.reporting.cell_tables import learning_table, outcomes_table
from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.cost_table import costs_table
from bench.reporting.endings import endings, short_endings
from bench.reporting.events import event_rows
from bench.reporting.formats import FORMATS, latex_text, markdown_text, render
from bench.reporting.list_tables import events_table, not_counted_table, not_estimable_table
from bench.reporting.summaries import CellSummary, summarise
from bench.reporting.tables import Column, Table, build
from bench.reporting.unestimable import missing
from tests.reporting.latex import needs_latex, set_by_latex
from tests.reporting.made_up import record, stored, whole_report

DIVERGED = Outcome.DIVERGED


def summaries(runs: list[RunRecord]) -> list[CellSummary]:
    return [summarise(cell) for cell in group(collect(stored(runs)))]


def whole_tables() -> list[Table]:
    found = summaries(whole_report())
    cells = [one.cell for one in found]
    not_counted = [run for cell in cells for run in cell.not_counted]
    return [
        outcomes_table(found),
        learning_table(found),
        costs_table(found),
        events_table([row for cell in cells for row in event_rows(cell)], cells),
        not_counted_table(not_counted),
    ]


def of_texts(texts: list[str]) -> Table:
    """One text a line beside a number, to see what becomes of it."""
    columns: list[Column[str]] = [
        Column("Name", lambda text: text, {"name": lambda text: text}, is_text=True),
        Column("Number", lambda _: "-1.5", {"number": lambda _: -1.5}),
    ]
    return build("texts", "Texts", "A caption.", columns, texts)


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv"))))


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_file_says_nan(suffix: str) -> None:
    for table in whole_tables():
        text = render(table, suffix)
        assert not re.search(r"(?<![\w.])(nan|NaN|None|null|inf)(?![\w.])", text)


def test_a_column_holds_numbers_or_words_and_never_both() -> None:
    for table in whole_tables():
        frame = pd.read_csv(
            io.StringIO(render(table, "csv")), keep_default_na=False, na_values=[""]
        )
        for name in table.field_names:
            kinds = {type(row[name]) for row in table.records} - {type(None)}
            assert kinds <= {int, float} or kinds == {str}, (table.name, name)
            is_number = kinds <= {int, float}
            assert pd.api.types.is_numeric_dtype(frame[name]) == is_number, (table.name, name)
            if not is_number:
                assert frame[name].notna().all(), (table.name, name)


def test_where_there_is_no_number_another_column_says_why() -> None:
    runs = [*whole_report(), record(steps=77)]
    frame = pd.read_csv(io.StringIO(render(learning_table(summaries(runs)), "csv")))
    for key in ("steps_to_solve", "test_metric"):
        numbers = frame[[name for name in frame if name.startswith(f"{key}_")]]
        numbers = numbers.drop(columns=f"{key}_note")
        for (_, row), note in zip(
            numbers.iterrows(), frame[f"{key}_note"].fillna("none"), strict=True
        ):
            missing = [name.removeprefix(f"{key}_") for name in row[row.isna()].index]
            assert [part.split(": ")[0] for part in note.split("; ")] == (missing or ["none"])


def test_a_machine_reads_numbers_and_in_a_column_of_their_own_words() -> None:
    runs = [
        *(record(seed=seed, metric=0.1 + seed, solved_step=100) for seed in range(2)),
        *(record(DIVERGED, seed=seed) for seed in range(2, 5)),
        record(architecture="lstm", metric=math.nan),
    ]
    rows = read(learning_table(summaries(runs)))
    lstm, tanh = rows
    assert tanh["steps_to_solve_median"] == ""
    assert tanh["steps_to_solve_lower_quartile"] == "100"
    assert tanh["steps_to_solve_note"] == "median: not reached; upper_quartile: not reached"
    assert (tanh["test_metric_lowest"], tanh["test_metric_median"]) == ("0.1", "")
    assert tanh["test_metric_note"].startswith("median: diverged; ")
    assert lstm["test_metric_median"] == ""
    assert lstm["test_metric_note"].startswith("median: not estimable; ")
    assert "lower_quartile: not estimable" in lstm["steps_to_solve_note"]


def test_pandas_reads_counts_as_numbers() -> None:
    table = outcomes_table(summaries(whole_report()))
    frame = pd.read_csv(io.StringIO(render(table, "csv")))
    ended = frame[["diverged", "frozen", "completed"]].sum(axis=1)
    np.testing.assert_array_equal(ended, frame["runs"])
    assert frame["runs"].sum() == sum(run.outcome.is_result for run in whole_report())


def test_every_run_is_counted_or_not_counted_and_the_number_stands_beside_the_cell() -> None:
    frame = pd.read_csv(io.StringIO(render(outcomes_table(summaries(whole_report())), "csv")))
    assert frame["runs"].sum() + frame["not_counted"].sum() == len(whole_report())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_text_cannot_become_a_formula(text: str) -> None:
    (row,) = read(of_texts([text]))
    assert row["name"] == f"'{text}"
    assert row["number"] == "-1.5"


def test_commas_and_quotes_survive_and_a_text_stays_on_its_line() -> None:
    rows = read(of_texts(['a, "b"\r\n\tc', "\r=1", "plain"]))
    assert [row["name"] for row in rows] == ['a, "b" c', "'=1", "plain"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip_norm", r"clip\_norm"),
        ("50 % & more #1", r"50 \% \& more \#1"),
        ("1.3e+30 [-1e-05, 2]", r"$1.3\times 10^{30}$ [$-1\times 10^{-5}$, 2]"),
        ("-0.5", r"$-$0.5"),
        ("v1e5 a-1", "v1e5 a-1"),
        ("[1, 2]", "{}[1, 2]"),
        ("* x", "{}* x"),
        ("> 2000 \N{EN DASH}", r"\textgreater{} 2000 --"),
        ("\\x{y}^~", r"\textbackslash{}x\{y\}\textasciicircum{}\textasciitilde{}"),
    ],
)
def test_latex_sees_text_and_numbers(text: str, expected: str) -> None:
    assert latex_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip_norm [1, 2]", "clip_norm [1, 2]"),
        ("a|b", r"a\|b"),
        ("_x_ *y* `z` <b>", r"\_x\_ \*y\* \`z\` \<b\>"),
        ("[click](http://x)", r"[click]\(http://x)"),
        ("two\nlines", "two lines"),
    ],
)
def test_markdown_sees_no_mark_up(text: str, expected: str) -> None:
    assert markdown_text(text) == expected


def test_rows_of_the_latex_table_have_as_many_cells_as_columns() -> None:
    for table in whole_tables():
        lines = render(table, "tex").splitlines()
        columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", lines[1])
        assert columns is not None
        rows = [line for line in lines if line.endswith(r" \\")]
        assert len(rows) == 1 + len(table.lines)
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(columns[1]) - 1}


def test_repeated_labels_are_left_blank_but_the_last_one_never() -> None:
    text = render(outcomes_table(summaries(whole_report())), "tex")
    assert text.count("rnn\\_tanh &") == 2
    assert not re.search(r"^ *&  *&  *& ", text, re.M)


@needs_latex
def test_latex_sets_all_tables(tmp_path: Path) -> None:
    nasty = of_texts(["[x] * $ & % # _ { } ~ ^ \\ < > | -1e-30", "*", ""])
    set_by_latex([*whole_tables(), nasty], tmp_path, "\\tiny")


def test_columns_that_never_vary_are_not_shown_to_a_reader() -> None:
    one = outcomes_table(summaries([record()]))
    assert one.headings[:3] == ["Task", "Architecture", "Mitigation"]
    rates = [record(settings={"sgd": {"lr": lr}}) for lr in (0.1, 0.2)]
    assert "Optimizer" in outcomes_table(summaries(rates)).headings
    types = [record(dtype=dtype) for dtype in ("float32", "float64")]
    assert "Settings" in outcomes_table(summaries(types)).headings


def test_where_solved_runs_were_stopped_divergence_is_that_before_solving() -> None:
    table = outcomes_table(summaries([record(stop_on_solved=True)]))
    assert "Diverged before solving" in table.headings
    (row,) = read(table)
    assert row["divergence_looked_for"] == "before solving"


def test_where_some_were_stopped_every_row_says_which_divergence_it_counts() -> None:
    found = summaries(
        [record(), record(stop_on_solved=True), record(task="digits", stop_on_solved=True)]
    )
    table = outcomes_table(found)
    column = table.headings.index("Diverged")
    stopped = [summary.cell.spec.stop_on_solved for summary in found]
    assert [line[column].endswith(" before solving") for line in table.lines] == stopped
    expected = {True: "before solving", False: "over the whole budget"}
    assert [row["divergence_looked_for"] for row in read(table)] == [expected[s] for s in stopped]
    assert [endings(one)[0].endswith("before solving") for one in found] == stopped
    assert [short_endings(one).split("\n")[0].endswith("*") for one in found] == stopped


def test_what_varies_in_the_report_is_shown_beside_every_event_and_every_gap() -> None:
    """Also where the runs that had events are all of one kind."""
    event = Event(EventKind.LOSS_INF, 3, "loss")
    runs = [
        record(DIVERGED, first_event=event, event_counts={"loss_inf": 1}),
        record(seed=1, settings={"sgd": {"lr": 0.01}}, dtype="float64"),
    ]
    found = summaries(runs)
    cells = [one.cell for one in found]
    rows = [row for cell in cells for row in event_rows(cell)]
    assert len({row.cell.cell_id for row in rows}) == 1
    gaps = missing(found[:1], [])
    for table in (events_table(rows, cells), not_estimable_table(gaps, cells)):
        assert {"Optimizer", "Settings"} < set(table.headings)
        assert table.lines
