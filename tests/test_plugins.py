"""Members from outside: named files and installed packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import commands, datasets, discovery, listing, plugins
from bench.acceptance.card import examine
from bench.execution import doctor
from bench.paths import CONF
from bench.planning import plan
from bench.planning.config_files import options
from bench.records import BadInput, MemberSpec
from bench.templates import write

GRID = ["task=adding", "architecture=rnn_tanh", "seeds=1"]


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    plugins.forget_files()


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    """A mitigation in a file of its own, named."""
    file, *_ = write("mitigation", "soft_clip", tmp_path)
    plugins.name_files([file])
    return file


@pytest.mark.parametrize("kind", discovery.KINDS)
def test_a_named_file_is_a_member_of_the_kind_that_it_states(kind: str, tmp_path: Path) -> None:
    file, *_ = write(kind, "mine", tmp_path)
    assert "mine" not in discovery.members(kind)
    plugins.name_files([file])
    assert [each for each in discovery.KINDS if "mine" in discovery.members(each)] == [kind]
    assert discovery.member(kind, "mine").path == file


def test_its_defaults_are_those_of_the_yaml_beside_it(rule: Path) -> None:
    grid = [*GRID, "mitigation=none,soft_clip+clip_norm"]
    soft, _ = plan(grid).runs[1].mitigation
    assert (soft.name, soft.settings) == ("soft_clip", {"threshold": 1.0})
    rule.with_suffix(".yaml").write_text("# @package mitigation.soft_clip\nthreshold: 7.0\n")
    assert plan(grid).runs[1].mitigation[0].settings == {"threshold": 7.0}
    (given,) = plan([*GRID, "mitigation=soft_clip", "mitigation.soft_clip.threshold=0.5"]).runs
    assert given.mitigation[0].settings == {"threshold": 0.5}


def test_an_experiment_may_set_it(rule: Path, tmp_path: Path) -> None:
    planned = plan([*GRID, "mitigation=soft_clip", "mitigation.soft_clip.threshold=0.5,2.0"])
    saved = planned.config_text
    conf = tmp_path / "conf"
    conf.symlink_to(CONF)
    assert "soft_clip:\n    threshold:\n    - 0.5\n    - 2.0" in saved


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (None, "cannot be read"),
        ("threshold: 1.0\n", "its first line must be: # @package mitigation.soft_clip"),
        ("# @package mitigation.soft_clip\nthreshold: 0.0\n", "must be a number above 0"),
        ("# @package mitigation.soft_clip\n", "has no default"),
    ],
)
def test_what_is_wrong_with_its_yaml_is_one_line(rule: Path, yaml: str, message: str) -> None:
    file = rule.with_suffix(".yaml")
    file.unlink() if yaml is None else file.write_text(yaml)
    with pytest.raises(BadInput, match=message) as refusal:
        plan([*GRID, "mitigation=soft_clip"])
    assert "soft_clip" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_editing_it_makes_it_another_member(rule: Path) -> None:
    before = discovery.member("mitigation", "soft_clip").digest
    rule.write_text(rule.read_text() + "# edited\n")
    discovery._members.cache_clear()
    assert discovery.member("mitigation", "soft_clip").digest != before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("no_file.py", None, "there is no such file"),
        ("folder", None, "must be one file NAME.py"),
        ("2fast.py", "", "must be one file NAME.py"),
        ("broken.py", "def", "not Python"),
        ("empty.py", "", "holds 0 public dataclasses"),
        ("clip_norm.py", None, "there are two"),
        ("kindless.py", "@dataclass\nclass A:\n    '''One.'''\n", "of which kind is it"),
    ],
)
def test_a_file_that_is_no_member_is_refused_in_one_line(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    file = tmp_path / name
    if name == "clip_norm.py":
        write("mitigation", "mine", tmp_path)
        (tmp_path / "mine.py").rename(file)
    elif text is not None:
        file.write_text(text)

    def name_it() -> None:
        plugins.name_files([file])
        discovery.members("mitigation")

    with pytest.raises(BadInput, match=message) as refusal:
        name_it()
    assert "\n" not in str(refusal.value)


def test_nothing_is_loaded_from_the_current_folder_by_itself(tmp_path: Path) -> None:
    write("mitigation", "soft_clip", tmp_path)
    (tmp_path / "mitigations").mkdir()
    write("mitigation", "hard_clip", tmp_path / "mitigations")
    listed = subprocess.run(
        [sys.executable, "-P", "-m", "bench", "list", "mitigations"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(discovery.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "clip_norm" in listed
    assert "soft_clip" not in listed
    assert "hard_clip" not in listed


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with a mitigation and an experiment."""
    folder = tmp_path / "their_clips"
    for part in ("mitigations", "conf/mitigation", "conf/experiment"):
        (folder / part).mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('nobody needs to import this')\n")
    _, yaml, test = write("mitigation", "soft_clip", folder / "mitigations")
    test.unlink()
    yaml.rename(folder / "conf/mitigation/soft_clip.yaml")
    (folder / "conf/experiment/theirs.yaml").write_text(
        "# @package _global_\n# Theirs\n"
        "grid: {task: [adding], mitigation: [none, soft_clip]}\nseeds: 2\n"
        "mitigation: {soft_clip: {threshold: 3.0}}\n"
    )
    installed = tmp_path / "their_clips-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: their-clips\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[bench.members]\ntheir_clips = their_clips\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._declared.cache_clear()
    discovery._members.cache_clear()
    yield folder
    plugins._declared.cache_clear()
    discovery._members.cache_clear()


def test_an_installed_package_adds_members_and_experiments(package: Path) -> None:
    found = discovery.member("mitigation", "soft_clip")
    assert found.module == "their_clips.mitigations.soft_clip"
    assert options(CONF, "experiment")["theirs"] == "Theirs"
    planned = plan(["experiment=theirs"])
    assert [run.mitigation_name for run in planned.cells] == ["none", "soft_clip"]
    assert planned.cells[1].mitigation[0].settings == {"threshold": 3.0}


def test_an_entry_point_without_a_package_keeps_nobody_from_the_others(package: Path) -> None:
    (package.parent / "their_clips-1.0.dist-info/entry_points.txt").write_text(
        "[bench.members]\nghost = no_such_package\ntheir_clips = their_clips\n"
    )
    plugins._declared.cache_clear()
    discovery._members.cache_clear()
    assert plan([*GRID, "mitigation=soft_clip"]).runs
    (orphan,) = plugins.orphans()
    assert orphan.startswith("entry point ghost of bench.members: no_such_package is not the name")
    assert listing.unreadable("tasks") == [orphan]
    assert finding(orphan).remedy
    with pytest.raises(BadInput, match=r"no such mitigation.*entry point ghost of bench.members"):
        plan([*GRID, "mitigation=of_the_ghost"])


def finding(state: str) -> doctor.Finding:
    """The one line of `bench doctor` that says it, which stops nobody."""
    (found,) = (each for each in doctor._plugins() if each.state == state)
    assert not found.is_fatal
    return found


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken", "def broken(:\n", "broken.py, line 1: not Python"),
        ("empty", "x = 1\n", "empty.py: holds 0 public dataclasses"),
        ("clip_norm", None, "mitigation clip_norm: there are two, .*; rename or uninstall one"),
    ],
)
def test_one_bad_file_of_a_package_stops_who_asks_for_it_alone(
    package: Path, name: str, text: str | None, message: str
) -> None:
    good = package / "mitigations/soft_clip.py"
    (package / f"mitigations/{name}.py").write_text(good.read_text() if text is None else text)
    discovery._members.cache_clear()
    assert plan([*GRID, "mitigation=none,soft_clip"]).runs
    assert plan(["task=digits", "architecture=mlp"]).runs
    assert name not in [entry["name"] for entry in listing.entries("mitigations")]
    (line,) = listing.unreadable("mitigations")
    assert finding(line).remedy
    for asked in (name, "none,soft_clip," + name, "all", "glob(*)"):
        with pytest.raises(BadInput, match=rf"mitigation={name}: .*{message}") as refusal:
            plan([*GRID, f"mitigation={asked}"])
        assert "\n" not in str(refusal.value)


def test_what_is_not_listed_is_told_beside_the_list(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "mitigations/broken.py").write_text("def broken(:\n")
    discovery._members.cache_clear()
    assert commands.run(["list", "mitigations", "--json"]) == 0
    printed = capsys.readouterr()
    assert "soft_clip" in [entry["name"] for entry in json.loads(printed.out)]
    assert "bench: not listed: " in printed.err
    assert "broken.py, line 1: not Python" in printed.err


def test_the_batches_of_a_task_do_not_depend_on_a_comment_in_its_file(tmp_path: Path) -> None:
    file, *_ = write("task", "echo", tmp_path)
    plugins.name_files([file])
    settings = discovery.defaults("task", "echo")
    batches = []
    for _ in range(2):
        task = discovery.build("task", MemberSpec("echo", settings))
        assert task.name == "echo"
        batches.append(task.training_batch(1, 0).inputs.tobytes())
        file.write_text(file.read_text() + "# a comment\n")
        discovery._members.cache_clear()
    assert batches[0] == batches[1]


def test_the_digest_of_a_packages_member_covers_the_packages_own_modules(package: Path) -> None:
    file = package / "mitigations/soft_clip.py"
    text = file.read_text()
    helpers = [
        package / "core.py",
        package / "mitigations/_help.py",
        package / "mitigations/_far.py",
    ]
    for helper in helpers:
        helper.write_text("X = 1\n")
    (package / "unused.py").write_text("X = 1\n")
    file.write_text(
        text.replace(
            "import math\n",
            "import math\n\nfrom their_clips.core import X\nfrom ._help import X as Y\n"
            "from their_clips.mitigations._far import X as Z\n",
        )
    )

    def digest() -> str:
        discovery._members.cache_clear()
        return discovery.member("mitigation", "soft_clip").digest

    before = digest()
    for helper in helpers:
        helper.write_text("X = 2\n")
        assert digest() != before, helper.name
        helper.write_text("X = 1\n")
    (package / "unused.py").write_text("X = 2\n")
    assert digest() == before


def test_a_setting_cannot_have_the_name_of_a_moment(rule: Path) -> None:
    rule.write_text(rule.read_text().replace("    threshold: Threshold", "    start: Threshold"))
    discovery._members.cache_clear()
    with pytest.raises(BadInput, match="a setting cannot be called start"):
        discovery.member("mitigation", "soft_clip")


def test_new_writes_over_nothing_and_takes_no_name_twice(tmp_path: Path) -> None:
    written = write("mitigation", "soft_clip", tmp_path)
    assert [path.name for path in written] == [
        "soft_clip.py",
        "soft_clip.yaml",
        "test_soft_clip.py",
    ]
    for name, message in (
        ("soft_clip", "is there already"),
        ("clip_norm", "there is one already"),
        ("2fast", "a name is small letters"),
        ("class", "a word of Python's own"),
    ):
        with pytest.raises(BadInput, match=message):
            write("mitigation", name, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_task_without_its_data_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "DEBIAN", tmp_path)
    monkeypatch.setattr(datasets, "OURS", tmp_path)
    with pytest.raises(BadInput, match="task=mnist: data set mnist: not found"):
        list(examine("task", "mnist"))
