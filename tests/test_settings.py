"""What a setting accepts, what it becomes, and what the refusal says."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench import settings
from bench.records import BadInput
from bench.settings import (
    Annotated,
    EvaluationSize,
    Fraction,
    Gain,
    Literal,
    NonNegative,
    Positive,
    PositiveInt,
    Range,
    Threshold,
    check,
    describe,
    nearest,
)

Kind = Literal["gaussian", "orthogonal", "identity"]
Percent = Annotated[float, Range(at_least=0, at_most=100)]


@pytest.mark.parametrize(
    ("annotation", "value", "becomes"),
    [
        (Positive, 0.1, 0.1),
        (Positive, 1, 1.0),
        (Positive, 5e-324, 5e-324),
        (NonNegative, 0, 0.0),
        (Threshold, math.inf, math.inf),
        (Threshold, 1e308, 1e308),
        (Fraction, 0.0, 0.0),
        (Percent, 100, 100.0),
        (PositiveInt, 1, 1),
        (EvaluationSize, 100, 100),
        (Gain, 1e6, 1e6),
        (Gain, 1e-3, 1e-3),
        (Kind, "identity", "identity"),
        (Literal[1, 2], 2, 2),
        (bool, False, False),
        (str, "", ""),
        (float, -1e300, -1e300),
        (int, -3, -3),
    ],
)
def test_what_is_allowed_is_cast_to_the_type_of_the_setting(
    annotation: Any, value: Any, becomes: Any
) -> None:
    found = check(value, annotation, "here")
    assert found == becomes
    assert type(found) is type(becomes)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Positive, 0),
        (Positive, -0.0),
        (Positive, -1),
        (Positive, math.inf),
        (Positive, math.nan),
        (Positive, True),
        (Positive, "1"),
        (Positive, None),
        (Positive, [1.0]),
        (Positive, {"a": 1}),
        (Positive, 10**400),
        (Threshold, -math.inf),
        (Threshold, 0.0),
        (Threshold, math.nan),
        (Fraction, 1.0),
        (Fraction, -1e-9),
        (Percent, 100.00001),
        (EvaluationSize, 99),
        (Gain, 1e39),  # no weight of float32
        (Gain, 1e-4),
        (PositiveInt, 0),
        (PositiveInt, 1.0),
        (PositiveInt, True),
        (PositiveInt, "3"),
        (PositiveInt, 10**400),
        (Kind, "Identity"),
        (Kind, 1),
        (Kind, ["identity"]),
        (bool, 1),
        (bool, "true"),
        (str, 1),
        (float, math.inf),
        (float, math.nan),
        (int, 2.5),
    ],
    ids=repr,
)
def test_what_is_not_allowed_is_refused_in_one_line_that_names_it(
    annotation: Any, value: Any
) -> None:
    with pytest.raises(BadInput) as refusal:
        check(value, annotation, "optimizer.sgd.lr")
    message = str(refusal.value)
    assert message.startswith(f"optimizer.sgd.lr={value}: must be ")
    assert describe(annotation) in message
    assert "\n" not in message


def test_a_misspelt_choice_is_told_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"did you mean orthogonal\?"):
        check("orthgonal", Kind, "architecture.gru.kind")
    assert nearest("clipnorm", ["clip_norm", "clip_value"]) == " (did you mean clip_norm?)"
    assert nearest("zzz", ["clip_norm", "clip_value"]) == ""


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Positive, "a number above 0"),
        (Threshold, "a number above 0, inf allowed"),
        (Fraction, "a number at least 0 and below 1"),
        (PositiveInt, "a whole number at least 1"),
        (Annotated[float, Range(finite=False)], "a number inf allowed"),
        (Kind, "one of gaussian, orthogonal, identity"),
        (bool, "true or false"),
        (str, "a text"),
        (float, "a number"),
        (int, "a whole number"),
    ],
)
def test_a_setting_describes_itself(annotation: Any, words: str) -> None:
    assert describe(annotation) == words


@hypothesis_settings(derandomize=True, database=None, deadline=None)
@given(st.floats() | st.integers())
def test_a_range_holds_what_its_bounds_say(value: float) -> None:
    bounded = Range(at_least=-2, below=3)
    inside = -2 <= value < 3
    try:
        assert check(value, Annotated[float, bounded], "x") == value
        assert inside
    except BadInput:
        assert not inside


def test_the_vocabulary_is_what_the_module_offers() -> None:
    assert all(hasattr(settings, word) for word in settings.__all__)
