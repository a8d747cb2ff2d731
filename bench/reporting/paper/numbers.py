"""How the paper writes its numbers: plain text here, LaTeX at the end by `latex` alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.reporting.formats import latex_text

NOT_ESTIMABLE = "not estimable"
NO_MITIGATION = "no mitigation"
"""Of an empty list: `none` is the name of a method."""


def whole(number: int) -> str:
    """12345 -> "12,345"."""
    return f"{number:,}"


def decimals(number: float, digits: int) -> str:
    """Never "-0.00"."""
    text = f"{number:,.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text


def percent(share: float) -> str:
    """0.4375 -> "44"."""
    return decimals(100 * share, 0)


def interval(low: str, high: str) -> str:
    return f"[{low}, {high}]"


def p_relation(p: float) -> str:
    """To stand behind a p: "= 0.031", or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def one_or_range(numbers: Sequence[int]) -> str:
    """ "16" where all are the same, "12 to 16" where they are not."""
    low, high = min(numbers), max(numbers)
    return whole(low) if low == high else f"{whole(low)} to {whole(high)}"


def member(name: str) -> str:
    """Marked as the name of a member, which is set in its own type."""
    return f"`{name}`"


def listed(names: Sequence[str], none: str = NO_MITIGATION) -> str:
    """["a", "b", "c"] -> "`a`, `b` and `c`"."""
    marked = [member(name) for name in names]
    if len(marked) < 2:
        return marked[0] if marked else none
    return f"{', '.join(marked[:-1])} and {marked[-1]}"


def known(value: float | None, written: str) -> str:
    return NOT_ESTIMABLE if value is None else written


def latex(text: str) -> str:
    """Right in text and in a formula alike, but for words, which a formula sets as letters."""
    parts = text.split("`")
    return "".join(
        rf"\resultname{{{latex_text(part)}}}" if index % 2 else _plain(part)
        for index, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    """Between the names of a list the blanks at both ends count; latex_text drops them."""
    body = latex_text(text)
    for command, sign in (("textless", "<"), ("textgreater", ">")):
        body = body.replace(rf"\{command}{{}}", rf"\ensuremath{{{sign}}}")
    body = re.sub(r"(?<!\\)\$([^$]*)\$", r"\\ensuremath{\1}", body)
    body = re.sub(r"(?<=\d),(?=\d{3})", "{,}", body)
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{body}{after}" if body else text
