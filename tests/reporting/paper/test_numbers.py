from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reporting import wording
from bench.reporting.paper import numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.whole(1_234_567), "1,234,567"),
        (numbers.percent(0.4375), "44"),
        (numbers.percent(-0.001), "0"),
        (wording.points(0.25), "+25"),
        (wording.points(-0.125), "-12"),
        (wording.points(-0.0001), "+0"),
        (wording.probability(0.0004), "<0.001"),
        (wording.probability(0.03125), "0.031"),
        (numbers.p_relation(0.0004), "< 0.001"),
        (numbers.p_relation(0.03125), "= 0.031"),
        (numbers.one_or_range([16, 16]), "16"),
        (numbers.one_or_range([16, 12]), "12 to 16"),
        (numbers.listed(["a", "b", "c"]), "`a`, `b` and `c`"),
        (numbers.listed(["a"]), "`a`"),
        (numbers.listed([]), "no mitigation"),
    ],
)
def test_a_number_is_written_in_one_way(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<0.001", r"\ensuremath{<}0.001"),
        ("-12", r"\ensuremath{-}12"),
        ("1,234", "1{,}234"),
        ("a, b", "a, b"),
        ("3.1e-05", r"\ensuremath{3.1\times 10^{-5}}"),
        ("50% of $3 & a_b", r"50\% of \$3 \& a\_b"),
        ("`a_b`, `c` and `d`", r"\resultname{a\_b}, \resultname{c} and \resultname{d}"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_latex_is_right_in_text_and_in_a_formula(text: str, expected: str) -> None:
    assert numbers.latex(text) == expected


@given(st.floats(-1, 1))
def test_a_sign_says_on_which_side_of_0_the_written_number_is(difference: float) -> None:
    text = wording.points(difference)
    assert abs(int(text) - 100 * difference) <= 0.5 + 1e-9
    assert text[0] == ("-" if int(text) < 0 else "+")
