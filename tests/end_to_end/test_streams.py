"""Output that goes nowhere, ctrl-C too early, no folder to stand in: never a traceback."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results.checking import check
from bench.results.store import Store
from tests.end_to_end.conftest import COMMAND, SMALL

MORE = shlex.join([*SMALL, "seeds=3"])
FULL = "standard output takes nothing more: No space left on device"


@pytest.fixture
def store(tmp_path, monkeypatch, finished) -> Path:
    """A complete store in the current folder."""
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(finished / "store", tmp_path / "store")


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`line` with `bench` in it; PIPESTATUS is that of the first command of a pipe."""
    script = f'bench() {{ {shlex.join(COMMAND)} "$@"; }}; {line}; exit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | variables,
    )


def test_a_full_disk_behind_standard_output_is_one_line(store):
    for command in ("list mitigations", f"run {MORE}"):
        done = shell(f"bench {command} > /dev/full")
        assert (done.returncode, done.stderr) == (1, f"bench: {FULL}\n")
    assert check(store).counts["current"] >= 4


def test_a_reader_who_has_seen_enough_is_not_worth_a_word(store):
    for command in ("list mitigations --json", f"run {shlex.join(SMALL)}"):
        done = shell(f"bench {command} | true")  # which ends before anything is written
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize(
    ("closed", "command", "code"),
    [
        (">&-", f"run {shlex.join(SMALL)}", 0),
        ("2>&-", "rum", 2),
        ("2>/dev/full", "rum", 2),
        (">&- 2>&- <&-", f"run {MORE}", 0),
    ],
)
def test_closed_streams_are_nobody_listening(store, closed, command, code):
    done = shell(f"bench {command} {closed}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    # Nothing that was printed went into a file that was given a closed number.
    assert check(store).findings == ()
    assert check(store).counts == {"current": 6 if command == f"run {MORE}" else 4}


def test_few_letters_cost_the_others_and_no_more(store):
    with Store(store) as kept:
        run_id = next(iter(kept.digests()))
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    usual, plain = (shell(f"bench show {run_id} store", **few) for few in ({}, ascii_only))
    assert usual.returncode == plain.returncode == 0
    assert plain.stderr == ""
    assert plain.stdout.isascii()
    assert not usual.stdout.isascii()
    assert len(plain.stdout) == len(usual.stdout)


@pytest.mark.parametrize("module", ["numpy", "hydra", "rich.console"])
def test_ctrl_c_while_something_is_still_being_loaded(tmp_path, module):
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from bench.cli import main\n"
        "sys.exit(main(['run', 'task=adding', 'seeds=1', 'results=store']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "bench: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_gone(store, tmp_path):
    gone = f"mkdir gone; cd gone; rmdir {tmp_path / 'gone'}; export PYTHONSAFEPATH=1"
    done = shell(f"{gone}; bench run task=adding --dry-run")
    assert done.returncode == 2
    assert done.stderr == "bench: the current folder was removed; cd to one that is there\n"
    done = shell(f"{gone}; bench export {store}")
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_has_a_home(store):
    """A user without home and name, as containers have them."""
    variables = "-u HOME -u XDG_CACHE_HOME -u XDG_CONFIG_HOME -u USER -u LOGNAME"
    done = shell(f"env {variables} {shlex.join(COMMAND)} run {MORE}")
    assert (done.returncode, done.stderr) == (0, "")
