from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests

from bench.seeding import Stream
from bench.stats.estimates import NotEstimable
from bench.stats.multiplicity import (
    benjamini_hochberg,
    false_discovery_family,
    holm,
    holm_family,
)

RAW = st.lists(st.floats(0, 1), min_size=1, max_size=12)
NONE = NotEstimable("no pairs")


@settings(max_examples=20, deadline=None)
@given(RAW)
def test_holm_agrees_with_statsmodels(raw: list[float]) -> None:
    expected = multipletests(raw, method="holm")[1]
    np.testing.assert_allclose(holm(np.array(raw)), expected, atol=1e-15)


@settings(max_examples=20, deadline=None)
@given(RAW)
def test_benjamini_and_hochberg_agree_with_statsmodels(raw: list[float]) -> None:
    expected = multipletests(raw, method="fdr_bh")[1]
    np.testing.assert_allclose(benjamini_hochberg(np.array(raw)), expected, atol=1e-15)


@given(RAW)
def test_between_nothing_and_bonferroni(raw: list[float]) -> None:
    ps = np.array(raw)
    adjusted = holm(ps)
    assert (ps <= adjusted).all()
    assert (adjusted <= np.minimum(1, ps.size * ps)).all()
    assert (np.diff(adjusted[np.argsort(ps, kind="stable")]) >= 0).all()
    assert (benjamini_hochberg(ps) <= adjusted + 1e-12).all()


@given(RAW, st.randoms())
def test_the_order_of_the_members_changes_nothing(raw: list[float], random: object) -> None:
    order = list(range(len(raw)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for adjust in (holm, benjamini_hochberg):
        expected = adjust(np.array(raw))[order]
        np.testing.assert_allclose(adjust(np.array(raw)[order]), expected, rtol=1e-12)


@given(RAW)
def test_what_has_no_p_costs_the_others_nothing_and_keeps_its_place(raw: list[float]) -> None:
    for family in (holm_family, false_discovery_family):
        found = family("diverged", [NONE, *raw, NONE])
        assert found.raw == (NONE, *raw, NONE)
        assert found.adjusted == (NONE, *family("diverged", raw).adjusted, NONE)


def test_raw_and_adjusted_are_printed_together() -> None:
    text = str(holm_family("diverged", [0.01, NONE, 0.04]))
    assert text.splitlines() == [
        "diverged (Holm)",
        "p = 0.0100, adjusted 0.0200",
        "not estimable (no pairs)",
        "p = 0.0400, adjusted 0.0400",
    ]


def test_families_without_a_test() -> None:
    assert holm_family("none", []).adjusted == ()
    assert false_discovery_family("none", [NONE]).adjusted == (NONE,)


@pytest.mark.parametrize("raw", [[-0.1], [1.1], [np.nan], [[0.5]]])
def test_what_is_not_a_p_is_refused(raw: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="from 0 to 1"):
            adjust(np.array(raw))


def test_a_family_rarely_has_a_false_alarm() -> None:
    """2,000 families of 8 without an effect, independent: more than the bound in less than 1e-5."""
    raw = Stream("families", seed=0).uniform((2000, 8))
    for adjust in (holm, benjamini_hochberg):  # without any effect the two promise the same
        alarms = sum((adjust(family) <= 0.05).any() for family in raw)
        assert alarms <= binom.isf(1e-5, 2000, 0.05)
    assert (raw <= 0.05).any(axis=1).sum() > 2 * binom.isf(1e-5, 2000, 0.05)
