"""The vocabulary in which a member file states the type and range of its settings.

threshold: Annotated[float, Range(above=0, finite=False)]
hidden_size: PositiveInt
activation: Literal["tanh", "relu"]
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from bench.records import BadInput, Setting


@dataclass(frozen=True, kw_only=True)
class Range:
    """Bounds of a number; infinity is refused unless `finite` is False, NaN always."""

    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    finite: bool = True

    def holds(self, value: float) -> bool:
        return (
            not math.isnan(value)
            and not (self.finite and math.isinf(value))
            and (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )

    def __str__(self) -> str:
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (
                ("above", self.above),
                ("at least", self.at_least),
                ("below", self.below),
                ("at most", self.at_most),
            )
            if bound is not None
        ]
        words = [" and ".join(bounds)] if bounds else []
        return ", ".join(words if self.finite else [*words, "inf allowed"])


Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(at_least=0)]
Fraction = Annotated[float, Range(at_least=0, below=1)]
Threshold = Annotated[float, Range(above=0, finite=False)]
PositiveInt = Annotated[int, Range(at_least=1)]
Gain = Annotated[float, Range(at_least=1e-3, at_most=1e6)]
"""Of initial weights, which lie on a grid of 2^-20: much smaller ones would round to zero. Float32
holds no weight above 3.4e38, and no network of use starts anywhere near."""
EvaluationSize = Annotated[int, Range(at_least=100)]
"""Of a task: on a handful of examples a criterion is met by luck, at every evaluation alike, since
they stay the same."""

__all__ = [
    "Annotated",
    "EvaluationSize",
    "Fraction",
    "Gain",
    "Literal",
    "NonNegative",
    "Positive",
    "PositiveInt",
    "Range",
    "Threshold",
]


def describe(annotation: Any) -> str:
    """The type and range in words: "a number above 0", "one of tanh, relu"."""
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(map(str, get_args(annotation)))
    kind, bounds = _kind_and_range(annotation)
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}[kind]
    return f"{words} {bounds}".rstrip() if bounds else words


def check(value: Any, annotation: Any, where: str) -> Setting:
    """`value` cast to what `annotation` asks for (a whole number becomes a float where one is due).

    Raises BadInput that names `where`, the value and what is allowed.
    """
    if get_origin(annotation) is Literal:
        choices: tuple[Setting, ...] = get_args(annotation)
        if value in choices:
            return choices[choices.index(value)]
        hint = nearest(str(value), [str(choice) for choice in choices])
        raise BadInput(f"{where}={value}: must be {describe(annotation)}{hint}")
    kind, bounds = _kind_and_range(annotation)
    setting = _cast(value, kind)
    if setting is None or (bounds is not None and not bounds.holds(float(setting))):
        raise BadInput(f"{where}={value}: must be {describe(annotation)}")
    return setting


def nearest(name: str, known: list[str]) -> str:
    """ " (did you mean X?)" for the known name that is closest, or nothing."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def _kind_and_range(annotation: Any) -> tuple[type, Range | None]:
    if get_origin(annotation) is Annotated:
        kind, bounds = get_args(annotation)[:2]
        return kind, bounds
    return annotation, Range() if annotation in (int, float) else None


def _cast(value: Any, kind: type) -> Setting | None:
    if type(value) is int and abs(value) > sys.float_info.max:
        return None
    if kind is float and type(value) is int:
        return float(value)
    # bool is a subclass of int, but true is not a number of layers.
    return cast(Setting, value) if type(value) is kind else None
