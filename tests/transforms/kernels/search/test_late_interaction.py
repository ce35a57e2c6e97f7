"""Late interaction and per-query z-scores against the plain definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.groups import z_scores
from negmine.transforms.kernels.search.late_interaction import from_bfloat16, mean_max_sim


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


@given(st.integers(1, 5), st.lists(st.integers(0, 6), min_size=1, max_size=6), st.integers(0, 99))
def test_equals_the_loop_over_tokens(query_tokens: int, lengths: list[int], seed: int) -> None:
    query = unit_rows(query_tokens, seed)
    documents = [unit_rows(length, seed + i + 1) for i, length in enumerate(lengths)]
    expected = [
        np.mean([max(float(q @ d) for d in from_bfloat16(doc)) for q in from_bfloat16(query)])
        if len(doc)
        else 0.0
        for doc in documents
    ]
    np.testing.assert_allclose(mean_max_sim(query, documents), expected, atol=1e-5)


def test_a_text_scores_one_with_itself() -> None:
    tokens = unit_rows(4, 0)
    np.testing.assert_allclose(mean_max_sim(tokens, [tokens]), [1.0], atol=1e-2)


def test_z_scores_use_the_counted_rows_only() -> None:
    values = np.array([1.0, 3.0, 100.0, 5.0, 5.0])
    found = z_scores(values, np.array([0, 0, 0, 1, 1]), np.array([True, True, False, True, True]))
    np.testing.assert_allclose(found, [-1.0, 1.0, 98.0, 0.0, 0.0])


def test_z_scores_of_a_query_that_retrieved_nothing_are_zero() -> None:
    found = z_scores(np.array([3.0, 4.0]), np.array([0, 0]), np.array([False, False]))
    assert np.isfinite(found).all()
