"""A check -> a line that says whether it holds."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.plain_text import one_line
from bench.records import Outcome


class Broken(AssertionError):  # noqa: N818
    """Something that a member must do and does not; the message says what was seen."""


@dataclass(frozen=True)
class Finding:
    """One line of a card. `holds` is None where the line only tells."""

    what: str
    holds: bool | None
    told: str = ""
    where: str = ""  # the last lines of a traceback, where the member itself raised


Check = Callable[[], str]
"""Says in a few words what was seen, or raises."""


def judged(checks: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """One finding for each named check; one that raises does not keep the others from theirs."""
    for what, check in checks:
        try:
            yield Finding(what, True, check())
        except Broken as broken:
            yield Finding(what, False, str(broken))
        except Exception as error:  # whatever a member may raise
            place = "".join(traceback.format_exception(error)[-3:]).rstrip()
            told = one_line(f"{type(error).__name__}: {error}", 300)
            yield Finding(what, False, told, place)


def counted(outcomes: Iterable[Outcome]) -> str:
    """ "8 completed, 1 diverged" """
    return ", ".join(f"{number} {each}" for each, number in Counter(outcomes).items())


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
