"""Words for messages and screens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plain_text import one_line, ranges

repeatable = settings(derandomize=True, database=None, deadline=None)


@repeatable
@given(st.text(), st.integers(3, 50))
def test_one_line_is_printable_and_short(text: str, length: int) -> None:
    found = one_line(text, length)
    assert found.isprintable()
    assert len(found) <= length
    assert one_line(found, length) == found


def test_one_line_takes_the_teeth_out_of_terminal_codes() -> None:
    assert one_line("a\x1b[31mred\x1b[0m\r\nb\x9b2J\u202ec") == "a [31mred [0m b 2J c"


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], ""),
        ([5], "5"),
        ([0, 1], "0, 1"),
        ([0, 1, 2], "0 to 2"),
        ([0, 1, 2, 3, 17], "0 to 3, 17"),
        ([7, 3], "7, 3"),
        ([3, 4, 5, 0, 1, 2], "3 to 5, 0 to 2"),
        (range(0, 100, 2), ", ".join(map(str, range(0, 40, 2))) + ", ..."),
        (range(10_000), "0 to 9999"),
    ],
)
def test_ranges(numbers: list[int], words: str) -> None:
    assert ranges(numbers) == words
