"""The figures of the paper, as PDF: those of a report that its text includes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import tee

from bench.reporting.drawing import draw_all
from bench.reporting.figure_files import sheets
from bench.reporting.pages.kinds import Kind
from bench.reporting.paper.material import Material

_FOLDER = "figures/"


def figure_files(
    material: Material, wanted: Collection[str], processes: int
) -> Iterator[tuple[str, bytes]]:
    """("figures/outcomes.pdf", content) of those `wanted` that the runs carry."""
    folder = _FOLDER + material.folder
    # Of a kind that nobody wants nothing is read.
    kinds = [kind for kind in Kind if any(name.startswith(f"{folder}{kind}") for name in wanted)]
    shown = (
        sheet
        for sheet in sheets(material.found, [], kinds)
        if f"{folder}{sheet.name}.pdf" in wanted
    )
    to_draw, pages = tee(shown)
    contents = draw_all((sheet.page for sheet in pages), processes, ["pdf"])
    for sheet, content in zip(to_draw, contents, strict=True):
        yield f"{folder}{sheet.name}.pdf", content["pdf"]
