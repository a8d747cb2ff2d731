"""Where a task counts as solved: the value of its metric, read from the file of the task.

A task says it as a method of one line, `is_solved`, which compares the metric with a number. The
method alone is taken out of the file and asked: the task is not imported, since it needs torch.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

from bench import discovery
from bench.records import BadInput, MemberSpec

_Criterion: TypeAlias = Callable[[object, float, float], bool]
"""(task, loss, metric) -> whether it is solved"""

_METHOD = "is_solved"
_HALVINGS = 200  # until two neighbouring numbers are left
_DIGITS = 12


def solved_level(task: MemberSpec, *, chance: float, higher_is_better: bool) -> float | None:
    """The value of the metric between `chance` and the best (1, or 0 where less is better) from
    which on the task is solved.

    None where its file does not tell: the task is not at hand, or its criterion is no number (of
    `char_lm` it comes from the text).
    """
    try:
        member = discovery.member("task", task.name)
    except BadInput:
        return None
    criterion = _criterion(member.path, member.class_name)
    best = 1.0 if higher_is_better else 0.0
    if criterion is None or not math.isfinite(chance):
        return None
    asked = SimpleNamespace(**{**member.facts, **task.settings})

    def is_solved(metric: float) -> bool:
        return bool(criterion(asked, math.nan, metric))

    try:
        if is_solved(chance) or not is_solved(best):
            return None
        return _boundary(is_solved, chance, best)
    except (AttributeError, NameError, TypeError):  # it asks for more than settings and facts
        return None


def _boundary(is_solved: Callable[[float], bool], outside: float, inside: float) -> float:
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if middle in (outside, inside):
            break
        outside, inside = (outside, middle) if is_solved(middle) else (middle, inside)
    return round(inside, _DIGITS)


@cache
def _criterion(path: Path, class_name: str) -> _Criterion | None:
    """The method of the class, or of the nearest class that it inherits it from; it sees nothing
    but its arguments."""
    for node in _classes(path, class_name):
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == _METHOD:
                return _compiled(method, path)
    return None


def _compiled(method: ast.FunctionDef, path: Path) -> _Criterion:
    """Without what it is annotated with, which would have to be imported."""
    bare = copy.deepcopy(method)
    bare.decorator_list, bare.returns = [], None
    for argument in bare.args.args:
        argument.annotation = None
    module = ast.Module([bare], [])
    found: dict[str, object] = {"__builtins__": {}}
    exec(compile(module, str(path), "exec"), found)  # noqa: S102
    return found[_METHOD]  # type: ignore[return-value]


def _classes(path: Path, class_name: str) -> Iterator[ast.ClassDef]:
    """The class and, in order, those that it inherits from in this file and its neighbours."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    neighbours = _neighbours(module, path)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            yield node
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id != class_name:
                    yield from _classes(neighbours.get(base.id, path), base.id)


def _neighbours(module: ast.Module, path: Path) -> Mapping[str, Path]:
    """Name -> the file of the same folder that it is imported from."""
    return {
        alias.asname or alias.name: file
        for node in module.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if (file := path.parent / f"{node.module.rpartition('.')[2]}.py").is_file()
    }
