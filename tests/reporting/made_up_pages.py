"""Pages of figures with made-up numbers: 5 mitigations, up to 3 architectures, 20 seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.reporting.figures.cost_benefit_page import CostBenefit, CostBenefitPage
from bench.reporting.figures.incidence_page import IncidencePage, SolvedAndDiverged
from bench.reporting.figures.length_page import LengthPage
from bench.reporting.figures.profile_page import ProfilePage
from bench.reporting.figures.share_plot import ShareLine
from bench.reporting.figures.style import line_styles
from bench.reporting.figures.threshold_map_page import ThresholdMap, ThresholdMapPage
from bench.reporting.figures.window_page import WindowLine, WindowPage
from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.incidence import Cause, Incidence, cumulative_incidence, first_events
from bench.stats.profiles import Profile, performance_profile
from bench.stats.proportions import clopper_pearson
from bench.stats.ranks import spread

MITIGATIONS = ["none", "clip_norm", "clip_value", "orthogonal", "orthogonal+clip_norm", "omega"]
LONG = ["none", *(f"orthogonal+clip_norm+weight_decay+layer_norm_{index}" for index in range(5))]
ARCHITECTURES = ["rnn_tanh", "lstm", "gru"]
NUM_SEEDS = 20
BUDGET = 4000.0


def uniform(name: str, *shape: int) -> np.ndarray:
    return Stream("made-up pages", name, seed=0).uniform(shape)


def share_line(x: Sequence[float], chances: np.ndarray, name: str) -> ShareLine:
    counts = (uniform(name, len(x), NUM_SEEDS) < chances[:, None]).sum(axis=1)
    return ShareLine(np.array(x), [clopper_pearson(int(count), NUM_SEEDS) for count in counts])


def length_page(num_columns: int, names: Sequence[str] = MITIGATIONS) -> LengthPage:
    lengths = (50.0, 100.0, 200.0, 400.0)
    falls = np.linspace(1.0, 0.0, 4)
    columns = ARCHITECTURES[:num_columns]
    return LengthPage(
        title="adding: solved and diverged by length (sgd, lr=0.1, tuned)",
        columns=columns,
        solved=[
            {
                name: share_line(lengths, falls ** (1.5 / (1 + index)), f"s{name}{column}")
                for index, name in enumerate(names)
            }
            for column in columns
        ],
        diverged=[
            {
                name: share_line(lengths, (1 - falls) / (1 + 2 * index), f"d{name}{column}")
                for index, name in enumerate(names)
            }
            for column in columns
        ],
        styles=line_styles(names),
    )


def competing(chance: float, hazard: float, name: str) -> SolvedAndDiverged:
    draws = uniform(name, 3, NUM_SEEDS)
    solved = np.where(draws[0] < chance, 200 + 3000 * draws[1] ** 2, np.inf).round()
    dies = np.where(draws[2] < hazard, 50 + 1500 * draws[1], np.inf).round()
    solved[dies < solved] = np.inf
    ends = np.minimum(dies, BUDGET)
    events = first_events(
        solved,
        np.where(np.isfinite(solved), BUDGET, ends),
        np.where(np.isfinite(dies) & np.isinf(solved), "diverged", "completed"),
        np.full(NUM_SEEDS, BUDGET),
    )
    curves = [cumulative_incidence(events, cause) for cause in (Cause.SOLVED, Cause.DIVERGED)]
    one, other = (curve for curve in curves if isinstance(curve, Incidence))
    return SolvedAndDiverged(one, other)


def incidence_page(num_columns: int, names: Sequence[str] = MITIGATIONS) -> IncidencePage:
    columns = ARCHITECTURES[:num_columns]
    return IncidencePage(
        title="adding (length=200): when runs solve and when they diverge",
        columns=columns,
        panels=[
            {
                name: competing(0.15 + 0.15 * index, 0.8 - 0.15 * index, name + column)
                for index, name in enumerate(names)
            }
            for column in columns
        ],
        styles=line_styles(names),
    )


def made_up_profile(skill: float, name: str) -> Profile:
    scores = uniform(name, 12, NUM_SEEDS) ** (1 / skill) * 1.3
    scores[uniform(f"dies {name}", 12, NUM_SEEDS) < 0.3 / (1 + skill)] = -np.inf
    found = performance_profile(scores, num_replicates=500)
    assert isinstance(found, Profile)
    return found


def profile_page(num_columns: int, names: Sequence[str] = MITIGATIONS) -> ProfilePage:
    columns = ARCHITECTURES[:num_columns] if num_columns > 1 else ["all blocks"]
    return ProfilePage(
        title="Performance profiles over 12 tasks and sizes",
        columns=columns,
        panels=[
            {
                name: made_up_profile(0.4 + 0.4 * index, name + column)
                for index, name in enumerate(names)
            }
            for column in columns
        ],
        styles=line_styles(names),
    )


def window_line(top: float, name: str) -> WindowLine:
    rates = 10.0 ** np.arange(-4, 1.01, 0.5)
    dies = 1 / (1 + (top / rates) ** 3)
    survived = share_line(list(rates), 1 - dies, name)
    draws = uniform(f"metric {name}", rates.size, 2, NUM_SEEDS)
    metrics = [
        spread(
            0.17 * (0.002 + 1 / (1 + (rate / 0.003) ** 2)) * (0.5 + draw[0]),
            draw[1] < chance,
            higher_is_better=False,
        )
        for rate, chance, draw in zip(rates, dies, draws, strict=True)
    ]
    stable = rates[dies < 0.1]
    window = (float(stable[0]), float(stable[-1])) if top > 0.005 else None
    return WindowLine(survived, metrics, window)


def window_page(num_columns: int, names: Sequence[str] = MITIGATIONS) -> WindowPage:
    columns = ARCHITECTURES[:num_columns]
    return WindowPage(
        title="adding (length=200): the learning-rate window (sgd)",
        columns=columns,
        panels=[
            {name: window_line(0.004 * 4**index, name + column) for index, name in enumerate(names)}
            for column in columns
        ],
        metric="test loss (MSE)",
        metric_is_logarithmic=True,
        higher_is_better=False,
        stable="at least 18 of 20 runs survive",
        styles=line_styles(names),
    )


def cost_benefit_page(num_columns: int, names: Sequence[str] = MITIGATIONS) -> CostBenefitPage:
    columns = ARCHITECTURES[:num_columns]
    panels = []
    for column in columns:
        draws = uniform(f"cost {column}", len(names), 2)
        panels.append(
            {
                name: CostBenefit(
                    time_ratio=1 + 0.25 * index * draw[0],
                    time_interval=(1 + 0.22 * index * draw[0], 1 + 0.28 * index * draw[0]),
                    change=draw[1] * 0.8 - 0.1,
                    change_interval=(draw[1] * 0.8 - 0.3, draw[1] * 0.8 + 0.08)
                    if index != 2
                    else NotEstimable("all pairs agree"),
                )
                for index, (name, draw) in enumerate(zip(names, draws, strict=True))
                if name != "none"
            }
        )
    return CostBenefitPage(
        title="adding (length=200): what a mitigation costs and what it brings",
        columns=columns,
        panels=panels,
        benefit="solved",
        note="20 seeds; bars: 95 % intervals, paired by seed; times: interleaved, one core, AVX2",
        styles=line_styles(names),
    )


def threshold_map_page(num_maps: int, *, has_gaps: bool = False) -> ThresholdMapPage:
    thresholds, rates = 10.0 ** np.arange(-2, 2.1, 0.5), 10.0 ** np.arange(-3, 1.1, 0.5)
    maps = []
    for name in ARCHITECTURES[:num_maps]:
        product = thresholds[:, None] * rates
        draws = uniform(f"map {name}", 2, *product.shape, 10)
        num_runs = np.full(product.shape, 10)
        diverged = (draws[0] < (1 / (1 + (3 / product) ** 2))[..., None]).sum(axis=2)
        chance = np.exp(-(np.log10(product / 0.1) ** 2))[..., None]
        solved = np.minimum((draws[1] < chance).sum(axis=2), 10 - diverged)
        if has_gaps:
            num_runs[0, :3], num_runs[2, 2] = 0, 9
            diverged, solved = (np.minimum(one, num_runs) for one in (diverged, solved))
        maps.append(ThresholdMap(name, diverged, solved, num_runs))
    return ThresholdMapPage(
        title="adding (length=200), clip_norm: threshold by learning rate (sgd)",
        thresholds=[f"{float(f'{threshold:.2g}'):g}" for threshold in thresholds],
        learning_rates=[f"{float(f'{rate:.2g}'):g}" for rate in rates],
        maps=maps,
    )
