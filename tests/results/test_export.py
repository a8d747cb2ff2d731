"""Parquet that pandas reads in one line, with every number as it was."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.paths import PACKAGE
from bench.records import CURVE_COLUMNS, FLOW_COLUMNS, BadInput, RunRecord
from bench.results import export as exporting
from bench.results.export import export
from bench.results.export_columns import CURVES, FLOW, RUNS
from bench.results.store import Store
from tests.results import made_up_runs as made_up

NAMES = ["runs.parquet", "curves.parquet", "flow.parquet"]


def put(folder: Path, *records: RunRecord) -> Store:
    with Store.open(folder) as store:
        for record in records:
            result = record.outcome.is_result
            store.put(record, made_up.provenance(record.spec) if result else {})
    return Store(folder)


@pytest.fixture
def records(member_files: Callable[..., None]) -> list[RunRecord]:
    """A plain run, a diverged one under two mitigations, one that failed."""
    return [
        made_up.record(made_up.spec(0, ("none",)), solved_step=90),
        made_up.diverged(made_up.spec(1, ("orthogonal", "clip_norm"), float("inf"))),
        made_up.failed(made_up.spec(2)),
    ]


def test_pandas_reads_each_file_in_one_line(tmp_path: Path, records: list[RunRecord]) -> None:
    with put(tmp_path, *records) as store:
        paths = export([store], tmp_path)
    assert [path.relative_to(tmp_path) for path in paths] == [
        Path("export", name) for name in NAMES
    ]
    runs = pd.read_parquet(tmp_path / "export" / "runs.parquet").set_index("run_id")
    plain, wild, broken = (runs.loc[record.spec.run_id] for record in records)
    assert list(runs.status.loc[[record.spec.run_id for record in records]]) == [
        "current",
        "current",
        "failed",
    ]
    assert plain["mitigation"] == "none"
    assert plain["task.length"] == 100
    assert plain["architecture.gain"] == 1.5
    assert plain["optimizer.lr"] == 0.1
    assert plain["solved_step"] == 90
    assert plain["scores.final_validation_loss"] == 0.25
    assert plain["facts.metric"] == "loss"
    assert plain["events.loss_nan"] == 0
    assert plain["provenance.torch"] == "made up"
    assert wild["mitigation"] == "orthogonal+clip_norm"
    assert wild["mitigation.clip_norm.threshold"] == np.inf
    assert wild["outcome"] == "diverged"
    assert wild["first_event.kind"] == "gradient_inf"
    assert wild["first_event.time_step"] == 93
    assert wild["events.gradient_inf"] == 3
    assert wild["record_digest"] == records[1].digest
    assert broken["error"] == "Traceback: it broke"
    curves = pd.read_parquet(tmp_path / "export" / "curves.parquet")
    assert list(curves.columns) == ["run_id", *CURVE_COLUMNS]
    flow = pd.read_parquet(tmp_path / "export" / "flow.parquet")
    assert list(flow.columns) == ["run_id", *FLOW_COLUMNS]
    for table, of in ((curves, "curves"), (flow, "flow")):
        for record in records:
            rows = table[table.run_id == record.spec.run_id]
            for name, column in getattr(record, of).items():
                np.testing.assert_array_equal(rows[name].to_numpy(float), column)
            assert len(rows) == len(getattr(record, of).get("step", []))


def test_nan_is_not_null(tmp_path: Path, records: list[RunRecord]) -> None:
    with put(tmp_path, *records) as store:
        runs_file, curves_file, _ = export([store], tmp_path)
    runs = {row["run_id"]: row for row in pq.read_table(runs_file).to_pylist()}
    plain, wild, broken = (runs[record.spec.run_id] for record in records)
    assert np.isnan(wild["scores.final_validation_loss"])
    assert broken["scores.final_validation_loss"] is None
    assert plain["mitigation.clip_norm.threshold"] is None
    assert plain["first_event.step"] is None
    assert broken["provenance.torch"] is None
    curves = pq.read_table(curves_file)
    assert curves.column("training_loss").null_count == 0
    assert np.isnan(curves.column("training_loss").to_numpy()).sum() > 0


@pytest.mark.usefixtures("member_files")
def test_many_runs_are_written_group_by_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "RUNS_PER_GROUP", 4)
    monkeypatch.setattr(exporting, "ROWS_PER_GROUP", 14)
    records = [made_up.record(made_up.spec(seed)) for seed in range(10)]
    with put(tmp_path, *records) as store:
        sizes = ([4, 4, 2], [15, 15, 15, 5], [16, 16, 8])
        for path, rows in zip(export([store], tmp_path), sizes, strict=True):
            file = pq.ParquetFile(path)
            groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
            assert [group.num_rows for group in groups] == rows
            assert file.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.usefixtures("member_files")
def test_several_stores_are_one_table(tmp_path: Path) -> None:
    one, two, three = (made_up.record(made_up.spec(seed)) for seed in range(3))
    with put(tmp_path / "a", one, two) as first, put(tmp_path / "b", two, three) as second:
        runs, curves, _ = (
            pd.read_parquet(path) for path in export([first, second], tmp_path / "a")
        )
    assert sorted(runs.seed) == [0, 1, 2]
    assert len(curves) == 15


@pytest.mark.usefixtures("member_files")
def test_a_column_of_several_types_loses_nothing(tmp_path: Path) -> None:
    facts = [{"a": 1, "b": 1, "c": True}, {"a": 0.5, "b": "x", "c": 2**70}]
    records = [made_up.record(made_up.spec(i), facts=fact) for i, fact in enumerate(facts)]
    with put(tmp_path, *records) as store:
        runs = pd.read_parquet(export([store], tmp_path)[0]).sort_values("seed")
    assert list(runs["facts.a"]) == [1.0, 0.5]
    assert list(runs["facts.b"]) == ["1", "x"]
    assert list(runs["facts.c"]) == ["True", str(2**70)]


def types(path: Path) -> dict[str, tuple[str, str]]:
    """Column -> its type in the file, and in pandas."""
    frame = pd.read_parquet(path)
    return {
        field.name: (str(field.type), str(frame[field.name].dtype))
        for field in pq.read_schema(path)
    }


def test_types_are_the_same_whatever_the_runs(tmp_path: Path, records: list[RunRecord]) -> None:
    """None solved, one, or all; with a first event or without; failures alone, or nothing."""
    contents = ([], records[2:], records[1:], records[:2], records[:1], records)
    found = []
    for number, some in enumerate(contents):
        with put(tmp_path / str(number), *some) as store:
            found.append([types(path) for path in export([store], tmp_path / str(number))])
    settings = ("task.", "architecture.", "mitigation.", "optimizer.")
    everywhere = [
        [
            {name: kind for name, kind in one.items() if not name.startswith(settings)}
            for one in each
        ]
        for each in found
    ]
    assert all(each == everywhere[0] for each in everywhere)
    runs, curves, _ = everywhere[0]
    assert runs["solved_step"] == runs["seed"] == ("int64", "Int64")
    assert runs["stop_on_solved"] == runs["provenance.git_dirty"] == ("bool", "boolean")
    assert runs["scores.test_loss"] == curves["training_loss"] == ("double", "float64")
    assert runs["error"][0] == runs["provenance.torch"][0] == "string"
    # A setting has one type too, wherever there is a run with it.
    of_settings: dict[str, set[tuple[str, str]]] = {}
    for each in found:
        for name, kind in each[0].items():
            of_settings.setdefault(name, set()).add(kind)
    assert {name for name, kinds in of_settings.items() if len(kinds) > 1} == set()
    assert ("int64", "Int64") in of_settings["task.length"]
    assert ("double", "float64") in of_settings["optimizer.lr"]


def test_missing_whole_numbers_are_missing_and_the_others_whole(
    tmp_path: Path, records: list[RunRecord]
) -> None:
    with put(tmp_path, *records) as store:
        runs = pd.read_parquet(export([store], tmp_path)[0]).sort_values("seed")
    assert list(runs.solved_step.isna()) == [False, True, True]
    assert list(runs["first_event.step"].dropna()) == [5]
    assert runs.solved_step.sum() == 90


def test_an_empty_store(tmp_path: Path) -> None:
    with put(tmp_path) as store:
        frames = [pd.read_parquet(path) for path in export([store], tmp_path)]
    assert [len(frame) for frame in frames] == [0, 0, 0]
    assert [list(frame.columns) for frame in frames] == [[*RUNS], [*CURVES], [*FLOW]]


@pytest.mark.usefixtures("member_files")
def test_a_fact_of_another_type_is_bad_input_and_leaves_the_files(tmp_path: Path) -> None:
    with put(tmp_path, made_up.record()) as store:
        before = [path.read_bytes() for path in export([store], tmp_path)]
    wrong = made_up.record(made_up.spec(1), facts={"metric": 5})
    complaint = r"^facts\.metric is not string in every run"
    with put(tmp_path, wrong) as store, pytest.raises(BadInput, match=complaint):
        export([store], tmp_path)
    assert [(tmp_path / "export" / name).read_bytes() for name in NAMES] == before


def test_the_document_lists_every_column_with_its_type() -> None:
    document = (PACKAGE.parent / "docs" / "export.md").read_text("utf-8")
    for heading, columns in {"runs": RUNS, "curves": CURVES, "flow": FLOW}.items():
        section = document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        listed = re.findall(r"^\| `([^`]+)` \| (\w+) \|", section, re.MULTILINE)
        assert listed == [(name, str(kind)) for name, kind in columns.items()]


def test_a_second_export_replaces_the_first_at_once(
    tmp_path: Path, records: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    with put(tmp_path, records[0]) as store:
        first = [path.read_bytes() for path in export([store], tmp_path)]

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with put(tmp_path, *records[1:]) as store:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(BadInput, match="cannot be written: No space left on device"):
            export([store], tmp_path)
        folder = tmp_path / "export"
        assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
        assert [(folder / name).read_bytes() for name in NAMES] == first
        monkeypatch.undo()
        export([store], tmp_path)
    assert len(pd.read_parquet(folder / "runs.parquet")) == 3


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with put(tmp_path / "a") as store:
        (tmp_path / "a" / "export").write_text("x")
        with pytest.raises(BadInput, match="cannot be made a folder"):
            export([store], tmp_path / "a")
