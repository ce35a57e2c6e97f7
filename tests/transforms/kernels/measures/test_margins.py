"""Ratio margins: against the formula written out, and on pairs that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.geometry import normalised
from negmine.transforms.kernels.measures.margins import Confidence, Margins, find_pairs


def translations(count: int = 60, noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Vectors of texts and of their translations, pair i in row i of both."""
    random = np.random.default_rng(seed)
    left = random.normal(size=(count, 16))
    right = left + noise * random.normal(size=left.shape)
    return normalised(left.astype(np.float32)), normalised(right.astype(np.float32))


def oracle(left: np.ndarray, right: np.ndarray, k: int) -> np.ndarray:
    """Every pair's ratio, (n, m)."""
    cosine = left.astype(np.float64) @ right.astype(np.float64).T
    near = -np.sort(-cosine, axis=1)[:, :k].mean(axis=1)[:, None]
    far = -np.sort(-cosine, axis=0)[:k].mean(axis=0)[None, :]
    return cosine / ((near + far) / 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 6), st.integers(0, 99))
def test_the_ratio_is_the_formula(n: int, m: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    left = normalised(np.abs(random.normal(size=(n, 8))).astype(np.float32))
    right = normalised(np.abs(random.normal(size=(m, 8))).astype(np.float32))
    margins = Margins.of(left, right, k)
    rows, columns = (index.ravel() for index in np.indices((n, m)))
    expected = oracle(left, right, min(k, n, m))
    assert margins.ratio(rows, columns).reshape(n, m) == pytest.approx(expected, rel=1e-4)


def test_mutual_pairs_are_each_others_best() -> None:
    left, right = translations()
    assert Margins.of(left, right).mutual().tolist() == [[i, i] for i in range(60)]
    nothing = np.empty((0, 16), dtype=np.float32)
    assert Margins.of(nothing, right).mutual().shape == (0, 2)


def test_what_is_near_to_everything_needs_a_higher_cosine() -> None:
    left, right = translations(noise=0.6)
    hub = normalised(right.mean(axis=0, keepdims=True) + 0.2 * right[:1])
    right = np.concatenate([right, hub])
    margins = Margins.of(left, right)
    every = np.arange(60)
    to_hub = margins.ratio(every, np.full(60, 60))
    assert (to_hub < margins.ratio(every, every)).mean() > 0.95


def test_wrong_pairs_fall_below_a_limit_that_follows_the_right_ones() -> None:
    left, right = translations(200)
    given = np.arange(200)
    given[:10] = np.roll(given[:10], 1)
    found = Confidence.of(Margins.of(left, right), np.arange(200), given)
    below = found.ratio < found.limit(4)
    assert np.flatnonzero(below).tolist() == list(range(10))
    assert not (found.forward[:10] | found.backward[:10]).any()
    assert found.weight[:10].max() == 0 and found.weight.dtype == np.float32
    assert found.limit(3) > found.limit(4)


def test_too_few_mutual_pairs_give_no_limit() -> None:
    left, right = translations(9)
    found = Confidence.of(Margins.of(left, right), np.arange(9), np.arange(9))
    assert found.limit(3) == -np.inf


def test_pairs_are_found_without_labels_and_rounds_agree_on_them() -> None:
    left, right = translations(300, noise=0.5)
    random = np.random.default_rng(1)
    strangers = normalised(random.normal(size=(100, 16)).astype(np.float32))
    shuffled = random.permutation(400)
    found = find_pairs(left, np.concatenate([right, strangers])[shuffled], 1.05)
    true = shuffled[found.pairs[:, 1]] == found.pairs[:, 0]
    assert true.mean() > 0.97 and true.sum() > 200
    assert (found.ratio >= 1.05).all()
    assert len(found.pairs) <= min(found.rounds[0], found.rounds[-1])
    assert len(found.kept) == len(found.rounds) - 1


def test_a_turned_language_is_brought_back() -> None:
    left, right = translations(300, noise=0.2)
    random = np.random.default_rng(2)
    turn = np.linalg.qr(np.eye(16) + 0.35 * random.normal(size=(16, 16)))[0]
    turned = (right @ turn).astype(np.float32)
    first = Margins.of(left, turned).mutual()
    found = find_pairs(left, turned, 1.0)
    assert found.rounds[-1] > len(first) * 0.9
    assert (found.pairs[:, 0] == found.pairs[:, 1]).mean() >= (first[:, 0] == first[:, 1]).mean()
