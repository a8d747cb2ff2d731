"""What the commands refuse, and what they print. What they do is in end_to_end/."""

from __future__ import annotations

import json
import sqlite3

import pytest

from bench.cli import main
from bench.commands import COMMANDS
from bench.listing import LISTS
from bench.results.store import Store, StoreLost
from tests.results.mirrored import put_many
from tests.specs import spec


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def complaint(capsys, *arguments: str) -> str:
    """The one line on standard error of a command that is refused."""
    assert main(arguments) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    (line,) = errors.splitlines()
    assert line.startswith("bench: ")
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("rum", "rum: there is no such command (did you mean run?)"),
        ("run task=addding", "did you mean adding"),
        ("run task=adding mitigation=clip_nrm", "did you mean clip_norm"),
        ("run task=adding architecture=rnn_tanh+lstm", "architecture"),
        ("run task=adding lerning_rate=1", "lerning_rate"),
        ("run task=adding lr=-1", "above 0"),
        ("run task=adding lr=1e999", "finite"),
        ("run task=adding lr=nan", "lr"),
        ("run task=adding lr=fast", "a number above 0"),
        ("run task=adding length=0", "length=0"),
        ("run task=adding mitigation=clip_norm mitigation.clip_norm.threshold=0", "above 0"),
        ("run task=adding mitigation=clip_norm mitigation.clip_norm.threshold=nan", "threshold"),
        ("run task=adding seeds=0", "seeds=0"),
        ("run task=adding seeds=[-1]", "at least 0"),
        ("run task=adding seeds=[3,3]", "twice"),
        ("run task=adding hidden_size=10000000", "memory"),
        ("run task=adding device=cuda", "only cpu"),
        ("run", "task"),
        ("run task=[]", "task"),
        ("run task=adding architecture=mlp", "mlp"),
        ("run experiment=demmo", "demo"),
        ("run task=adding hydra.run.dir=x", "Hydra"),
        ("run task=adding executor.workers=0", "at least 1"),
        ("run task=adding --dry", "--dry"),
        ("run task=adding --cfg hydra", "--cfg"),
        ("list", "KIND"),
        ("list task", "did you mean tasks"),
        ("show", "RUN"),
        ("show abc", "results"),
        ("show abc nowhere", "results.sqlite"),
        ("report", "DIR"),
        ("report nowhere", "results.sqlite"),
        ("export nowhere", "results.sqlite"),
        ("sync nowhere --mode offline", "results.sqlite"),
        ("doctor nowhere", "results.sqlite"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(capsys, empty_folder, arguments, words):
    assert words in complaint(capsys, *arguments.split())
    assert list(empty_folder.iterdir()) == []


def test_a_results_folder_that_is_a_file_or_holds_other_data_is_refused(capsys, empty_folder):
    (empty_folder / "notes.txt").write_text("mine")
    (empty_folder / "folder").mkdir()
    (empty_folder / "folder" / "notes.txt").write_text("mine")
    for results in ("notes.txt", "folder", "notes.txt/inside"):
        for mode in ([], ["--dry-run"]):
            line = complaint(capsys, "run", "task=adding", f"results={results}", *mode)
            assert results in line
    assert [path.name for path in (empty_folder / "folder").iterdir()] == ["notes.txt"]


def test_a_mode_of_the_mirror_that_there_is_not_is_refused(capsys, empty_folder):
    Store.open("store").close()
    assert "did you mean online" in complaint(capsys, "sync", "store", "--mode", "on")


def test_a_run_is_named_by_how_its_id_begins(capsys, empty_folder):
    for folder in ("one", "two"):
        Store.open(f"results/{folder}").close()
    line = complaint(capsys, "show", spec().run_id[:6])
    assert "there is none" in line


def test_nothing_is_written_by_a_plan(capsys, empty_folder):
    assert main(["run", "task=adding", "seeds=3", "--dry-run"]) == 0
    assert "3 runs" in capsys.readouterr().out
    assert main(["run", "task=adding", "--cfg", "job"]) == 0
    assert "adding" in capsys.readouterr().out
    assert list(empty_folder.iterdir()) == []


def test_options_may_stand_between_overrides(capsys):
    assert main(["run", "task=adding", "--dry-run", "seeds=3"]) == 0
    assert "3 runs" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    for flag in ("-h", "--help"):
        assert main([command, flag]) == 0
        assert f"usage: bench {command}" in capsys.readouterr().out


def test_the_overview_names_every_command(capsys):
    for arguments in ([], ["--help"], ["-h"], ["help"]):
        assert main(arguments) == 0
        output = capsys.readouterr().out
        assert all(command in output for command in COMMANDS)
    assert main(["--version"]) == 0


def test_the_help_of_run_lists_the_groups_and_their_options(capsys):
    main(["run", "--help"])
    output = capsys.readouterr().out
    for words in ("rnn_tanh", "clip_norm", "experiment", "demo", "--dry-run", "seeds"):
        assert words in output


@pytest.mark.parametrize("kind", LISTS)
def test_lists_as_json_have_name_summary_and_reference(capsys, kind):
    assert main(["list", kind, "--json"]) == 0
    for entry in json.loads(capsys.readouterr().out):
        assert entry["name"]
        assert entry["summary"]
        assert isinstance(entry["reference"], str)
        for setting in entry["settings"]:
            assert set(setting) == {"name", "type", "default"}


def test_a_mitigation_is_listed_with_its_settings_and_facts(capsys):
    main(["list", "mitigations", "--json"])
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    clip = entries["clip_norm"]
    assert clip["settings"] == [
        {"name": "threshold", "type": "a number above 0, inf allowed", "default": 1.0}
    ]
    assert (clip["needs"], clip["nonfinite"], clip["portable"]) == ([], "propagates", True)
    assert "arXiv:1211.5063" in clip["reference"]


def test_there_are_no_claims_yet(capsys):
    assert main(["list", "claims", "--json"]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert main(["list", "claims"]) == 0


def test_ctrl_c_before_anything_runs_is_no_traceback(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.planning.plan", interrupted)
    assert main(["run", "task=adding"]) == 130
    assert capsys.readouterr().err == "bench: interrupted\n"


def test_a_full_disk_is_one_line(capsys, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("bench.execution.local.execute", full)
    assert main(["run", "task=adding", "results=store"]) == 1
    assert capsys.readouterr().err == "bench: results=store: database or disk is full\n"


def test_a_lost_store_is_one_line(capsys, monkeypatch):
    def lost(*_):
        raise StoreLost("results=store: the store was deleted")

    monkeypatch.setattr("bench.execution.local.execute", lost)
    assert main(["run", "task=adding", "results=store"]) == 1
    assert capsys.readouterr().err == "bench: results=store: the store was deleted\n"


@pytest.mark.parametrize("command", ["report", "export", "doctor", "sync", "show 0"])
def test_a_file_in_place_of_a_folder_is_told_with_what_mends_it(capsys, empty_folder, command):
    put_many(empty_folder / "store", 1)
    (empty_folder / "afile").write_text("x")
    line = complaint(capsys, *command.split(), "afile")
    assert line == "bench: afile: is a file; give the folder that holds results.sqlite"
    line = complaint(capsys, *command.split(), "store/results.sqlite")
    assert line.endswith("give the folder that holds results.sqlite, store")


@pytest.mark.parametrize("command", ["report", "export", "sync"])
def test_a_damaged_store_is_said_in_one_line(capsys, empty_folder, command):
    put_many(empty_folder / "store", 30)
    file = empty_folder / "store" / "results.sqlite"
    # The pages after the first, which makes it a store of ours, are overwritten.
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096))
    assert main([command, "store"]) != 0
    output, errors = capsys.readouterr()
    (line,) = (output + errors).strip().splitlines()
    assert "malformed" in line or "damaged" in line
    line = complaint(capsys, "run", "task=adding", "results=store")
    assert line.endswith("check it with: bench doctor store")
