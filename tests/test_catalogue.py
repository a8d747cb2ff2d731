"""docs/catalogue.md says what the members' files say now."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench import discovery
from bench.paths import PACKAGE
from bench.planning.measured import FILE

ROOT = PACKAGE.parent
PAGE = (ROOT / "docs" / "catalogue.md").read_text()
COSTS = json.loads(FILE.read_text())
PRINT = (
    "import sys; sys.path.insert(0, 'scripts'); import catalogue; print(catalogue.text(), end='')"
)


def test_it_is_not_stale() -> None:
    """Where it is: make catalogue."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == PAGE


@pytest.mark.parametrize("kind", ["mitigation", "architecture", "optimizer"])
def test_every_member_has_been_timed(kind: str) -> None:
    """Where one has not: make costs, or python scripts/costs.py NAME."""
    assert set(COSTS[kind]) == set(discovery.members(kind))
    found = [cost for costs in COSTS[kind].values() for cost in costs.values()]
    assert len(found) >= len(COSTS[kind])
    assert all(cost["time"] > 0 and cost["before"] >= 0 for cost in found)


def test_a_mitigation_has_been_timed_on_every_kind_of_network_that_it_can_act_on() -> None:
    architectures = discovery.members("architecture").values()
    for name, member in discovery.members("mitigation").items():
        of_tasks = {"trajectory"}  # of a task on sequences
        needs = set(member.facts["needs"]) - of_tasks
        kinds = {a.facts["inputs"] for a in architectures if needs <= set(a.facts["provides"])}
        if of_tasks & set(member.facts["needs"]):
            kinds &= {"sequence"}
        assert set(COSTS["mitigation"][name]) == kinds, name
