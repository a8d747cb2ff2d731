"""Which files are options, and by which names they are selected."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.planning import config_files, describe, plan
from bench.records import BadInput


def refusal(overrides, conf) -> str:
    with pytest.raises(BadInput) as caught:
        plan(overrides, conf)
    assert str(caught.value).isprintable()  # so it is one line
    return str(caught.value)


def leave_about(folder: Path, suffix: str) -> None:
    """What editors and systems leave in a folder."""
    (folder / f".#lock{suffix}").symlink_to("nobody@nowhere.1234")
    (folder / f"dangling{suffix}").symlink_to("nowhere")
    (folder / f"._resources{suffix}").write_bytes(b"\0\5\x16\7\xff")
    (folder / f"_private{suffix}").write_text("a: [")
    (folder / f"folder{suffix}").mkdir()


def test_hidden_entries_and_folders_are_no_options(conf):
    before = {group: config_files.options(conf, group) for group in ("experiment", "task")}
    text = describe.text(conf)
    for group in ("experiment", "task", "protocol"):
        leave_about(conf / group, ".yaml")
    assert {group: config_files.options(conf, group) for group in before} == before
    assert describe.text(conf) == text
    assert plan(["experiment=smoke"], conf).runs
    for name in ("folder", "dangling", "._resources", "_private"):
        assert "there is no such experiment" in refusal([f"experiment={name}"], conf)


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="needs a file that fails to be read"
)
def test_a_file_that_fails_while_it_is_read(conf):
    file = conf / "experiment" / "trial.yaml"
    file.symlink_to("/proc/self/mem")  # whose first page cannot be read
    assert refusal(["experiment=trial"], conf) == (
        "conf/experiment/trial.yaml: cannot be read: Input/output error"
    )
    with pytest.raises(BadInput, match="cannot be read: Input/output error"):
        config_files.options(conf, "experiment")


@pytest.mark.parametrize("name", ["2024", "2024_01", "1e3", "true", "007", "a b"])
def test_an_experiment_with_an_odd_name_is_selected_by_it(name, conf, experiment):
    experiment("grid: {task: [adding]}\nseeds: [77]\n", name=name)
    planned = plan([f"experiment={name}"], conf)
    assert (planned.name, planned.seeds) == (name, (77,))
    experiment(f"defaults: ['{name}']\n")
    assert plan(["experiment=trial"], conf).seeds == (77,)


@pytest.mark.parametrize("name", ["null", "a,b", "ü", "x'y"])
def test_other_names_are_selected_in_quotes(name, conf, experiment):
    experiment("grid: {task: [adding]}\nseeds: [77]\n", name=name)
    assert plan([f'experiment="{name}"'], conf).seeds == (77,)
    assert refusal([f"experiment={name}"], conf)


def test_the_first_comment_is_shown_without_what_a_terminal_obeys(conf, experiment):
    experiment("# \x1b[31mRed\x1b[0m and \x9b2J\u202ebidi.\n", name="a\x1b[2Jb")
    (summary,) = (
        summary
        for name, summary in config_files.options(conf, "experiment").items()
        if name.startswith("a")
    )
    assert summary == "[31mRed [0m and 2J bidi"
    text = describe.text(conf)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert "a [2Jb" in refusal(["experiment=nonesuch"], conf)
