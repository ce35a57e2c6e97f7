"""The AUC of two samples and its interval: by hand, by its definition, and by coverage."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.auc import Auc, auc_with_interval

Scores = st.lists(st.integers(-5, 5), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(positive=Scores, negative=Scores)
def test_it_counts_pairs_in_order_and_half_the_ties(
    positive: list[int], negative: list[int]
) -> None:
    wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    found = auc_with_interval(np.array(positive), np.array(negative))
    assert found.value == pytest.approx(wins / (len(positive) * len(negative)))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert (found.positives, found.negatives) == (len(positive), len(negative))


def test_the_interval_ends_where_the_value_is_two_standard_errors_away() -> None:
    """Hanley and McNeil's variance at the ends themselves, by hand, for 5 and 9 scores."""
    positive, negative = np.array([1.0, 2, 3, 4, 9]), np.array([0.0, 1, 2, 2, 0, 5, 1, 0, 3])
    found = auc_with_interval(positive, negative)
    for end in (found.low, found.high):
        k = (5 + 9) / 2 - 1
        variance = end * (1 - end) / 45
        variance *= 1 + k * (1 - end) / (2 - end) + k * end / (1 + end)
        assert abs(found.value - end) == pytest.approx(1.959964 * variance**0.5, rel=1e-5)


def test_samples_that_are_apart_still_have_an_interval_which_narrows() -> None:
    lows = [auc_with_interval(np.ones(n), np.zeros(n)).low for n in (2, 5, 20, 200)]
    assert lows == sorted(lows)
    assert lows[0] < 0.5 < lows[1] and lows[-1] > 0.98
    assert auc_with_interval(np.zeros(9), np.ones(9)).low == 0


def test_nothing_to_compare_is_not_a_number() -> None:
    found = auc_with_interval(np.array([1.0]), np.empty(0))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert (found.positives, found.negatives) == (1, 0)


@pytest.mark.parametrize("true", [0.5, 0.8, 0.95])
def test_about_95_of_100_intervals_hold_the_true_area(true: float) -> None:
    """Normal scores, 300 draws of 40 and 80: the binomial error of the share is 0.013."""
    apart = NormalDist().inv_cdf(true) * 2**0.5
    random = np.random.default_rng(3)
    found = [
        auc_with_interval(random.normal(apart, 1, 40), random.normal(0, 1, 80)) for _ in range(300)
    ]
    held = np.mean([auc.low <= true <= auc.high for auc in found])
    assert 0.91 <= held <= 1.0


def test_scores_of_one_query_are_not_counted_as_independent() -> None:
    positive, negative = np.arange(6.0), np.arange(12.0) - 3
    all_of_them = auc_with_interval(positive, negative)
    of_queries = auc_with_interval(positive, negative, independent=6)
    assert of_queries.value == all_of_them.value
    assert of_queries.low < all_of_them.low and all_of_them.high < of_queries.high
    assert isinstance(of_queries, Auc) and of_queries.negatives == 12
