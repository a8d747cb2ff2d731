"""docs/statistics.md says what scripts/calibration.py finds now."""

from __future__ import annotations

import importlib
import re
from types import ModuleType

import pytest

from bench.paths import PACKAGE

ROOT = PACKAGE.parent
PAGE = (ROOT / "docs" / "statistics.md").read_text()
QUICK = ("limits", "seeds", "power", "censoring", "ranks")  # no simulation: the same in any run


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, imported; nothing runs."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("calibration")


def test_what_is_computed_in_a_moment_is_not_stale(calibration: ModuleType) -> None:
    """Where it is: python scripts/calibration.py."""
    reports = {name: calibration.PARTS[name](True) for name in QUICK}
    assert calibration.filled(PAGE, reports) == PAGE


def test_every_part_has_been_written_into_the_page(calibration: ModuleType) -> None:
    written = re.findall(
        r"^<!-- calibration: ([^\n]+) -->\n\n(?!<!--).+?\n\n<!-- end -->$", PAGE, re.DOTALL | re.M
    )
    assert sorted(written) == sorted(calibration.PARTS)


def test_no_table_stands_outside_the_markers() -> None:
    outside = re.sub(r"^<!-- calibration: .+?^<!-- end -->$", "", PAGE, flags=re.DOTALL | re.M)
    assert not re.findall(r"^\|.*$", outside, re.M)


@pytest.mark.parametrize(
    ("count", "is_too_many"), [(20, False), (35, False), (60, True), (400, True)]
)
def test_more_errors_than_chance_explains_are_found(
    calibration: ModuleType, count: int, is_too_many: bool
) -> None:
    tables = importlib.import_module("calibration_parts.tables")
    assert tables.is_too_many(count, 400, 0.05) is is_too_many


def test_a_part_without_its_markers_is_refused(calibration: ModuleType) -> None:
    with pytest.raises(ValueError, match="needs one pair of markers for 'limits'"):
        calibration.filled("", {"limits": calibration.PARTS["limits"](True)})
