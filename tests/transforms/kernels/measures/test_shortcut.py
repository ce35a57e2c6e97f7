"""Shortcut AUC: against scikit-learn, and on sets whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.measures.shortcut import idf_share, roc_auc, shortcut_auc
from negmine.transforms.kernels.search.bm25 import Queries


def uniform(seed: int, count: int) -> np.ndarray:
    """Numbers in [0, 1) by keyed hash."""
    return mix(seed, np.arange(count)) / 2.0**64


def set_of(seed: int, count: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Overlap, log length and class of random pairs; positives are `shift` above in both."""
    is_positive = uniform(seed, count) < 0.2
    is_positive[:2] = [True, False]
    noise = [uniform(seed + at, count) + uniform(seed + at + 9, count) for at in (1, 2)]
    return noise[0] * 20 + 20 * shift * is_positive, noise[1] + shift * is_positive, is_positive


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_auc_is_the_share_of_pairs_in_order_with_ties_counted_half(
    rows: list[tuple[int, bool]],
) -> None:
    score, is_positive = np.array([s for s, _ in rows]), np.array([c for _, c in rows])
    above, below = score[is_positive], score[~is_positive]
    won = [(a > b) + (a == b) / 2 for a in above for b in below]
    expected = float(np.mean(won)) if won else math.nan
    assert roc_auc(score, is_positive) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("seed", [1, 100, 1000])
def test_agrees_with_scikit_learn(seed: int, shift: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    metrics = pytest.importorskip("sklearn.metrics")
    overlap, log_length, is_positive = set_of(seed, 600, shift)
    features = np.column_stack([overlap, log_length])
    features = (features - features.mean(0)) / features.std(0)
    model = linear.LogisticRegression(class_weight="balanced", C=1e6, tol=1e-8)
    score = model.fit(features, is_positive).decision_function(features)
    expected = metrics.roc_auc_score(is_positive, score)
    assert shortcut_auc(overlap, log_length, is_positive) == pytest.approx(expected, abs=1e-3)


def test_features_that_know_nothing_give_one_half() -> None:
    overlap, log_length, is_positive = set_of(5, 20_000, 0.0)
    assert shortcut_auc(overlap, log_length, is_positive) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_feature_that_separates_gives_one_in_either_direction(sign: float) -> None:
    is_positive = np.arange(50) % 5 == 0
    overlap = sign * (is_positive * 100.0 + np.arange(50) / 50)
    assert shortcut_auc(overlap, np.zeros(50), is_positive) == 1.0


def test_an_exclusive_or_is_no_shortcut_of_a_linear_model() -> None:
    a, b = np.repeat([0.0, 1.0], 40), np.tile([0.0, 1.0], 40)
    assert shortcut_auc(a, b, a != b) == pytest.approx(0.5)


def test_constant_features_give_one_half() -> None:
    is_positive = np.arange(30) % 3 == 0
    constant = np.full(30, 0.1 + 0.2)
    assert shortcut_auc(constant, constant * 1e9, is_positive) == 0.5


@pytest.mark.parametrize("value", [True, False])
def test_an_empty_class_has_no_auc(value: bool) -> None:
    numbers = np.arange(4.0)
    assert math.isnan(shortcut_auc(numbers, numbers, np.full(4, value)))
    assert math.isnan(shortcut_auc(numbers[:0], numbers[:0], np.empty(0, dtype=bool)))


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(0.01, 1e6), st.floats(-1e3, 1e3), st.floats(0.0, 2.0))
def test_neither_unit_nor_origin_of_a_feature_matters(
    seed: int, scale: float, shift: float, distance: float
) -> None:
    overlap, log_length, is_positive = set_of(seed, 60, distance)
    first = shortcut_auc(overlap, log_length, is_positive)
    again = shortcut_auc(overlap * scale + shift * scale, -log_length, is_positive)
    assert again == pytest.approx(first, abs=1e-3)
    assert 0 <= first <= 1


def test_grouped_sees_what_differences_between_queries_hide() -> None:
    query = np.repeat(np.arange(40), 6)
    is_positive = np.arange(240) % 6 == 0
    overlap = 1000.0 * uniform(3, 40)[query] + is_positive
    assert shortcut_auc(overlap, np.zeros(240), is_positive) < 0.6
    assert shortcut_auc(overlap, np.zeros(240), is_positive, query) == 1.0


def test_grouped_leaves_out_queries_that_lack_a_class() -> None:
    query = np.array([0, 0, 1, 1, 2])
    is_positive = np.array([True, False, False, False, True])
    overlap = np.array([2.0, 1.0, 50.0, -50.0, 0.0])
    assert shortcut_auc(overlap, np.zeros(5), is_positive, query) == 1.0
    alone = query > 0
    assert math.isnan(
        shortcut_auc(overlap[alone], overlap[alone], is_positive[alone], query[alone])
    )


def test_idf_share_is_the_weight_of_the_terms_found() -> None:
    documents = sparse.csr_array(np.array([[5.0, 0, 2, 0], [0, 0, 0, 9], [5, 1, 1, 1]]))
    queries = Queries.of(np.array([0, 1, 0, 2, -1]), np.array([0, 3, 4, 5]))
    idf = np.array([1.0, 2.0, 3.0, 4.0])
    rows = np.array([0, 0, 1])
    np.testing.assert_allclose(idf_share(documents, queries, rows, idf), [0.5, 0.0, 1.0])
    every = documents[[2, 2, 2]]
    np.testing.assert_allclose(idf_share(every, queries, np.arange(3), idf), [1.0, 1.0, 0.0])
