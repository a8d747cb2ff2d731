from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.records import BadInput, Outcome
from bench.reporting.files import MANIFEST, publish
from bench.reporting.writing import Report, write_report
from tests.reporting.made_up import Stored, record, stored, story, whole_report

ROOT = Path(__file__).parents[2]
ELSEWHERE = """
import locale, random, sys
from pathlib import Path
from bench.reporting.writing import write_report
from tests.reporting.made_up import stored, whole_report
locale.setlocale(locale.LC_ALL, "")
runs = [
    run
    for run in stored(whole_report(num_seeds=2))
    if run.record.spec.task.name == "adding" or run.status == "failed"
]
random.Random(int(sys.argv[2])).shuffle(runs)
write_report(runs, Path(sys.argv[1]))
assert not {"torch", "wandb"} & set(sys.modules), "a report needs neither"
"""


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def small(folder: Path, **of_spec: str) -> Report:
    return write_report(stored([story(0, kind="learns", **of_spec)]), folder)


def test_a_report_has_every_table_and_figure_in_every_format(tmp_path: Path) -> None:
    report = write_report(stored(whole_report(num_seeds=2)), tmp_path / "report")
    names = set(contents(report.folder))
    for table in ("outcomes", "learning", "events", "not_estimable", "not_counted"):
        assert {f"tables/{table}.{suffix}" for suffix in ("csv", "md", "tex")} <= names
    for figure in ("outcomes", "loss_and_gradient_norm_adding", "gradient_flow_digits"):
        assert {f"figures/{figure}.{suffix}" for suffix in ("pdf", "png")} <= names
    assert {file.relative_to(report.folder).as_posix() for file in report.files} == names - {
        MANIFEST
    }
    text = (report.folder / "report.md").read_text(encoding="utf-8")
    links = [link for link in names if link.startswith(("tables/", "figures/"))]
    assert [link for link in links if f"({link})" not in text] == []


def test_the_same_runs_give_the_same_bytes_in_any_order_place_and_language(tmp_path: Path) -> None:
    places = (
        {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1", "MPLBACKEND": "svg"},
        {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "2", "COLUMNS": "40"},
    )
    processes = []
    for index, place in enumerate(places):
        home = tmp_path / f"place {index}"
        home.mkdir()
        (home / "matplotlibrc").write_text(f"axes.facecolor: 0.{index + 5}\n")
        matplotlibs = {"MATPLOTLIBRC": str(home), "MPLCONFIGDIR": str(home)}
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", ELSEWHERE, str(home / "report"), str(index)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **matplotlibs, **place},
        )
        processes.append(process)
    assert [process.wait() for process in processes] == [0, 0]
    one, other = (contents(tmp_path / f"place {index}" / "report") for index in range(2))
    assert one == other
    assert len(one) > 20


def test_an_error_halfway_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    small(folder)
    before = contents(folder)

    def broken() -> object:
        yield "tables/outcomes.csv", b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(folder, broken())  # type: ignore[arg-type]
    assert contents(folder) == before


def test_figures_of_the_report_before_go_and_files_from_elsewhere_stay(tmp_path: Path) -> None:
    small(tmp_path)
    mine = tmp_path / "figures" / "mine.png"
    mine.write_bytes(b"mine")
    small(tmp_path, task="digits")
    names = set(contents(tmp_path))
    assert "figures/gradient_flow_digits.png" in names
    assert "figures/gradient_flow_adding.png" not in names
    assert mine.read_bytes() == b"mine"


def test_a_manifest_that_was_tampered_with_removes_nothing_outside(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("x")
    folder = tmp_path / "report"
    small(folder)
    (folder / MANIFEST).write_text(f"../precious\n{precious}\n\n.\n")
    small(folder)
    assert precious.exists()


def test_a_folder_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.write_text("a file")
    with pytest.raises(BadInput, match="cannot be written") as caught:
        small(file)
    assert "\n" not in str(caught.value)
    assert file.read_text() == "a file"


def test_no_runs_are_bad_input_and_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no runs"):
        write_report([], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_failures_alone_make_a_report_that_says_so(tmp_path: Path) -> None:
    runs = [record(Outcome.FAILED, seed=seed, error="x\nValueError: | <b>") for seed in (1, 0)]
    report = write_report(stored(runs), tmp_path)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "0 runs in 0 cells" in text
    assert "not counted, and listed below: 2 failed" in text
    assert "ValueError: \\| \\<b\\>" in text
    assert report.summaries[0].num_runs == 0
    assert [run.record.spec.seed for run in report.not_counted] == [0, 1]


def test_it_says_what_the_results_were_made_with(tmp_path: Path) -> None:
    told = {
        "suite_version": "0.1.0",
        "git_commit": "0123456789abcdef",
        "git_dirty": True,
        "python": "3.11.7",
        "torch": "2.13.0",
        "numpy": "2.4.0",
        "cpu_model": "Intel Xeon",
        "cpu_capability": "AVX512",
        "kernels": "avx512",
    }
    other = told | {"torch": "2.12.1", "cpu_model": "AMD EPYC", "git_dirty": False}
    runs = [
        *(Stored(record(seed=seed), "current", told, 2) for seed in range(3)),
        Stored(record(seed=3), "current", other, 2),
        Stored(record(seed=4), "stale", told | {"torch": "1.0"}, 1),  # counts nowhere
        Stored(record(Outcome.FAILED, seed=5), "failed"),
    ]
    texts = []
    for number, order in enumerate((runs, runs[::-1])):
        write_report(order, tmp_path / str(number))
        texts.append((tmp_path / str(number) / "report.md").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    section = texts[0].partition("## Made with\n\n")[2].partition("\n\n")[0]
    assert section.splitlines() == [
        "- code: version 0.1.0, 0123456789ab with changes (3 runs), "
        "version 0.1.0, 0123456789ab (1 run)",
        "- semantics version: 2",
        "- python: 3.11.7",
        "- torch: 2.13.0 (3 runs), 2.12.1 (1 run)",
        "- numpy: 2.4.0",
        "- processor: Intel Xeon (AVX512) (3 runs), AMD EPYC (AVX512) (1 run)",
        "- kernels: avx512",
    ]


def test_contradicting_results_stand_at_the_top(tmp_path: Path) -> None:
    alarm = "run 0123: a and b hold different results"
    write_report(stored([record()]), tmp_path, alarms=[alarm])
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.index(alarm) < text.index("## Settings")
