"""report.md: what was run, what came out, and what cannot be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.reporting.collection import NotCounted
from bench.reporting.figure_files import DrawnFigure
from bench.reporting.formats import FORMATS, markdown, markdown_text
from bench.reporting.overview import count, seeds_in_words, settings_lines
from bench.reporting.pages.kinds import HEADINGS
from bench.reporting.summaries import CellSummary
from bench.reporting.tables import Table

_MAX_LINES = 60
"""Of a table in the document; its files hold all."""

_READING = (
    "A run ends as *diverged* (a parameter is not finite, or the loss was not finite or above the "
    "task's bound for many updates in a row), *frozen* (no update changed anything although there "
    "was a gradient, or the optimiser's state is no longer finite) or *completed*. Whether it "
    "solved its task is counted beside that. Failed, timed-out, interrupted and stale runs are not "
    "results: they are listed, and counted nowhere else."
)


def document(
    summaries: Sequence[CellSummary],
    not_counted: Sequence[NotCounted],
    alarms: Sequence[str],
    made_with: Sequence[str],
    tables: Sequence[Table],
    figures: Sequence[DrawnFigure],
) -> str:
    """Markdown, with links into `tables/` and `figures/` beside it."""
    blocks = [
        *_opening(summaries, not_counted, alarms),
        *(["## Made with", _list(made_with)] if made_with else []),
        *(block for table in tables for block in _table(table, figures)),
    ]
    with_tables = {table.name for table in tables}
    for kind, heading in HEADINGS.items():
        shown = [] if kind in with_tables else list(_figures(kind, figures))
        blocks += [f"## {heading}", *shown] if shown else []
    return "\n\n".join(blocks) + "\n"


def _opening(
    summaries: Sequence[CellSummary], not_counted: Sequence[NotCounted], alarms: Sequence[str]
) -> Iterator[str]:
    counts = count(summaries, not_counted)
    yield "# Report"
    sentences = [counts.in_words(), seeds_in_words(summaries)]
    if not_counted:
        sentences.append(f"not counted, and listed below: {counts.not_counted_in_words()}")
    yield _list(sentences)
    if alarms:
        yield "**Results that contradict one another:**"
        yield _list(alarms)
    yield _READING
    yield "## Settings"
    yield _list(f"{name}: {text or 'no settings'}" for name, text in settings_lines(summaries))


def _table(table: Table, figures: Sequence[DrawnFigure]) -> Iterator[str]:
    """With the figures of the same name above it."""
    yield f"## {table.heading}"
    yield from _figures(table.name, figures)
    links = ", ".join(f"[.{suffix}](tables/{table.name}.{suffix})" for suffix in FORMATS)
    if not table.lines:
        yield f"None ({links})."
        return
    yield f"{table.caption} ({links})"
    yield markdown(table, _MAX_LINES).rstrip("\n")
    if len(table.lines) > _MAX_LINES:
        yield f"The files hold {len(table.lines) - _MAX_LINES} more lines."


def _figures(kind: str, figures: Sequence[DrawnFigure]) -> Iterator[str]:
    shown = [figure for figure in figures if figure.kind == kind]
    if shown:
        yield markdown_text(shown[0].caption)
    for figure in shown:
        title = markdown_text(figure.title)
        yield f"![{title}](figures/{figure.name}.png)"
        yield f"{title} ([.pdf](figures/{figure.name}.pdf))"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in lines)
