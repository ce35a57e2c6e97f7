"""Weights of negatives: against their formulas, and what they do to a set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.choosing.weighting import (
    BINS,
    LEAST,
    MOST,
    Cells,
    Features,
    PositiveOdds,
    cell_of,
    focal,
)


def features(count: int, seed: int = 0, skew: float = 1.0) -> Features:
    random = np.random.default_rng(seed)
    return Features(*(random.random(count) ** skew for _ in range(3)))


def test_cells_are_bins_of_as_many_candidates_each() -> None:
    candidates = features(7_500)
    cells = Cells.of(candidates, features(10))
    surface = cell_of(cells.edges, candidates) // (BINS[1] * BINS[2])
    assert np.bincount(surface).tolist() == [1_500] * BINS[0]


def test_a_cell_weighs_what_it_should_have_over_what_it_has() -> None:
    candidates = Features(*(np.linspace(0, 1, 300) for _ in range(3)))
    chosen = Features(*(np.array([0.05] * 3 + [0.95]) for _ in range(3)))
    cells = Cells.of(candidates, chosen)
    # Two cells hold negatives: each should have half, and they have 3/4 and 1/4.
    assert cells.weigh(chosen) == pytest.approx([2 / 3] * 3 + [2.0])


@given(st.integers(1, 400), st.integers(0, 99), st.floats(0.2, 5))
def test_the_mean_weight_is_one_before_the_clip(count: int, seed: int, skew: float) -> None:
    chosen = features(count, seed, skew)
    cells = Cells.of(features(500, seed + 1), chosen)
    weight = cells.weigh(chosen)
    assert ((weight >= LEAST) & (weight <= MOST)).all()
    if weight.max() < MOST and weight.min() > LEAST:
        assert weight.mean() == pytest.approx(1.0)


def test_equal_values_are_in_one_cell_and_what_is_missing_in_the_first() -> None:
    flat = Features(*(np.full(50, 0.5) for _ in range(3)))
    cells = Cells.of(flat, flat)
    assert len(np.unique(cell_of(cells.edges, flat))) == 1
    assert cells.weigh(flat).tolist() == [1.0] * 50
    nothing = Features(*(np.array([np.nan]) for _ in range(3)))
    assert cell_of(cells.edges, nothing).tolist() == [0]


def test_a_set_without_negatives_or_candidates_has_cells_all_the_same() -> None:
    none = Features(*(np.empty(0) for _ in range(3)))
    assert Cells.of(none, none).weights.tolist() == [1.0] * int(np.prod(BINS))


def test_focal_is_the_papers_factor() -> None:
    dense, positive = np.array([0.5, 0.6, 0.4]), np.array([0.5, 0.5, 0.5])
    p = 1 / (1 + np.exp(-(positive - dense) / 0.05))
    assert focal(dense, positive, 2.0, 0.05) == pytest.approx((1 - p) ** 2)
    assert focal(dense, positive, 0.0, 0.05).tolist() == [1.0, 1.0, 1.0]


def test_pi_is_the_share_of_positives_among_candidates_of_a_score() -> None:
    random = np.random.default_rng(3)
    hidden = 200
    positives = random.normal(3, 1, 2_000)
    candidates = np.r_[random.normal(0, 1, 3_800), random.normal(3, 1, hidden)]
    odds = PositiveOdds.of(np.arange(2_000), positives, candidates)
    assert odds.prior == pytest.approx(hidden / 4_000, rel=0.2)
    near = np.abs(candidates - 2) < 0.25
    share = np.mean(np.flatnonzero(near) >= 3_800)
    assert odds.probability(candidates[near]).mean() == pytest.approx(share, abs=0.1)
    assert odds.probability(np.array([-3.0]))[0] < 0.01
    assert odds.probability(np.array([9.0]))[0] == 1.0


def test_pi_grows_with_the_score_and_is_the_prior_where_the_judge_says_nothing() -> None:
    random = np.random.default_rng(4)
    odds = PositiveOdds.of(np.arange(50), random.normal(1, 1, 50), random.normal(0, 1, 500))
    rising = odds.probability(np.linspace(-5, 5, 50))
    assert (np.diff(rising) >= 0).all()
    assert odds.probability(np.array([np.nan])).tolist() == [odds.prior]
    backwards = PositiveOdds.of(np.arange(50), random.normal(-1, 1, 50), random.normal(0, 1, 500))
    assert np.ptp(backwards.probability(np.array([-1.0, 0.0, 1.0]))) < 0.05


def test_without_known_positives_nothing_is_doubted() -> None:
    odds = PositiveOdds.of(np.empty(0, int), np.empty(0), np.ones(3))
    assert odds.probability(np.array([1.0])).tolist() == [0.0]


def test_equal_scores_have_equal_pi() -> None:
    scores = np.array([0.0, 0.0, 1.0, 1.0])
    odds = PositiveOdds.of(np.arange(4), scores, np.array([0.0, 0.0, 0.0, 1.0]))
    # At 1: half of the positives, a quarter of the candidates; at 0 a half and three quarters.
    assert odds.ratios == pytest.approx([2 / 3, 2.0])
    assert odds.probability(np.array([0.0, 1.0])) == pytest.approx(odds.prior * odds.ratios)
