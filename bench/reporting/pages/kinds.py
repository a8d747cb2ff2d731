"""The kinds of figures, in the order of the report, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bench.reporting.curves import MIN_RUNS_FOR_BAND


class Kind(StrEnum):
    """The value begins the name of the file."""

    OUTCOMES = "outcomes"
    LENGTH = "length"
    INCIDENCE = "incidence"
    PROFILE = "profile"
    WINDOW = "learning_rate_window"
    THRESHOLDS = "threshold_map"
    COST_BENEFIT = "cost_benefit"
    CURVES = "loss_and_gradient_norm"
    FLOW = "gradient_flow"


HEADINGS: Mapping[Kind, str] = {
    Kind.OUTCOMES: "Outcomes",
    Kind.LENGTH: "Longer sequences and deeper networks",
    Kind.INCIDENCE: "When runs solve and when they diverge",
    Kind.PROFILE: "Performance profiles",
    Kind.WINDOW: "Learning-rate windows",
    Kind.THRESHOLDS: "Clip threshold by learning rate",
    Kind.COST_BENEFIT: "Cost and benefit",
    Kind.CURVES: "Loss and gradient norm",
    Kind.FLOW: "Gradient flow",
}

_MEDIAN = (
    "median over seeds with its quartiles, or, with fewer than "
    f"{MIN_RUNS_FOR_BAND} seeds, every run as a thin line"
)
CAPTIONS: Mapping[Kind, str] = {
    Kind.OUTCOMES: (
        "Outcomes by mitigation and architecture: the share of runs that diverged as colour, and "
        "the counts in words."
    ),
    Kind.LENGTH: (
        "Share of runs that solved and that diverged, by the length of the sequence or the depth "
        "of a feed-forward network, all else alike; settings that were tuned are those chosen for "
        "each length. Bars: exact 95 % intervals (Clopper and Pearson)."
    ),
    Kind.INCIDENCE: (
        "Cumulative incidence of solving (upwards) and of diverging (downwards): the share of all "
        "runs to which it had happened by that update, whichever came first. A run that diverged "
        "stays unsolved: it is not censored. Beside the end: exact 95 % intervals."
    ),
    Kind.PROFILE: (
        "Share of runs that reach each score with their final metric on test data. The scale is "
        "the task's own: 0 is its chance level, 1 its criterion for solved; a run that diverged "
        "reaches nothing. Nothing depends on which other mitigations entered. Blocks (task, "
        "architecture, optimiser) weigh the same; mitigations are on one page where they ran in "
        "the same blocks. Bands: 95 % for the whole curve, by drawing seeds again."
    ),
    Kind.WINDOW: (
        "Runs at each learning rate of a sweep: the share that survived, that is, neither "
        "diverged nor froze, with exact 95 % intervals; the final metric on test data, median and "
        "quartiles, a cross in the grey strip where more than half of the runs have no finite "
        "value; and the window, the widest stretch of neighbouring rates at all of which every "
        "run survived. With few runs a rate, that none was lost does not say that none would be."
    ),
    Kind.THRESHOLDS: (
        "Runs that diverged and runs that solved, by the threshold of a clipping rule and the "
        "learning rate; the last line, where there is one, is without any mitigation."
    ),
    Kind.COST_BENEFIT: (
        "Each mitigation against none on the same seeds. Across: CPU time of an update as a "
        "multiple of that without, the median of the seeds' ratios with an exact 95 % interval "
        "(sign test). Upwards: change of the share of runs that solved, with the melded 95 % "
        "interval of the table of comparisons."
    ),
    Kind.CURVES: (
        "Training loss (mean since the point before) and gradient norm before any clip (largest "
        f"since the point before): {_MEDIAN}. A run that diverged is drawn up to its end by a thin "
        "line with a cross, and counts as worse than any number from there on. In the grey strip: "
        "not finite, or beyond the scale; on the bottom edge: zero."
    ),
    Kind.FLOW: (
        "Norm of the gradient of the loss with respect to the hidden state, at the first update "
        f"that was probed: {_MEDIAN}. In the grey strip: not finite; on the bottom edge: zero."
    ),
}
