"""Dense retrieval: exact against brute force, deterministic bits, duplicates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.search.dense import exact_top_k, largest_norm, pair_scores


def unit(seed: int, rows: int, dimension: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def brute_force(queries: np.ndarray, documents: np.ndarray, k: int) -> tuple[np.ndarray, ...]:
    """Every pair by `pair_scores`, sorted by score descending, row ascending."""
    scores = np.array([[pair_scores(q, d) for d in documents] for q in queries], np.float32)
    order = np.array([np.lexsort((np.arange(len(row)), -row))[:k] for row in scores])
    return np.take_along_axis(scores, order, axis=1), order


@pytest.mark.parametrize("dimension", [1, 3, 64, 384])
def test_a_pairs_score_does_not_depend_on_its_batch(dimension):
    queries, documents = unit(1, 50, dimension), unit(2, 50, dimension)
    alone = np.array([pair_scores(q, d) for q, d in zip(queries, documents, strict=True)])
    for size in (1, 2, 7, 50):
        parts = [
            pair_scores(queries[at : at + size], documents[at : at + size])
            for at in range(0, 50, size)
        ]
        assert np.concatenate(parts).tobytes() == alone.tobytes()
    broadcast = pair_scores(queries[:, None, :], documents[None, :, :])
    assert np.diagonal(broadcast).tobytes() == alone.tobytes()
    assert alone.dtype == np.float32


def test_pair_scores_are_rounded_from_the_exact_sum():
    query = np.float32([1e8, 1.0, -1e8])
    assert pair_scores(query, np.float32([1, 1, 1])) == 1.0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 99), st.integers(1, 200), st.integers(1, 40), st.sampled_from([2, 8, 48]))
def test_equals_brute_force(seed, documents, k, dimension):
    rng = np.random.default_rng(seed)
    queries, vectors = unit(seed, 9, dimension), unit(seed + 1, documents, dimension)
    vectors = vectors[rng.integers(0, documents, documents)]  # some twice and more
    scores, ids = brute_force(queries, vectors, k)
    found = exact_top_k(queries, vectors, k)
    width = min(k, documents)
    assert found.ids[:, :width].tolist() == ids.tolist()
    assert found.scores[:, :width].tobytes() == np.ascontiguousarray(scores).tobytes()
    assert (found.ids[:, width:] == -1).all()


@pytest.mark.parametrize("queries", [1, 64])
def test_thousands_of_exact_duplicates_give_the_lowest_rows(queries):
    vectors = np.repeat(unit(3, 2, 32), 3000, axis=0)
    near = unit(3, 2, 32)[:1].repeat(queries, axis=0)
    found = exact_top_k(near, vectors, 10)
    assert found.ids.tolist() == [list(range(10))] * queries
    assert (found.scores == found.scores[0, 0]).all()


def test_near_ties_below_the_precision_of_float32_sums():
    base = unit(4, 1, 384)[0]
    vectors = np.tile(base, (5000, 1))
    vectors[:, 0] += np.random.default_rng(0).integers(-3, 4, 5000).astype(np.float32) * 1e-8
    found = exact_top_k(unit(5, 3, 384), vectors, 20)
    scores, ids = brute_force(unit(5, 3, 384), vectors, 20)
    assert found.ids.tolist() == ids.tolist()
    assert found.scores.tobytes() == np.ascontiguousarray(scores).tobytes()


def test_result_does_not_depend_on_the_block_of_queries():
    queries, vectors = unit(6, 70, 48), unit(7, 900, 48)
    whole = exact_top_k(queries, vectors, 15)
    for size in (1, 19, 64):
        parts = [exact_top_k(queries[at : at + size], vectors, 15) for at in range(0, 70, size)]
        assert np.concatenate([part.scores for part in parts]).tobytes() == whole.scores.tobytes()
        assert np.concatenate([part.ids for part in parts]).tobytes() == whole.ids.tobytes()


def test_unnormalised_and_zero_vectors():
    vectors = np.concatenate([unit(8, 50, 8) * 1000, np.zeros((5, 8), np.float32)])
    queries = np.concatenate([unit(9, 2, 8) * 50, np.zeros((1, 8), np.float32)])
    found = exact_top_k(queries, vectors, 7)
    assert found.ids.tolist() == brute_force(queries, vectors, 7)[1].tolist()
    assert found.ids[2].tolist() == list(range(7))


def test_read_only_mapped_vectors(tmp_path):
    unit(10, 300, 16).tofile(tmp_path / "vectors")
    mapped = np.memmap(tmp_path / "vectors", dtype=np.float32, mode="r", shape=(300, 16))
    expected = exact_top_k(unit(11, 30, 16), np.array(mapped), 5)
    assert exact_top_k(unit(11, 30, 16), mapped, 5).ids.tolist() == expected.ids.tolist()


def test_nothing_to_search():
    assert (
        exact_top_k(unit(0, 2, 4), np.empty((0, 4), np.float32), 3).ids.tolist() == [[-1] * 3] * 2
    )
    assert exact_top_k(np.empty((0, 4), np.float32), unit(0, 2, 4), 3).ids.shape == (0, 3)


def test_vectors_that_are_not_numbers_are_refused():
    bad = unit(0, 4, 4)
    bad[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        exact_top_k(unit(1, 2, 4), bad, 2)
    with pytest.raises(ValueError, match="NaN"):
        exact_top_k(bad, unit(1, 4, 4), 2)
    assert largest_norm(np.float32([[3, 4], [0, 1]])) == 5.0
