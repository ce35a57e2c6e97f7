"""Descriptive statistics: against NumPy, against brute force, and at their ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.descriptive import (
    auc_interval,
    describe,
    effective_count,
    gini,
)

numbers = st.lists(st.floats(-10, 10), min_size=2, max_size=40)


@given(numbers)
def test_describes_as_numpy_does(values: list[float]) -> None:
    found = describe(np.array(values))
    expected = [len(values), np.mean(values), np.median(values), np.std(values, ddof=1)]
    expected += [min(values), *np.percentile(values, [25, 75]), max(values)]
    assert list(found.values()) == pytest.approx(expected, abs=1e-9)


def test_describes_one_value_and_none() -> None:
    assert describe(np.array([3.0]))["std"] == 0
    assert describe(np.array([])) == {}


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    values = np.array(counts, dtype=float)
    pairs = np.abs(values[:, None] - values[None, :]).mean()
    assert gini(np.array(counts)) == pytest.approx(pairs / (2 * values.mean()), abs=1e-12)


def test_gini_of_equal_counts_is_zero_and_of_none_undefined() -> None:
    assert gini(np.full(9, 4)) == pytest.approx(0)
    assert np.isnan(gini(np.array([])))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.sampled_from([0.01, 0.05, 0.1]))
def test_effective_count_is_one_over_the_sum_of_squares(scores: list[float], tau: float) -> None:
    share = np.exp(np.array(scores) / tau - max(scores) / tau)
    share /= share.sum()
    found = effective_count(np.array(scores), np.zeros(len(scores), dtype=np.int64), tau)
    assert found[0] == pytest.approx(1 / (share**2).sum())
    assert 1 - 1e-9 <= found[0] <= len(scores) + 1e-9


def test_equal_scores_all_count_and_groups_stand_alone() -> None:
    group = np.array([1, 0, 1, 1])
    assert effective_count(np.full(4, 0.3), group, 0.05) == pytest.approx([1, 3])


def test_an_auc_interval_holds_the_auc_and_narrows_with_more_pairs() -> None:
    few, many = auc_interval(0.8, 20, 100), auc_interval(0.8, 2000, 10_000)
    assert 0 < few[0] < many[0] < 0.8 < many[1] < few[1] <= 1
    assert auc_interval(1.0, 5, 5) == (1.0, 1.0)
