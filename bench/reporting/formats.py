"""A table as .csv for machines, .md for eyes and .tex (booktabs) for the paper."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from bench.reporting.tables import Emphasis, Table, Value

FORMATS = ("csv", "md", "tex")

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{EN DASH}": "--",
    "\N{DAGGER}": r"$^\dagger$",
}
_MARKDOWN_EMPHASIS = {
    Emphasis.NONE: "{}",
    Emphasis.BOLD: "**{}**",
    Emphasis.DAGGER: "{} \N{DAGGER}",
}
_LATEX_EMPHASIS = {
    Emphasis.NONE: "{}",
    Emphasis.BOLD: r"\textbf{{{}}}",
    Emphasis.DAGGER: r"{}\rlap{{$^\dagger$}}",  # beside the column, so that numbers line up
}


def render(table: Table, suffix: str) -> str:
    """The text of the file; `suffix` is one of FORMATS."""
    return {"csv": _csv, "md": markdown, "tex": _latex}[suffix](table)


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.field_names)
    for record in table.records:
        writer.writerow([_csv_field(record[name]) for name in table.field_names])
    return text.getvalue()


def _csv_field(value: Value) -> str:
    """On one line; what a spreadsheet would run as a formula is made a text by an apostrophe."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    text = " ".join(value.split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def markdown(table: Table, max_lines: int | None = None) -> str:
    headings = ["<br>".join(map(markdown_text, one.split("\n"))) for one in table.headings]
    marks = ["---" if is_text else "---:" for is_text in table.is_text]
    rows = [
        [
            _MARKDOWN_EMPHASIS[emphasis].format(markdown_text(text))
            for text, emphasis in zip(line, emphases, strict=True)
        ]
        for line, emphases in zip(table.lines[:max_lines], table.emphases[:max_lines], strict=True)
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in [headings, marks, *rows])


def markdown_text(text: str) -> str:
    """On one line, escaped where it could be read as mark-up.

    An underscore or a bracket inside a name cannot be.
    """
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*|<>~]|(?<!\w)_|_(?!\w)|(?<=\])\()", r"\\\1", one_line)


def _latex(table: Table) -> str:
    """A tabular alone: float, caption and size are the paper's. Needs booktabs."""
    columns = "".join("l" if is_text else "r" for is_text in table.is_text)
    num_labels = len(list(takewhile(bool, table.is_text)))
    lines = [
        f"% {' '.join(table.caption.split())}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(map(_latex_heading, table.headings, table.is_text)),
        r"\midrule",
    ]
    before: Sequence[str] = ()
    for line, emphases in zip(table.lines, table.emphases, strict=True):
        if before and num_labels > 1 and line[0] != before[0]:
            lines.append(r"\midrule")
        texts = _without_repeats(line, before, num_labels)
        lines.append(_latex_row(map(_latex_cell, texts, emphases)))
        before = line
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _without_repeats(line: Sequence[str], before: Sequence[str], num_labels: int) -> list[str]:
    """Blank the leading labels that the line above has too, up to the last one."""
    num_same = 0
    while num_same < min(num_labels - 1, len(before)) and line[num_same] == before[num_same]:
        num_same += 1
    return [""] * num_same + list(line[num_same:])


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(text: str, emphasis: Emphasis) -> str:
    return _LATEX_EMPHASIS[emphasis].format(latex_text(text))


def _latex_heading(heading: str, is_text: bool) -> str:
    """Of several lines a table of its own, whose last line stands level with the other headings."""
    lines = [latex_text(line) for line in heading.split("\n")]
    if len(lines) == 1:
        return lines[0]
    column = "@{}l@{}" if is_text else "@{}r@{}"
    inner = r" \\ ".join(lines)
    return rf"\begin{{tabular}}[b]{{{column}}}{inner}\end{{tabular}}"


def latex_text(text: str) -> str:
    """Escaped, with powers of ten and minus signs as mathematics."""
    escaped = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    powers = re.sub(
        r"(?<![\w.])(-?)(\d+(?:\.\d+)?)e([+-])0*(\d+)(?![\w.])",
        lambda found: rf"${found[1]}{found[2]}\times 10^{{{found[3].strip('+')}{found[4]}}}$",
        escaped,
    )
    signed = re.sub(r"(?<![\w$^{.-])-(?=\d)", "$-$", powers)
    # After the \\ of the line above, a bare bracket would be a length and a bare star its variant.
    return f"{{}}{signed}" if signed[:1] in ("[", "*") else signed
