"""`bench list`: what is read from files, in words."""

from __future__ import annotations

import pytest

from bench import discovery, listing
from bench.listing import LISTS, entries, in_words
from bench.settings import describe


@pytest.mark.parametrize("kind", [name for name, kind in LISTS.items() if kind in discovery.KINDS])
def test_every_setting_is_shown_with_its_default_and_range(kind: str) -> None:
    lines = [" ".join(line.split()) for line in in_words(entries(kind)).splitlines()]
    for member in discovery.members(LISTS[kind]).values():
        start = lines.index(f"{member.name} {member.summary}")
        shown = lines[start + 1 : start + 1 + len(member.schema)]
        defaults = discovery.defaults(member.kind, member.name)
        for line, (name, annotation) in zip(shown, member.schema.items(), strict=True):
            setting, _, words = line.partition(" ")
            assert setting.startswith(f"{name}=")
            text = setting.partition("=")[2]
            default = defaults[name]
            if isinstance(default, bool):
                assert text == str(default).lower()
            else:
                assert default == (text if isinstance(default, str) else float(text))
            assert words == describe(annotation)


def test_entries_stand_in_columns() -> None:
    made_up = [
        {"name": "a", "summary": "First.", "settings": []},
        {
            "name": "long_name",
            "summary": "Second.",
            "settings": [
                {"name": "lr", "type": "a number above 0", "default": 0.5},
                {"name": "clip", "type": "true or false", "default": True},
            ],
        },
    ]
    assert in_words(made_up).splitlines() == [
        "a          First.",
        "long_name  Second.",
        "             lr=0.5     a number above 0",
        "             clip=true  true or false",
    ]
    assert in_words([]) == ""


def test_an_experiment_is_listed_without_what_a_terminal_obeys(tmp_path, monkeypatch) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "a\x1b[2Jb.yaml").write_text("# \x1b]0;title\x07 and more.\n")
    monkeypatch.setattr(listing, "CONF", tmp_path)
    (entry,) = entries("experiments")
    assert (entry["name"], entry["summary"]) == ("a [2Jb", "]0;title and more")
    assert in_words([entry]).isprintable()
