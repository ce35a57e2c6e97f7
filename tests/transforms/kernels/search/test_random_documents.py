"""Random documents: distinct, uniform, keyed by query, cheap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.random_documents import (
    random_documents,
    weighted_documents,
)


def keys(count: int) -> np.ndarray:
    return mix(np.arange(count, dtype=np.uint64), 99)


def reference(seed: int, key: int, documents: int, count: int) -> list[int]:
    """One draw after another, in Python's integers."""
    chosen: list[int] = []
    draw = 0
    while len(chosen) < min(count, documents):
        position = (int(mix(seed, np.uint64(key), draw)) * documents) >> 64
        if position not in chosen:
            chosen.append(position)
        draw += 1
    return chosen


@given(st.integers(0, 2**63 - 1), st.integers(1, 60), st.integers(1, 80))
def test_equals_drawing_one_by_one(seed, documents, count):
    found = random_documents(seed, keys(3), documents, count)
    assert found.tolist() == [reference(seed, int(k), documents, count) for k in keys(3)]


def test_count_of_the_corpus_or_more_returns_every_document():
    for count in (30, 31, 1000):
        found = random_documents(1, keys(5), 30, count)
        assert np.sort(found, axis=1).tolist() == [list(range(30))] * 5


def test_a_row_depends_on_its_key_only_not_on_its_block():
    whole = random_documents(7, keys(200), 50, 45)
    parts = [random_documents(7, keys(200)[at : at + 13], 50, 45) for at in range(0, 200, 13)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_fewer_documents_are_the_beginning_of_more():
    assert (
        random_documents(3, keys(9), 500, 5) == random_documents(3, keys(9), 500, 80)[:, :5]
    ).all()


def test_seeds_and_queries_differ():
    first = random_documents(1, keys(50), 10**6, 10)
    assert len(np.unique(first)) > 490
    assert not np.isin(random_documents(2, keys(50), 10**6, 10), first).all()


@pytest.mark.parametrize(("documents", "count"), [(97, 5), (97, 60), (1000, 20)])
def test_uniform_over_documents(documents, count):
    found = random_documents(42, keys(20_000), documents, count)
    observed = np.bincount(found.ravel(), minlength=documents)
    # Without replacement the counts vary less than the multinomial's, by this factor.
    statistic = stats.chisquare(observed).statistic / ((documents - count) / (documents - 1))
    assert stats.chi2.cdf(statistic, documents - 1) < 0.999
    assert stats.chi2.cdf(statistic, documents - 1) > 0.001


def test_every_position_of_the_draw_is_uniform():
    found = random_documents(42, keys(20_000), 40, 30)
    for rank in (0, 15, 29):
        assert stats.chisquare(np.bincount(found[:, rank], minlength=40)).pvalue > 0.001


def test_a_corpus_of_billions_costs_no_more():
    found = random_documents(0, keys(1000), 2**32 - 1, 20)
    assert found.shape == (1000, 20)
    assert 0.45 < (found / 2**32).mean() < 0.55
    with pytest.raises(ValueError, match="4294967296"):
        random_documents(0, keys(1), 2**32, 1)


def test_nothing_to_draw():
    assert random_documents(0, keys(3), 0, 5).shape == (3, 0)
    assert random_documents(0, keys(0), 10, 5).shape == (0, 5)


def test_weights_are_the_odds_of_the_first_draw():
    weights = np.array([1.0, 2.0, 4.0, 8.0, 1.0])
    found = weighted_documents(42, keys(20_000), weights, 3)
    observed = np.bincount(found[:, 0], minlength=5)
    assert stats.chisquare(observed, weights / weights.sum() * 20_000).pvalue > 0.001
    # Without the first the others keep their odds: 8 of 12 behind 4.
    behind = np.bincount(found[found[:, 0] == 2, 1], minlength=5)
    expected = np.where(np.arange(5) == 2, 0, weights)
    rest = np.flatnonzero(expected)
    assert (
        stats.chisquare(behind[rest], (expected / expected.sum() * behind.sum())[rest]).pvalue
        > 0.001
    )


@pytest.mark.parametrize("count", [1, 4, 9, 30])
def test_weighted_draws_are_distinct_and_need_nothing_but_their_key(count):
    weights = np.array([1e9, 1e-3, *np.ones(8)])
    found = weighted_documents(7, keys(40), weights, count)
    assert found.shape == (40, min(count, 10))
    assert all(len(set(row)) == len(row) for row in found.tolist())
    parts = [weighted_documents(7, keys(40)[at : at + 7], weights, count) for at in range(0, 40, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), found)


def test_the_rest_of_a_weight_that_is_nearly_all_is_drawn_by_its_own_weights():
    weights = np.array([1e12, 1.0, 3.0])
    found = weighted_documents(1, keys(20_000), weights, 2)
    assert (found[:, 0] == 0).all()
    observed = np.bincount(found[:, 1], minlength=3)[1:]
    assert stats.chisquare(observed, [5000, 15000]).pvalue > 0.001
