from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest

from bench.records import Outcome, RunRecord
from bench.reporting.cell_tables import outcomes_table
from bench.reporting.cells import group
from bench.reporting.collection import collect
from bench.reporting.formats import render
from bench.reporting.solved_by_block import MAX_BLOCKS, solved_by_block
from bench.reporting.summaries import CellSummary, summarise
from bench.reporting.tables import Column, Emphasis, Table, build
from tests.reporting.latex import needs_latex, set_by_latex
from tests.reporting.made_up import record, stored

BOLD, DAGGER, PLAIN = Emphasis.BOLD, Emphasis.DAGGER, Emphasis.NONE


def runs(
    mitigation: str, num_solved: int, *, diverged: int = 0, seeds: int = 16, **of_spec: Any
) -> list[RunRecord]:
    """The first seeds solve, the last diverge."""
    return [
        record(
            Outcome.DIVERGED if seed >= seeds - diverged else Outcome.COMPLETED,
            solved_step=80 if seed < num_solved else None,
            seed=seed,
            mitigation=mitigation,
            **of_spec,
        )
        for seed in range(seeds)
    ]


def summaries(records: list[RunRecord]) -> list[CellSummary]:
    return [summarise(cell) for cell in group(collect(stored(records)))]


def one_block(**of_spec: Any) -> list[RunRecord]:
    """16 of 16, 12 of 16 (p = 1/8) and 2 of 16 (p = 2^-13, once by 3: worse)."""
    return [
        *runs("none", 2, diverged=9, **of_spec),
        *runs("clip_norm", 12, diverged=3, **of_spec),
        *runs("orthogonal", 16, **of_spec),
    ]


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(table, "csv"))))


def test_each_entry_has_its_counts_and_its_mark() -> None:
    (table,) = solved_by_block(summaries(one_block()))
    assert table.name == "solved_by_block"
    assert table.lines == [
        ["none", "2/16 (9 div.)"],
        ["clip_norm", "12/16 (3 div.)"],
        ["orthogonal", "16/16"],
    ]
    assert table.emphases == [[PLAIN, PLAIN], [PLAIN, DAGGER], [PLAIN, BOLD]]
    assert "| **16/16** |" in render(table, "md")
    assert "| 12/16 (3 div.) † |" in render(table, "md")
    assert r"orthogonal & \textbf{16/16} \\" in render(table, "tex")
    assert r"12/16 (3 div.)\rlap{$^\dagger$} \\" in render(table, "tex")
    rows = read(table)
    standing = [row["adding, rnn_tanh, sgd: standing"] for row in rows]
    assert standing == ["worse", "not distinguishable", "best"]
    assert [row["adding, rnn_tanh, sgd: solved"] for row in rows] == ["2", "12", "16"]
    assert [row["adding, rnn_tanh, sgd: diverged"] for row in rows] == ["9", "3", "0"]


def test_the_table_of_outcomes_has_the_same_marks_for_eyes_and_machines() -> None:
    table = outcomes_table(summaries(one_block()))
    column = table.headings.index("Solved")
    assert [line[column] for line in table.emphases] == [PLAIN, DAGGER, BOLD]
    rows = read(table)
    assert [row["solved_standing"] for row in rows] == ["worse", "not distinguishable", "best"]
    p = [row["solved_standing_p_adjusted"] for row in rows]
    # 14, 4 and 10 of the seeds differ: p doubles the tail, and Holm multiplies by 3, 2 and 1.
    assert (float(p[0]), float(p[1]), p[2]) == (3 * 2**-13, 2**-3, "")


def test_marks_are_given_within_blocks_and_caption_says_what_they_depend_on() -> None:
    better_elsewhere = runs("none", 16, architecture="lstm") + runs(
        "clip_norm", 16, architecture="lstm"
    )
    (table,) = solved_by_block(summaries([*one_block(), *better_elsewhere]))
    assert table.headings == ["Mitigation", "adding\nlstm", "adding\nrnn_tanh"]
    assert [line[1] for line in table.emphases] == [BOLD, BOLD, PLAIN]
    assert [line[2] for line in table.emphases] == [PLAIN, DAGGER, BOLD]
    assert table.lines[2][1] == "\N{EN DASH}"
    assert read(table)[2]["adding, lstm, sgd: standing"] == "not run"
    assert "depend on which mitigations entered" in table.caption
    assert "among 3 none can be called worse with fewer than 7 seeds" in table.caption


def test_three_seeds_tell_nobody_from_the_best() -> None:
    records = runs("none", 0, diverged=3, seeds=3) + runs("clip_norm", 3, seeds=3)
    (table,) = solved_by_block(summaries(records))
    assert [line[1] for line in table.emphases] == [DAGGER, BOLD]


def test_a_block_that_nobody_solved_and_a_method_alone_have_no_marks() -> None:
    nobody = runs("none", 0) + runs("clip_norm", 0)
    for records, why in (
        (nobody, "no mark: no run solved"),
        (runs("none", 5), "no mark: no other method to compare with"),
    ):
        (table,) = solved_by_block(summaries(records))
        assert {each for line in table.emphases for each in line} == {PLAIN}
        assert "Bold" not in table.caption
        assert read(table)[0]["adding, rnn_tanh, sgd: standing"] == why


def test_what_did_not_count_stands_where_the_counts_would() -> None:
    failed = [record(Outcome.FAILED, mitigation="omega", seed=seed) for seed in range(2)]
    (table,) = solved_by_block(summaries([*one_block(), *failed]))
    line = next(line for line in table.lines if line[0] == "omega")
    assert line[1] == "2 failed"
    assert [each[1] for each in table.emphases] == [PLAIN, DAGGER, PLAIN, BOLD]


def test_where_solved_runs_were_stopped_the_counts_of_diverged_ones_say_so() -> None:
    (table,) = solved_by_block(summaries(one_block(stop_on_solved=True)))
    assert table.lines[0][1] == "2/16 (9 div.*)"
    assert "* Solved runs were stopped" in table.caption


def test_more_blocks_than_fit_go_into_further_tables_and_none_is_lost() -> None:
    records = [
        one
        for length in range(MAX_BLOCKS + 2)
        for one in runs("none", length, settings={"adding": {"length": length}})
    ]
    first, second = solved_by_block(summaries(records))
    assert (first.name, second.name) == ("solved_by_block_1", "solved_by_block_2")
    assert (first.heading, second.heading) == (
        "Solved by block (1 of 2)",
        "Solved by block (2 of 2)",
    )
    assert len(first.headings) == 1 + MAX_BLOCKS
    shown = [*first.lines[0][1:], *second.lines[0][1:]]
    assert shown == [f"{length}/16" for length in range(MAX_BLOCKS + 2)]
    assert second.headings[1] == "adding\n(length=6)\nrnn_tanh"


def test_optimisers_stand_in_the_headings_where_they_differ() -> None:
    records = runs("none", 3) + runs("none", 4, optimizer="adam")
    (table,) = solved_by_block(summaries(records))
    assert table.headings[1:] == ["adding\nrnn_tanh\nadam", "adding\nrnn_tanh\nsgd"]


def test_the_order_of_the_runs_does_not_matter() -> None:
    records = [*one_block(), *one_block(architecture="lstm")]
    (table,) = solved_by_block(summaries(records))
    random.Random(0).shuffle(records)
    (shuffled,) = solved_by_block(summaries(records))
    assert render(table, "csv") == render(shuffled, "csv")
    assert render(table, "tex") == render(shuffled, "tex")


def marked(texts: list[str], emphasis: Emphasis) -> Table:
    columns: list[Column[str]] = [
        Column("a_b\n[c]|&", lambda text: text, {"a": lambda text: text}, is_text=True),
        Column("x", lambda text: text, {"x": lambda text: text}, emphasis=lambda _: emphasis),
    ]
    return build("marked", "Marked", "A caption.", columns, texts)


@pytest.mark.parametrize("emphasis", Emphasis)
def test_a_mark_goes_around_the_text_and_leaves_its_escapes(emphasis: Emphasis) -> None:
    text = r"{0} [1, -2] 50 % a_b * |"
    plain, found = (render(marked([text], each), "tex") for each in (PLAIN, emphasis))
    around = {PLAIN: "{}", BOLD: r"\textbf{{{}}}", DAGGER: r"{}\rlap{{$^\dagger$}}"}[emphasis]
    cell = plain.splitlines()[5].split(" & ")[1].removesuffix(r" \\")
    assert found.splitlines()[5].split(" & ")[1] == around.format(cell) + r" \\"
    assert "| a_b<br>[c]\\|& |" in render(marked([text], emphasis), "md")


@needs_latex
def test_latex_sets_marks_and_headings_of_several_lines(tmp_path: Path) -> None:
    tables = solved_by_block(summaries([*one_block(), *one_block(architecture="lstm")]))
    tables += [marked(["[x] * $ {} -1e-30", "*"], each) for each in Emphasis]
    assert not re.search(r"^! ", set_by_latex(tables, tmp_path), re.M)
