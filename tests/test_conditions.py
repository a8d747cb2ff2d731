"""What a condition on the settings of a run means, and what is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import conditions

whole = st.integers(-(2**40), 2**40)
number = st.floats(allow_nan=False, width=32)


def holds(text: str, **values: Any) -> bool | None:
    """Two underscores stand for the point."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    return conditions.read(text).holds(named)


@given(whole, whole)
def test_it_is_what_python_says_of_whole_numbers(a: int, b: int) -> None:
    assert holds("a < task.b", a=a, task__b=b) is (a < b)
    assert holds("not a < task.b", a=a, task__b=b) is (a >= b)
    assert holds("task.b - 5 <= a <= task.b + 5", a=a, task__b=b) is (abs(a - b) <= 5)
    assert holds("a // 20 == task.b // 20", a=a, task__b=b) is (a // 20 == b // 20)
    assert holds("a > 0 and task.b > 0 or a == task.b", a=a, task__b=b) is (
        (a > 0 and b > 0) or a == b
    )


@given(number, number)
def test_nothing_that_is_a_number_raises(a: float, b: float) -> None:
    for sign in ("+", "-", "*", "/", "//", "%", "**"):
        assert holds(f"a {sign} b < 1 or True", a=a, b=b) is True


def test_what_is_too_large_is_infinite() -> None:
    assert holds("2 ** a > 1e300", a=10**9) is True
    assert holds("gain ** depth <= 1e140", gain=1e6, depth=100) is False
    assert holds("gain ** depth >= 1e-140", gain=1e6, depth=100) is True
    assert holds("1 / a > 1e300", a=0) is True
    assert holds("a == b", a=math.inf, b=math.inf) is True


def test_texts_and_truth_values_are_compared_as_they_are() -> None:
    for name, expected in (("tanh", True), ("selu", True), ("gelu", False)):
        assert holds("architecture.f in ('tanh', 'selu')", architecture__f=name) is expected
        assert holds("architecture.f != 'gelu'", architecture__f=name) is expected
    assert holds("flag or a > 1", flag=False, a=1) is False
    assert holds("flag", flag=True) is True


def test_a_name_that_a_run_lacks_leaves_it_unjudged() -> None:
    assert holds("architecture.depth > 3 or a > 0", a=1) is None
    assert conditions.read("a > architecture.depth > a").names == ("a", "architecture.depth")


def test_a_text_is_no_number() -> None:
    with pytest.raises(TypeError):
        holds("a < 3", a="tanh")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a <",
        "3 > 2",
        "a.b.c > 1",
        "max(a, 1) > 1",
        "[a] == 1",
        "(lambda: a)() > 1",
        "__import__('os').x > 1",
        "a := 3",
        "f'{a}' == 1",
        "a if a else a",
        "widht > 3",
        "data.size > 3",
        "mitigation.x > 3",
        "(" * 300 + "a" + ")" * 300,
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        conditions.check(text, {"a": int, "width": int})
    assert "\n" not in str(refusal.value)
