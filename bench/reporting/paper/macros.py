"""All numbers of the paper, and macros.tex, which defines them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bench.records import BadInput
from bench.reporting.paper import numbers
from bench.reporting.paper.families import (
    cells,
    costs,
    design,
    environment,
    equivalence,
    extremes,
    flow,
    limits,
    plans,
    pooled,
    settings,
    times,
    totals,
    trials,
    windows,
)
from bench.reporting.paper.macro import Macro
from bench.reporting.paper.material import Material

FAMILIES: Sequence[Callable[[Material], Iterator[Macro]]] = (
    design.macros,
    environment.macros,
    settings.macros,
    totals.macros,
    pooled.macros,
    equivalence.macros,
    times.macros,
    extremes.macros,
    trials.macros,
    windows.macros,
    flow.macros,
    costs.macros,
    limits.macros,
    plans.macros,
    cells.macros,
)

_HEAD = r"""% Written by `make paper` from the stored runs: do not change it by hand.
% In the text: \result{NAME}. What it is, and the runs behind it: bench explain NAME
\makeatletter
\newcommand*{\result}[1]{%
  \ifcsname result@#1\endcsname\csname result@#1\endcsname\else\result@unknown{#1}\fi}
\DeclareRobustCommand*{\result@unknown}[1]{%
  \PackageError{results}{There is no result \detokenize{#1}}{See: bench explain NAME}%
  \textbf{??}}
\providecommand*{\resultname}[1]{\texttt{#1}}% how a member's name is set
\newcommand*{\defineresult}[2]{\expandafter\def\csname result@#1\endcsname{#2}}
\makeatother
"""


def all_macros(materials: Iterable[Material]) -> dict[str, Macro]:
    """Name -> number. Raises BadInput where two cells would give a number the same name."""
    found: dict[str, Macro] = {}
    for material in materials:
        for macro in _of(material):
            if macro.name in found:
                raise BadInput(
                    f"{macro.name}: two numbers of the paper have this name ({macro.meaning}); "
                    "put the runs that differ into stores of their own"
                )
            found[macro.name] = macro
    return found


def _of(material: Material) -> Iterator[Macro]:
    for family in FAMILIES:
        for macro in family(material):
            yield replace(macro, name=material.prefix + macro.name)


def macros_file(macros: Mapping[str, Macro]) -> str:
    return _HEAD + "".join(map(_definition, macros.values()))


def _definition(macro: Macro) -> str:
    # Underscores need no escape in a name: \csname takes characters of any category.
    return f"\\defineresult{{{macro.name}}}{{{numbers.latex(macro.text)}}}\n"
