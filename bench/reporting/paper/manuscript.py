r"""What the text of the paper uses, and numbers typed into it by hand.

Numbers are looked for between the markers `% results: begin` and `% results: end`. There every
digit is a fault but in \result{...}, in references and citations, in the names of what is included,
in lengths of the page (0.5\linewidth) and in comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

BEGIN, END = "% results: begin", "% results: end"

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_RESULT = re.compile(r"\\result\s*\{([^{}]*)\}")
_INCLUDED = re.compile(r"\\(includegraphics|input|include)\s*\*?(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
_NAMES = (
    r"result|[a-zA-Z]*ref|ref|[cC]ite[a-zA-Z]*|label|includegraphics|input|include|hypertarget"
    r"|bibliography|url"
)
_WITHOUT_NUMBERS = re.compile(rf"\\(?:{_NAMES})\s*\*?(?:\[[^\]]*\])*\s*\{{[^{{}}]*\}}")
_LENGTH = re.compile(
    r"-?\d*\.?\d+\s*\\(?:linewidth|textwidth|columnwidth|textheight|baselineskip)\b"
)
_GRAPHICS_PATH = re.compile(r"\\graphicspath\s*\{((?:\s*\{[^{}]*\})*)\s*\}")
_SECTION = re.compile(r"\\section\*?\s*(?:\[[^\]]*\])?\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SECTION_ENDS = re.compile(
    r"\\(?:section\b|appendix\b|bibliography\b|printbibliography\b|end\s*\{document\})"
)


@dataclass(frozen=True)
class Used:
    """Something that the text names: a number, or a file."""

    line: int  # from 1
    name: str


@dataclass(frozen=True)
class Inclusion(Used):
    paths: Sequence[str]  # one of which is meant, from the folder of the text


@dataclass(frozen=True)
class Fault:
    line: int
    problem: str


@dataclass(frozen=True)
class _Line:
    number: int
    text: str  # without its comment
    is_marked: bool  # between the markers


@dataclass(frozen=True)
class Manuscript:
    results: Sequence[Used]
    inclusions: Sequence[Inclusion]  # figures, and other files
    faults: Sequence[Fault]  # by line


def read(text: str) -> Manuscript:
    """`text` is the whole of paper.tex."""
    faults: list[Fault] = []
    lines = list(_marked(text.splitlines(), faults))
    plain = "\n".join(line.text for line in lines)
    return Manuscript(
        results=list(_results(plain)),
        inclusions=list(_inclusions(plain)),
        faults=sorted(
            [*faults, *_unmarked_sections(lines), *_typed_numbers(lines)],
            key=lambda fault: fault.line,
        ),
    )


def _results(plain: str) -> Iterator[Used]:
    for found in _RESULT.finditer(plain):
        yield Used(_line_at(plain, found.start()), found[1].strip())


def _inclusions(plain: str) -> Iterator[Inclusion]:
    for found in _INCLUDED.finditer(plain):
        is_figure, name = found[1] == "includegraphics", found[2].strip()
        folders = ["", *_figure_folders(plain)] if is_figure else [""]
        suffix = ".pdf" if is_figure else ".tex"
        full = name if PurePosixPath(name).suffix == suffix else name + suffix
        paths = [str(PurePosixPath(folder) / full) for folder in folders]
        yield Inclusion(_line_at(plain, found.start()), name, paths)


def _figure_folders(plain: str) -> list[str]:
    found = _GRAPHICS_PATH.search(plain)
    return re.findall(r"\{([^{}]*)\}", found[1]) if found else []


def _marked(lines: Sequence[str], faults: list[Fault]) -> Iterator[_Line]:
    begun: int | None = None
    for number, text in enumerate(lines, start=1):
        marker = " ".join(text.split())
        if marker == BEGIN:
            if begun is not None:
                faults.append(Fault(number, f"'{BEGIN}' again, before '{END}'"))
            begun = number
        elif marker == END:
            if begun is None:
                faults.append(Fault(number, f"'{END}' without '{BEGIN}'"))
            begun = None
        yield _Line(number, _COMMENT.sub(r"\1", text), begun is not None)
    if begun is not None:
        faults.append(Fault(begun, f"'{BEGIN}' without '{END}'"))


def _unmarked_sections(lines: Sequence[_Line]) -> Iterator[Fault]:
    """A section whose title says "result" stands between markers, all of it."""
    title: str | None = None
    for line in lines:
        section = _SECTION.search(line.text)
        if _SECTION_ENDS.search(line.text):
            is_of_results = section is not None and "result" in section[1].lower()
            title = section[1] if section and is_of_results else None
            rest = line.text[section.end() :] if section else ""
        else:
            rest = line.text
        without_labels = _WITHOUT_NUMBERS.sub("", rest).strip()
        if title is not None and without_labels and not line.is_marked:
            yield Fault(line.number, f"section {title!r} is not between '{BEGIN}' and '{END}'")
            title = None
    if not any(line.is_marked for line in lines):
        yield Fault(len(lines), f"no part of the text is between '{BEGIN}' and '{END}'")


def _typed_numbers(lines: Sequence[_Line]) -> Iterator[Fault]:
    """A command may go on on the next line, so all marked lines are looked at together."""
    plain = "\n".join(line.text if line.is_marked else "" for line in lines)
    for pattern in (_WITHOUT_NUMBERS, _LENGTH):
        plain = pattern.sub(lambda found: "\n" * found[0].count("\n"), plain)
    for number, text in enumerate(plain.split("\n"), start=1):
        typed = _numbers(text)
        if typed:
            yield Fault(number, f"typed by hand: {', '.join(typed)}; write \\result{{NAME}}")


def _numbers(text: str) -> list[str]:
    """The words of `text` that hold a digit of whatever script."""
    return [word for word in text.split() if any(letter.isnumeric() for letter in word)]


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
