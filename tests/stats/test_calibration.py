"""docs/statistics.md says what scripts/calibration.py finds now."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bench.paths import PACKAGE

ROOT = PACKAGE.parent
PAGE = (ROOT / "docs" / "statistics.md").read_text()
QUICK = ("limits", "seeds", "power", "censoring", "ranks")  # no simulation: the same in any run


def printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'scripts'); {code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_what_is_computed_in_a_moment_is_not_stale() -> None:
    """Where it is: python scripts/calibration.py."""
    filled = "calibration.filled(calibration.PAGE.read_text(), {name: calibration.PARTS[name](True)"
    assert printed(f"import calibration; print({filled} for name in {QUICK}}}), end='')") == PAGE


def test_every_part_has_been_written_into_the_page() -> None:
    parts = printed("import calibration; print(*calibration.PARTS, sep='\\n')").splitlines()
    written = re.findall(
        r"<!-- calibration: ([^\n]+) -->\n\n(?!<!--).+?\n\n<!-- end -->", PAGE, re.DOTALL
    )
    assert sorted(written) == sorted(parts)


def test_more_errors_than_chance_explains_are_found() -> None:
    counts = "is_too_many(count, 400, 0.05) for count in (20, 35, 60, 400)"
    code = f"from calibration_parts.tables import is_too_many; print([{counts}])"
    assert printed(code).strip() == "[False, False, True, True]"


def test_a_part_without_its_markers_is_refused() -> None:
    code = "import calibration as c; c.filled('', {'limits': c.PARTS['limits'](True)})"
    with pytest.raises(subprocess.CalledProcessError) as error:
        printed(code)
    assert "needs one pair of markers for 'limits'" in error.value.stderr
