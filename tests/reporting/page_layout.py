"""What must hold for every page of figures, whatever is drawn on it."""

from __future__ import annotations

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text


def shown_texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def all_text(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in shown_texts(figure))


def check_page(figure: Figure) -> None:
    """Nothing leaves the page; no axes, legend or text lies on another."""
    FigureCanvasAgg(figure).draw()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= drawn.x0 <= drawn.x1 <= width
    assert 0 <= drawn.y0 <= drawn.y1 <= height
    boxes = [ax.get_window_extent() for ax in figure.axes]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for legend in figure.findobj(Legend):
        assert not any(legend.get_window_extent().overlaps(box) for box in boxes)
    on_page = [
        (text.get_text(), text.get_window_extent().padded(-0.5))
        for text in shown_texts(figure)
        if text.get_window_extent().x0 > -1e3  # ticks beyond the axis are not drawn
    ]
    for (one, box), (other, other_box) in itertools.combinations(on_page, 2):
        assert not box.overlaps(other_box), f"{one!r} lies on {other!r}"
