"""docs/catalogue.md says what the members' files say now."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench import discovery
from bench.paths import PACKAGE

ROOT = PACKAGE.parent
PAGE = (ROOT / "docs" / "catalogue.md").read_text()
COSTS = json.loads((ROOT / "docs" / "costs.json").read_text())
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
    assert all(cost["time"] > 0 for cost in COSTS[kind].values())
