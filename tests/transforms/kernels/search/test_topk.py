"""Top-k: exact order, exact boundary, associative merge."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.search.topk import (
    TopK,
    from_sort_keys,
    merge,
    sort_keys,
    top_k,
    top_k_ragged,
)

SCORES = st.sampled_from([-np.inf, -1.5, -0.0, 0.0, 1e-40, 0.25, 0.5, 3.0, np.inf])


def brute_force(scores: list[float], ids: list[int], k: int) -> list[tuple[float, int]]:
    """(score, id) pairs by sorting: score descending, id ascending."""
    return sorted(zip(scores, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[:k]


def pairs(found: TopK, row: int) -> list[tuple[float, int]]:
    """The row without its padding."""
    real = found.ids[row] >= 0
    return list(zip(found.scores[row][real].tolist(), found.ids[row][real].tolist(), strict=True))


@given(st.lists(SCORES, max_size=40), st.integers(1, 12), st.randoms())
def test_equals_sorting_whatever_the_order_of_the_input(scores, k, random):
    scores = [float(np.float32(score)) for score in scores]
    ids = list(range(len(scores)))
    random.shuffle(ids)
    found = top_k(np.array([scores], dtype=np.float32), np.array([ids], dtype=np.int64), k)
    assert found.scores.shape == found.ids.shape == (1, k)
    assert pairs(found, 0) == brute_force(scores, ids, k)


def test_ties_at_the_boundary_go_to_the_lowest_ids():
    scores = np.full((1, 1000), 0.5, dtype=np.float32)
    ids = np.arange(1000)[None, ::-1]
    assert top_k(scores, ids, 3).ids.tolist() == [[0, 1, 2]]


def test_short_rows_are_padded():
    found = top_k(np.array([[2.0, 1.0]], dtype=np.float32), np.array([[7, -1]]), 3)
    assert found.ids.tolist() == [[7, -1, -1]]
    assert found.scores.tolist() == [[2.0, -np.inf, -np.inf]]


@given(st.lists(st.lists(SCORES, max_size=30), max_size=5), st.integers(1, 8))
def test_ragged_rows_equal_row_by_row(rows, k):
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    scores = np.array([score for row in rows for score in row], dtype=np.float32)
    ids = np.array([at for row in rows for at in range(len(row))], dtype=np.int64)
    found = top_k_ragged(scores, ids, offsets, k)
    for at, row in enumerate(rows):
        assert pairs(found, at) == brute_force(np.float32(row).tolist(), list(range(len(row))), k)


@given(
    st.lists(SCORES, min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=4),
    st.integers(1, 9),
    st.randoms(),
)
def test_merging_parts_in_any_order_and_grouping_equals_the_whole(scores, cuts, k, random):
    values = np.array([scores], dtype=np.float32)
    ids = np.arange(len(scores))[None, :]
    edges = sorted({0, len(scores), *[min(cut, len(scores)) for cut in cuts]})
    parts = [top_k(values[:, low:high], ids[:, low:high], k) for low, high in pairwise(edges)]
    random.shuffle(parts)
    while len(parts) > 1:
        at = random.randrange(len(parts) - 1)
        parts[at : at + 2] = [merge(parts[at : at + 2], k)]
    whole = top_k(values, ids, k)
    assert parts[0].scores.tobytes() == whole.scores.tobytes()
    assert parts[0].ids.tobytes() == whole.ids.tobytes()


def test_keys_keep_score_and_id_exactly():
    scores = np.float32([-np.inf, -3.5, -1e-45, 0.0, 1e-45, 1.1, np.inf])
    ids = np.array([0, 2**32 - 2, 5, 1, 9, 2**31, 3])
    found = from_sort_keys(sort_keys(scores, ids))
    assert found.scores.tobytes() == scores.tobytes()
    assert found.ids.tolist() == ids.tolist()


def test_refuses_what_has_no_order():
    with pytest.raises(ValueError, match="not a number"):
        sort_keys(np.float32([np.nan]), np.array([0]))
    with pytest.raises(ValueError, match="4294967295"):
        sort_keys(np.float32([1]), np.array([2**32 - 1]))
