"""How the gradient grows on its way back through a network, at the first update that was probed.

`flow.adding.rnn_tanh-2.5.none.factor` is the factor by which the norm of dL/dh, its median over the
runs, is multiplied from one position (time step or layer) to the one before it: the mean in the
logarithm over all positions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.reporting.bands import Band
from bench.reporting.curves import read_curves
from bench.reporting.paper import numbers
from bench.reporting.paper.macro import Macro, ids
from bench.reporting.paper.material import Material
from bench.reporting.paper.names import in_words, place_name


def macros(material: Material) -> Iterator[Macro]:
    for summary in material.found.summaries:
        band = read_curves(summary.cell).flow
        if band is None or not _is_positive(band):
            continue
        name, where = f"flow.{place_name(summary.cell)}", in_words(summary.cell)
        behind = ids(summary.cell.results)
        decades = float(np.log10(band.median[0] / band.median[-1]))
        what = f"the median norm of dL/dh at the first probed update: {where}"
        yield Macro(
            f"{name}.decades",
            numbers.decimals(decades, 1),
            f"powers of ten from the last position to the first of {what}",
            behind,
        )
        factor = 10 ** (decades / (band.x[-1] - band.x[0]))
        yield Macro(
            f"{name}.factor",
            numbers.decimals(factor, 2),
            f"factor a position, going back, of {what}",
            behind,
        )


def _is_positive(band: Band) -> bool:
    ends = np.array([band.median[0], band.median[-1]])
    return bool(band.x.size > 1 and np.isfinite(ends).all() and (ends > 0).all())
