"""Conditions that a member puts on the settings of a whole run, as data in its file.

    requires: ClassVar[dict[str, str]] = {
        "task.batch_size >= 2": "a batch of one example has no variance",
    }

Each is an expression of Python's, and why it must hold. Its names are SETTING, the member's own;
KIND.SETTING, of the task, architecture or optimizer that it meets; and dataset.size, the characters
of the text, or the training images, that the task reads. Beside them it holds numbers, texts in
quotes, comparisons, `in`, and, or, not, and + - * / // % **. Numbers are float64, so that what
grows too large is inf and raises nothing.

A condition can be judged without importing the file, and so before anything is written: planning
refuses what does not meet it. Where a run has not all of the names (an architecture without a
hidden_size), it is not judged, and the member's own code is what is left to refuse.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np

OTHERS = ("task", "architecture", "optimizer", "dataset")
"""What stands before the point of a name that is not the member's own."""

_ALLOWED = (
    *(ast.Expression, ast.Name, ast.Attribute, ast.Load, ast.Constant, ast.Tuple),
    *(ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop, ast.UnaryOp, ast.Not, ast.USub),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
)


@dataclass(frozen=True)
class Condition:
    """One expression, read."""

    text: str
    names: tuple[str, ...]  # as they stand there, each once
    code: CodeType

    def holds(self, values: Mapping[str, Any]) -> bool | None:
        """Of a run whose names have these values; None where one of its names has none.

        Raises TypeError for a text that is taken for a number.
        """
        if not values.keys() >= set(self.names):
            return None
        own: dict[str, Any] = {}
        others: dict[str, dict[str, Any]] = {kind: {} for kind in OTHERS}
        for name in self.names:
            kind, point, setting = name.partition(".")
            scope, key = (others[kind], setting) if point else (own, name)
            scope[key] = _as_float64(values[name])
        scope = own | {kind: SimpleNamespace(**found) for kind, found in others.items() if found}
        with np.errstate(all="ignore"):
            return bool(eval(self.code, {"__builtins__": {}}, scope))  # noqa: S307 (see _ALLOWED)


@lru_cache(maxsize=256)
def read(text: str) -> Condition:
    """Raises ValueError, in one line, for anything but a condition."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("is no expression") from error
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ValueError(f"holds a {type(node).__name__}; see bench/conditions.py")
    names = tuple(dict.fromkeys(_names(tree)))
    if not names:
        raise ValueError("holds no setting")
    return Condition(text, names, compile(tree, "<condition>", "eval"))


def check(text: str, settings: Collection[str]) -> None:
    """Raises ValueError for what is no condition, or has a name that can never have a value:
    neither one of the member's `settings` nor of another member's."""
    for name in read(text).names:
        kind, point, _ = name.partition(".")
        known = OTHERS if point else settings
        if (kind if point else name) not in known:
            raise ValueError(
                f"{name} is neither a setting of the member ({', '.join(settings) or 'it has none'}"
                f") nor {'.SETTING, '.join(OTHERS[:-1])}.SETTING or dataset.size"
            )


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield ast.unparse(node)
    elif isinstance(node, ast.Name):
        yield node.id
    else:
        for part in ast.iter_child_nodes(node):
            yield from _names(part)


def _as_float64(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return np.float64(value) if is_number else value
