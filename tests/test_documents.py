"""The documents hold: every command of the README can be planned, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bench import discovery
from bench.paths import PACKAGE
from bench.planning import plan

ROOT = PACKAGE.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
COMMANDS = re.findall(r"^    bench run (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_the_readme_shows_how_to_run_a_grid() -> None:
    assert len(COMMANDS) >= 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_can_be_planned(command: str) -> None:
    assert plan(shlex.split(command)).runs


def test_the_readme_counts_what_there_is() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    counts = {kind: len(discovery.members(kind)) for kind in discovery.KINDS}
    for kind, word in (("task", "tasks"), ("architecture", "architectures")):
        assert f"{counts[kind]} {word}" in text
    assert f"{counts['mitigation']} mitigations" in text
    assert f"{counts['optimizer']} optimisers" in text


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_file_that_a_page_links_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_pages_link_something() -> None:
    assert sum(len(re.findall(r"\]\(", page.read_text())) for page in PAGES) > 5
