"""One cell, seeds [n]: every outcome (plus, minus) of n pairs, weighed by its probability."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.stats import binom, multinomial, norm

from bench.stats.equivalence import Verdict, ratio_within, risks_within
from bench.stats.estimates import NotEstimable
from bench.stats.mcnemar import exact_p
from bench.stats.melding import melded_interval
from calibration_parts.tables import Report, percent, sizes, table

GRID = 41
MARGIN = 0.2
Interval = Callable[[int, int, int], tuple[float, float]]


def tests_and_intervals(quick: bool) -> Report:
    rows, broken = [], []
    for n in sizes(quick):
        alarms = [_most_false_alarms(n, alpha) for alpha in (0.05, 0.01)]
        covered = [_least_coverage(n, lambda *o, c=c: melded_interval(*o, c)) for c in (0.95, 0.9)]
        side = _most_errors_of_one_end(n, 0.95)
        rows.append([n, *(percent(each, 2) for each in (*alarms, side, *covered))])
        held = alarms[0] <= 0.05 and alarms[1] <= 0.01 and side <= 0.025
        if not (held and covered[0] >= 0.95 and covered[1] >= 0.9):
            broken.append(f"n = {n}")
    heading = [
        "seeds",
        "p <= 0.05, at most",
        "p <= 0.01, at most",
        "95 %: one end errs, at most",
        "95 %: covers, at least",
        "90 %: covers, at least",
    ]
    return Report(table(heading, rows), tuple(broken))


def choice_of_interval(quick: bool) -> Report:
    intervals: dict[str, Interval] = {
        "melded (here)": melded_interval,
        "normal (Wald)": _wald,
        "bootstrap of seeds, percentile": _bootstrap,
    }
    rows = []
    for n in (10,) if quick else (10, 16, 20):
        for name, interval in intervals.items():
            least = _least_coverage(n, interval)
            rare, common = (
                _expected(n, interval, 0.05, 0.0)[0],
                _expected(n, interval, 0.3, 0.1),
            )
            cells = [percent(least), percent(rare), percent(common[0]), f"{common[1] / 2:.2f}"]
            rows.append([n, name, *cells])
    heading = [
        "seeds",
        "interval",
        "covers, at least",
        "covers at 5 % wins, 0 % losses",
        "covers at 30 % wins, 10 % losses",
        "there mean width (of 1)",
    ]
    return Report(table(heading, rows))


def equivalence(quick: bool) -> Report:
    rows, broken = [], []
    for n in sizes(quick):
        wrong = _wrong_verdicts(n)
        ratio = _wrong_ratio(n)
        same = _verdict(0, 0, n)
        rows.append([n, *(percent(each, 2) for each in (*wrong, ratio)), same])
        if max(*wrong, ratio) > 0.05:
            broken.append(f"n = {n}")
    heading = [
        "seeds",
        f"rates {MARGIN} apart called equivalent, at most",
        "called different, at most",
        "median ratio at the margin called equivalent, at most",
        "verdict where no pair differs",
    ]
    return Report(table(heading, rows), tuple(broken))


@cache
def _outcomes(n: int) -> np.ndarray:
    """[outcomes, 3]: plus, minus, neither."""
    return np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)])


def _probabilities(n: int, plus: np.ndarray, minus: np.ndarray) -> np.ndarray:
    """[outcomes, truths]."""
    shares = np.clip(np.stack([plus, minus, 1 - plus - minus], axis=-1), 0, 1)
    result: np.ndarray = multinomial.pmf(_outcomes(n)[:, None], n, shares)
    return result


@cache
def _truths() -> tuple[np.ndarray, np.ndarray]:
    every = np.linspace(0, 1, GRID)
    pairs = [(p, q) for p in every for q in every if p + q <= 1 + 1e-9]
    plus, minus = np.array(pairs).T
    return plus, minus


def _most_false_alarms(n: int, alpha: float) -> float:
    """Over all shares of pairs that differ, either way equally often."""
    rejects = np.array([exact_p(int(b), int(c)) <= alpha for b, c, _ in _outcomes(n)])
    half = np.linspace(0, 0.5, 101)
    return float(_probabilities(n, half, half)[rejects].sum(axis=0).max())


def _least_coverage(n: int, interval: Interval) -> float:
    plus, minus = _truths()
    ends = np.array([interval(int(b), int(c), n) for b, c, _ in _outcomes(n)])
    truth = plus - minus
    holds = (ends[:, :1] <= truth + 1e-9) & (truth - 1e-9 <= ends[:, 1:])
    return float((_probabilities(n, plus, minus) * holds).sum(axis=0).min())


def _most_errors_of_one_end(n: int, confidence: float) -> float:
    """The lower end errs most often where the truth is just below one of its values."""
    outcomes = _outcomes(n)
    lows = np.array([melded_interval(int(b), int(c), n, confidence)[0] for b, c, _ in outcomes])
    worst = 0.0
    for low in np.unique(lows[lows > -1]):
        delta = low - 1e-7
        nonzero = abs(delta) + (1 - abs(delta)) * np.linspace(0, 1, 51)
        shares = _probabilities(n, (nonzero + delta) / 2, (nonzero - delta) / 2)
        worst = max(worst, float(shares[lows > delta].sum(axis=0).max()))
    return worst


def _expected(n: int, interval: Interval, plus: float, minus: float) -> tuple[float, float]:
    """(coverage, width)."""
    ends = np.array([interval(int(b), int(c), n) for b, c, _ in _outcomes(n)])
    weights = _probabilities(n, np.array([plus]), np.array([minus]))[:, 0]
    holds = (ends[:, 0] <= plus - minus) & (plus - minus <= ends[:, 1])
    return float(weights @ holds), float(weights @ (ends[:, 1] - ends[:, 0]))


def _wald(plus: int, minus: int, n: int) -> tuple[float, float]:
    mean = (plus - minus) / n
    half = norm.isf(0.025) * np.sqrt(((plus + minus) / n - mean**2) / n)
    return mean - half, mean + half


def _bootstrap(plus: int, minus: int, n: int) -> tuple[float, float]:
    """All resamples at once: the distribution of a sum of n draws from the pairs."""
    one, weights = np.array([minus, n - plus - minus, plus]) / n, np.ones(1)
    for _ in range(n):
        weights = np.convolve(weights, one)
    below = np.cumsum(weights)
    values = np.arange(-n, n + 1) / n
    low = values[np.searchsorted(below, 0.025 + 1e-12)]
    high = values[np.searchsorted(below, 0.975 - 1e-12)]
    return float(low), float(high)


@cache
def _verdict(plus: int, minus: int, n: int) -> Verdict:
    signs = np.repeat([1, -1, 0], [plus, minus, n - plus - minus])
    found = risks_within(MARGIN, signs == 1, signs == -1)
    assert not isinstance(found, NotEstimable)
    return found.verdict


def _wrong_verdicts(n: int) -> tuple[float, float]:
    """(equivalent, different) where the rates differ by the margin, for any share that differs."""
    nonzero = MARGIN + (1 - MARGIN) * np.linspace(0, 1, 51)
    shares = _probabilities(n, (nonzero + MARGIN) / 2, (nonzero - MARGIN) / 2)
    verdicts = np.array([_verdict(int(b), int(c), n) for b, c, _ in _outcomes(n)])
    called = [
        shares[verdicts == each].sum(axis=0).max()
        for each in (
            Verdict.EQUIVALENT,
            Verdict.DIFFERENT,
        )
    ]
    return float(called[0]), float(called[1])


def _wrong_ratio(n: int) -> float:
    """Ratios that are above the margin half of the time and otherwise well within it."""
    total = 0.0
    for count in range(n + 1):
        ratios = np.repeat([1.0, 1.3], [count, n - count])
        found = ratio_within(1.2, ratios, np.ones(n))
        assert not isinstance(found, NotEstimable)
        if found.verdict is Verdict.EQUIVALENT:
            total += float(binom.pmf(count, n, 0.5))
    return total
