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
        return discovery._read("mitigation", path)

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
    ],
)
def test_a_file_that_is_no_member_is_refused_in_one_line(
    read: Reader, text: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        read(text)
    assert "my_rule.py" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_folder_is_a_member_and_nothing_else_is(kind: str) -> None:
    folder = Path(discovery.__file__).parent / KINDS[kind]
    stems = sorted(path.stem for path in folder.glob("[!_]*.py"))
    assert list(members(kind)) == stems
    assert stems


def test_an_unknown_name_is_told_the_nearest_and_where_to_look() -> None:
    with pytest.raises(BadInput) as refusal:
        member("mitigation", "clipnorm")
    expected = (
        "mitigation=clipnorm: there is no such mitigation (did you mean clip_norm?); "
        "see: bench list mitigations"
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
