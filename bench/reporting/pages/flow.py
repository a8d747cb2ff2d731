"""The gradient's way back: |dL/dh| against position, at the first update that was probed."""

from __future__ import annotations

from bench.reporting.figures.line_page import LinePage, PanelRow
from bench.reporting.pages.curves import PanelCells, bands, shows_something
from bench.reporting.pages.panels import Styles, cut_names


def flow_pages(panel: PanelCells, styles: Styles) -> list[LinePage]:
    """None where no run was probed."""
    pages = [
        LinePage(
            title=panel.name,
            columns=architectures,
            rows=[
                PanelRow(
                    quantity="‖∂L / ∂h‖",
                    panels=bands(panel, "flow", architectures, mitigations),
                )
            ],
            x_label="position: time step, or layer of a feed-forward network",
            x_is_logarithmic=False,
            styles=styles,
        )
        for architectures, mitigations in cut_names(panel.summaries)
    ]
    return [page for page in pages if shows_something(page)]
