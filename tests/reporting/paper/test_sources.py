from __future__ import annotations

from pathlib import Path

import pytest

from bench.records import BadInput
from bench.reporting.paper.macros import all_macros
from bench.reporting.paper.sources import named, opened_sources
from bench.results.packing import pack
from bench.results.store import Store
from tests.reporting.made_up import record
from tests.reporting.paper import made_up_paper as made_up


def empty_stores(folder: Path, *names: str) -> None:
    for name in names:
        made_up.store(folder / name, [])


def test_the_baseline_is_read_with_the_main_source_first(tmp_path: Path) -> None:
    empty_stores(tmp_path, "main", "depth", "thresholds/one", "thresholds/two")
    (tmp_path / "notes").mkdir()
    found = named([], tmp_path)
    assert [source.name for source in found] == ["main", "depth", "thresholds"]
    assert [path.name for path in found[2].folders] == ["one", "two"]


def test_the_baseline_may_be_one_store(tmp_path: Path) -> None:
    empty_stores(tmp_path, ".")
    (source,) = named([], tmp_path)
    assert (source.name, source.folders) == ("main", [tmp_path])


def test_folders_that_are_named_come_under_their_names(tmp_path: Path) -> None:
    empty_stores(tmp_path, "paper_small", "thresholds", "lr=1")
    folders = [str(tmp_path / name) for name in ("paper_small", "thresholds", "lr=1")]
    found = named([folders[0], folders[1], f"rates={folders[2]}"])
    assert [source.name for source in found] == ["main", "thresholds", "rates"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no results.sqlite"),
        (["a", "x=a", "x=b"], "two sources"),
        (["a", "main=b"], "two sources"),
        (["a", "1b"], "give NAME=DIR"),
        ([], "main: there is no store"),
    ],
)
def test_bad_sources_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    empty_stores(tmp_path, "a", "b", "1b")
    with pytest.raises(BadInput, match=words) as caught:
        named(arguments, tmp_path / "baseline")
    assert "\n" not in str(caught.value)


def test_a_source_without_results_is_refused(tmp_path: Path) -> None:
    made_up.store(tmp_path, [record(seed=2_000_000)])
    with (
        pytest.raises(BadInput, match="no run on an evaluation seed"),
        opened_sources(named([str(tmp_path)])),
    ):
        pass


def test_the_stores_of_a_source_are_read_as_one(tmp_path: Path) -> None:
    runs = made_up.runs(lengths=[15])
    made_up.store(tmp_path / "one", runs[::2])
    made_up.store(tmp_path / "two", [*runs[1::2], runs[0]])
    made_up.store(tmp_path / "whole", runs)
    texts = []
    for arguments in ([f"main={tmp_path}/whole"], [f"main={tmp_path}/parts"]):
        if arguments[0].endswith("parts"):
            (tmp_path / "parts").mkdir()
            for name in ("one", "two"):
                (tmp_path / name).rename(tmp_path / "parts" / name)
        with opened_sources(named(arguments)) as found:
            assert found.alarms == []
            texts.append(
                {n: (m.text, sorted(m.run_ids)) for n, m in all_macros(found.materials).items()}
            )
    assert texts[0] == texts[1]


def test_a_packed_baseline_gives_the_same_material(tmp_path: Path) -> None:
    """Beside an ordinary store; of the runs all is the same but their curves."""
    told = []
    made_up.store(tmp_path / "whole" / "main", made_up.runs(lengths=[15], num_seeds=1))
    made_up.store(tmp_path / "whole" / "depth", [record(seed=0)])
    made_up.store(tmp_path / "packed" / "depth", [record(seed=0)])
    with Store(tmp_path / "whole" / "main") as store:
        pack(store, tmp_path / "packed" / "main", with_tables=False)
    for baseline in ("whole", "packed"):
        with opened_sources(named([], tmp_path / baseline)) as found:
            told.append([(one.name, one.runs) for one in found.materials])
    assert [len(runs) for _, runs in told[0]] == [3 + 2 * 3 * 2 + 2 * 3 * 5, 1]
    assert told[0] == told[1]
