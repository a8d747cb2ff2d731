"""Do the tests and intervals keep their word? Measures it, fills the tables of docs/statistics.md.

    python scripts/calibration.py              about eleven minutes on one core
    python scripts/calibration.py PART ...     these tables alone ("none against none")
    python scripts/calibration.py --quick      under a minute: fewer seeds and samples; only prints

What has few outcomes is summed over all of them and has no error of simulation. Exit code 1 where
something is worse than nominal by more than chance explains.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from calibration_parts import (
    examples,
    means,
    none_against_none,
    one_cell,
    over_blocks,
    planning,
    times,
)
from calibration_parts.tables import Report

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
PARTS: dict[str, Callable[[bool], Report]] = {
    "one cell": one_cell.tests_and_intervals,
    "intervals of one cell": one_cell.choice_of_interval,
    "equivalence": one_cell.equivalence,
    "over blocks": over_blocks.tests_and_intervals,
    "intervals over blocks": over_blocks.choice_of_interval,
    "pairs as units": over_blocks.pairs_as_units,
    "families": planning.families,
    "none against none": none_against_none.through_the_pipeline,
    "limits": planning.what_cannot_be_concluded,
    "seeds": planning.seeds_for_effects,
    "power": planning.power_by_seeds,
    "censoring": examples.censoring_at_divergence,
    "ranks": examples.ranks_and_who_else_entered,
    "chosen tests": examples.tests_chosen_by_their_result,
    "times": times.times_to_solve,
    "means": means.means_over_blocks,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="under a minute; writes nothing")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(map(repr, sorted(unknown)))}")
    reports = dict(_reports(options.parts or PARTS, options.quick))
    if not options.quick:
        PAGE.write_text(filled(PAGE.read_text(), reports))
    broken = [f"{name}: {each}" for name, report in reports.items() for each in report.broken]
    print("\n".join(["worse than nominal:", *broken]) if broken else "nothing worse than nominal")
    return 1 if broken else 0


def _reports(names: Iterable[str], quick: bool) -> Iterator[tuple[str, Report]]:
    for name in names:
        report = PARTS[name](quick)
        print(f"{name}\n\n{report.text}\n", flush=True)
        yield name, report


def filled(page: str, reports: dict[str, Report]) -> str:
    """`page` with each report between its markers. Raises ValueError where a marker is missing."""
    for name, report in reports.items():
        pattern = re.compile(rf"(<!-- calibration: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if len(pattern.findall(page)) != 1:
            raise ValueError(f"docs/statistics.md needs one pair of markers for {name!r}")
        text = report.text
        page = pattern.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    return page


if __name__ == "__main__":
    sys.exit(main())
