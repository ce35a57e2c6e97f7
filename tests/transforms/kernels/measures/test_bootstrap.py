"""Bootstrap: keyed resamples, their intervals, and medians of counted values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.bootstrap import (
    GROUPS,
    Bootstrap,
    interval,
    quotient,
    weighted_medians,
)


@pytest.mark.parametrize("queries", [1, 7, GROUPS, GROUPS + 1, 3 * GROUPS])
def test_every_resample_has_as_many_groups_as_there_are(queries: int) -> None:
    bootstrap = Bootstrap(queries, seed=1, draws=20)
    group = np.arange(queries) % bootstrap.groups
    once = (1 / np.bincount(group))[group]
    np.testing.assert_allclose(bootstrap.sums(once[:, None]), bootstrap.groups)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    columns = np.arange(50, dtype=float)[:, None]
    first, again, other = (Bootstrap(50, seed).sums(columns) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()
    assert len(np.unique(first)) > 100


@pytest.mark.parametrize("queries", [400, 3 * GROUPS])
def test_the_interval_of_a_mean_has_the_width_that_theory_gives(queries: int) -> None:
    values = np.random.default_rng(0).normal(size=queries)
    sums = Bootstrap(queries, seed=3).sums(np.stack([values, np.ones(queries)], axis=1))
    low, high = interval(quotient(sums[:, 0], sums[:, 1]))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(queries), rel=0.12)


def test_an_interval_leaves_out_what_is_not_defined() -> None:
    assert interval(np.array([np.nan, 2.0, np.nan])) == (2.0, 2.0)
    assert np.isnan(interval(np.array([np.nan]))).all()
    assert np.isnan(quotient(np.array([1.0]), np.array([0.0]))).all()


@given(st.lists(st.integers(0, 6), min_size=1), st.integers(0, 5))
def test_a_weighted_median_is_that_of_the_repeated_values(sample: list[int], more: int) -> None:
    values, counts = np.unique(sample, return_counts=True)
    rows = np.stack([counts, counts * 0, np.r_[counts[:-1], counts[-1] + more]])
    found = weighted_medians(values.astype(float), rows)
    assert found[0] == np.median(sample)
    assert np.isnan(found[1])
    assert found[2] == np.median(np.repeat(values, rows[2]))


def test_no_queries_have_empty_sums() -> None:
    assert Bootstrap(0, seed=1, draws=3).sums(np.empty((0, 2))).tolist() == [[0.0, 0.0]] * 3
