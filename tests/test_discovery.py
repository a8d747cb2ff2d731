"""Members are found on disk and read without being imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import discovery
from bench.discovery import KINDS, Member, member, members
from bench.records import BadInput, MemberSpec

Reader = Callable[[str], Member]

MEMBER = '''"""A file."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bench.settings import Annotated, PositiveInt, Range, Threshold

raise RuntimeError("importing this file is not needed")


def other() -> None: ...


class _Hidden: ...


@dataclass(frozen=True, kw_only=True)
class MyRule:
    """Cut the gradient in two.

    g <- g / 2

    Reference: Nobody 2031,
    arXiv:0000.00000.

    More words.
    """

    needs: ClassVar[tuple[str, ...]] = ("state",)
    portable: ClassVar[bool] = True

    threshold: Threshold
    share: Annotated[float, Range(above=0, below=1)]
    kind: Literal["a", "b"]
    width: PositiveInt
    flag: bool
'''


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read a member file of the given text."""

    def write_and_read(text: str) -> Member:
        path = tmp_path / "my_rule.py"
        path.write_text(text)
        return discovery._read("mitigation", path, path.with_suffix(".yaml"), "")

    return write_and_read


def test_a_member_is_read_from_its_text(read: Reader) -> None:
    from bench.settings import Annotated, Literal, PositiveInt, Range, Threshold

    found = read(MEMBER)
    assert (found.kind, found.name, found.class_name) == ("mitigation", "my_rule", "MyRule")
    assert found.summary == "Cut the gradient in two"
    assert found.reference == "Nobody 2031, arXiv:0000.00000."
    assert found.facts == {"needs": ("state",), "portable": True}
    assert list(found.schema.items()) == [
        ("threshold", Threshold),
        ("share", Annotated[float, Range(above=0, below=1)]),
        ("kind", Literal["a", "b"]),
        ("width", PositiveInt),
        ("flag", bool),
    ]


@pytest.mark.parametrize(
    "quoted", ["'Threshold'", '"Annotated[float, Range(above=0, finite=False)]"']
)
def test_a_type_may_stand_in_quotes(read: Reader, quoted: str) -> None:
    plain = read(MEMBER).schema["threshold"]
    text = MEMBER.replace("threshold: Threshold", f"threshold: {quoted}")
    assert read(text).schema["threshold"] == plain


def test_what_a_terminal_obeys_is_not_in_a_summary(read: Reader) -> None:
    found = read(MEMBER.replace("Cut the gradient in two.", "Cut \\x1b[31mthe\\x9b2J gradient."))
    assert found.summary == "Cut [31mthe 2J gradient"
    assert found.reference.isprintable()


def test_every_edit_changes_the_digest_and_nothing_else_does(read: Reader) -> None:
    first = read(MEMBER).digest
    assert read(MEMBER.replace("g / 2", "g / 3")).digest != first
    assert read(MEMBER).digest == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "holds 0 public dataclasses"),
        (MEMBER + MEMBER.replace("MyRule", "Other"), "holds 2 public dataclasses"),
        ("def broken(:\n", "line 1: not Python"),
        (MEMBER.replace("flag: bool", "flag: Tensor"), "Tensor is not in bench.settings"),
        (MEMBER.replace("flag: bool", "flag: __import__('os')"), "__import__"),
        (MEMBER.replace("Range(above=0", "Range(abov=0"), "unexpected keyword argument 'abov'"),
        (MEMBER.replace('("state",)', "needed()"), r"needed\(\) is not a literal"),
        (
            MEMBER.replace("flag: bool", "flag: Literal"),
            "line 36: setting of type Literal: must be",
        ),
        (MEMBER.replace("flag: bool", "flag: Annotated"), "of type Annotated: must be one of"),
        (MEMBER.replace("flag: bool", "flag: Annotated[float, 3]"), "must be one of those in"),
        (MEMBER.replace("flag: bool", "flag: Annotated[str, Range()]"), "must be one of those in"),
        (
            MEMBER.replace("flag: bool", "flag: int | None"),
            "must be one of those in bench.settings",
        ),
        (MEMBER.replace("flag: bool", "flag: None"), "of type None: must be one of those"),
        (MEMBER.replace("flag: bool", "flag: Range(above=0)"), "must be one of those in"),
        (MEMBER.replace("flag: bool", "flag: 'Tensor'"), "Tensor is not in bench.settings"),
        (MEMBER.replace("flag: bool", "flag: 'no type'"), "invalid syntax"),
        (MEMBER.replace("flag: bool", "flag: 1 / 0"), "division by zero"),
        (MEMBER.replace("flag: bool", "flag: float.x"), "has no attribute 'x'"),
        ("x = " + "(" * 1000 + ")" * 1000, "not Python: "),
        ("x = '\0'\n", "not Python: "),
    ],
)
def test_a_file_that_is_no_member_is_refused_in_one_line(
    read: Reader, text: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        read(text)
    assert "my_rule.py" in str(refusal.value)
    assert "\n" not in str(refusal.value)


PRIVATE = {
    "_first.py": "from bench.tasks._second import x\n",
    "_second.py": "import bench.tasks._first\n",
    "_third.py": "x = 1\n",
    "_stranger.py": "x = 1\n",
}


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("from bench.tasks._third import x", {"_third.py"}),
        ("from bench.tasks import Batch, _third", {"_third.py"}),
        ("import bench.tasks._third", {"_third.py"}),
        ("from bench.tasks._first import x", {"_first.py", "_second.py"}),  # in a circle
        ("from bench.tasks import Batch, _no_file", set()),
        ("from bench.kernels._third import x", set()),
    ],
)
def test_the_digest_is_also_that_of_the_private_files_it_uses(
    tmp_path: Path, line: str, files: set[str]
) -> None:
    room = tmp_path / "tasks"
    room.mkdir()
    for name, text in {**PRIVATE, "my_rule.py": f"{line}\n{MEMBER}"}.items():
        (room / name).write_text(text)

    def digest() -> str:
        return discovery._read(
            "task", room / "my_rule.py", Path("my_rule.yaml"), "bench.tasks.my_rule"
        ).digest

    first, deciding = digest(), set()
    for name, text in PRIVATE.items():
        (room / name).write_text(f"{text}# edited\n")
        if digest() != first:
            deciding.add(name)
        (room / name).write_text(text)
    assert deciding == files
    assert digest() == first


def test_hidden_entries_and_folders_are_no_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "tasks"
    room.mkdir()
    (room / "my_rule.py").write_text(MEMBER)
    (room / ".#my_rule.py").symlink_to("nobody@nowhere.1234")
    (room / "dangling.py").symlink_to("nowhere")
    (room / "._my_rule.py").write_bytes(b"\0\5\x16\7\xff")
    (room / "folder.py").mkdir()
    monkeypatch.setattr(discovery, "PACKAGE", tmp_path)
    found = discovery._members.__wrapped__("task", ())
    assert list(found.members) == ["my_rule"]
    assert not found.unreadable


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_member_that_fails_while_it_is_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "my_rule.py").symlink_to("/proc/self/mem")
    with pytest.raises(BadInput, match=r"my_rule\.py: cannot be read: Input/output error"):
        discovery._read("task", tmp_path / "my_rule.py", tmp_path / "my_rule.yaml", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr: [", "conf/optimizer/sgd.yaml, line 1: "),
        ("lr", "conf/optimizer/sgd.yaml, line 1: must hold KEY: VALUE lines"),
        ("lr: 0.1\n? [a]\n: 3\n", "conf/optimizer/sgd.yaml, line 2: a list cannot be a key"),
        ("lr: !number 3", "conf/optimizer/sgd.yaml, line 1: !number is refused"),
        ("lr: 010", "conf/optimizer/sgd.yaml, line 1: 010 is a number in base"),
    ],
)
def test_broken_defaults_are_told_with_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    file = tmp_path / "conf" / "optimizer" / "sgd.yaml"
    file.parent.mkdir(parents=True)
    known = {"sgd": replace(member("optimizer", "sgd"), yaml=file)}
    monkeypatch.setattr(discovery, "members", lambda kind: known)
    assert discovery.defaults("optimizer", "sgd") == {}
    file.write_text("lr: 1e-3  # as Hydra reads it\n")
    assert discovery.defaults("optimizer", "sgd") == {"lr": 0.001}
    file.write_text(text)
    with pytest.raises(BadInput) as refusal:
        discovery.defaults("optimizer", "sgd")
    assert message in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_folder_is_a_member_and_nothing_else_is(kind: str) -> None:
    folder = Path(discovery.__file__).parent / KINDS[kind]
    stems = sorted(path.stem for path in folder.glob("[!_]*.py"))
    assert list(members(kind)) == stems
    assert stems
    assert not discovery.unreadable(kind)


def test_an_unknown_name_is_told_the_nearest_and_where_to_look() -> None:
    with pytest.raises(BadInput) as refusal:
        member("mitigation", "clipnorm")
    expected = (
        "mitigation=clipnorm: there is no such mitigation (did you mean clip_norm?); "
        "see: bench list mitigations; one in a file of your own needs --plugin FILE.py"
    )
    assert str(refusal.value) == expected


def test_build_makes_the_member_with_its_settings() -> None:
    built = discovery.build("optimizer", MemberSpec("momentum", {"lr": 0.5, "momentum": 0.25}))
    assert type(built).__name__ == "Momentum"
    assert (built.lr, built.momentum) == (0.5, 0.25)


def test_reading_every_member_imports_no_member_and_no_heavy_library() -> None:
    script = (
        "import sys; from bench.discovery import KINDS, members;"
        "assert all(members(kind) for kind in KINDS);"
        "heavy = {'torch', 'sklearn', 'scipy', 'pandas', 'hydra', 'wandb', *("
        "f'bench.{folder}' for folder in KINDS.values())};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == "[]"


def test_a_member_edited_between_reading_and_importing_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = dict(members("optimizer"))
    known["sgd"] = replace(known["sgd"], digest="that of the text before the edit")
    monkeypatch.setattr(discovery, "members", lambda kind: known)
    monkeypatch.delitem(sys.modules, "bench.optimizers.sgd", raising=False)
    with pytest.raises(RuntimeError, match="was edited while"):
        discovery.build("optimizer", MemberSpec("sgd", {"lr": 0.1}))
