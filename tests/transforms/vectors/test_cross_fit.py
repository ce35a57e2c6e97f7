"""One space for the models of all folds: inner products are the cosines of a query's own model."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.geometry import normalised
from negmine.transforms.kernels.search.dense import pair_scores
from negmine.transforms.vectors.cross_fit import own_side, side_by_side


def vectors(rows: int, widths: list[int], seed: int) -> list[np.ndarray]:
    drawn = np.random.default_rng(seed)
    return [normalised(drawn.normal(size=(rows, w)).astype(np.float32)) for w in widths]


@given(
    st.lists(st.integers(2, 9), min_size=2, max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_the_product_is_the_cosine_of_the_fold(widths: list[int], seed: int) -> None:
    documents, queries = vectors(7, widths, seed), vectors(7, widths, seed + 1)
    fold = np.arange(7) % len(widths)
    product = pair_scores(own_side(queries, fold), side_by_side(documents))
    for row, number in enumerate(fold):
        expected = float(queries[number][row] @ documents[number][row])
        assert product[row] == pytest.approx(expected, abs=1e-6)


def test_documents_keep_length_one_and_zero_queries_stay_zero() -> None:
    documents = side_by_side(vectors(5, [3, 4], 1))
    assert np.linalg.norm(documents, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    queries = vectors(2, [3, 4], 2)
    queries[0][0] = 0
    assert not own_side(queries, np.array([0, 1]))[0].any()
