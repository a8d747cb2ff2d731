"""A figure as .pdf and .png that are the same bytes every time."""

from __future__ import annotations

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

FORMATS = ("pdf", "png")
_PNG_DOTS_PER_INCH = 200
_NO_DATES = {"CreationDate": None, "ModDate": None}


def encode(figure: Figure, suffix: str) -> bytes:
    """The file's content; `suffix` is one of FORMATS."""
    stream = io.BytesIO()
    if suffix == "pdf":
        FigureCanvasPdf(figure).print_pdf(stream, metadata=_NO_DATES)  # type: ignore[no-untyped-call]
    else:
        figure.set_dpi(_PNG_DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        canvas.print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()
