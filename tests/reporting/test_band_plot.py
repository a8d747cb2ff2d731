from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from bench.reporting.bands import Band, Trace
from bench.reporting.figures.band_plot import draw_bands
from bench.reporting.figures.log_axis import LogScale
from bench.reporting.figures.style import line_styles


def test_the_runs_of_a_few_seeds_are_thin_lines_without_a_band() -> None:
    ax = Figure().add_subplot()
    x = np.array([1.0, 2.0, 3.0])
    traces = [Trace(x, 10.0**power * x, "completed") for power in range(3)]
    few = Band(x, 10 * x, None, traces)
    draw_bands(ax, {"none": few}, line_styles(["none"]), LogScale(0, 3))
    assert not ax.collections
    thin, median = sorted(ax.lines, key=lambda line: line.get_linewidth())
    for trace in traces:
        assert np.isin(np.log10(trace.y), thin.get_ydata()).all()
    assert np.isnan(thin.get_ydata()).sum() == len(traces)
    np.testing.assert_allclose(median.get_ydata(), np.log10(few.median))
