"""Late interaction and per-query z-scores against the plain definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.groups import z_scores
from negmine.transforms.kernels.search.late_interaction import mean_max_sim
from negmine.transforms.kernels.search.token_codes import DOCUMENT_BITS, QUERY_BITS, pack, unpack


def unit_rows(count: int, seed: int, dimension: int = 8) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None)
@given(
    st.integers(0, 5),
    st.lists(st.integers(0, 6), min_size=1, max_size=6),
    st.integers(1, 11),
    st.integers(0, 99),
)
def test_equals_the_loop_over_tokens(
    query_tokens: int, lengths: list[int], dimension: int, seed: int
) -> None:
    query = pack(unit_rows(query_tokens, seed, dimension), QUERY_BITS)
    documents = [
        pack(unit_rows(length, seed + i + 1, dimension), DOCUMENT_BITS)
        for i, length in enumerate(lengths)
    ]
    asked = unpack(query, dimension, QUERY_BITS)
    expected = [
        np.mean([max(float(q @ d) for d in unpack(doc, dimension, DOCUMENT_BITS)) for q in asked])
        if len(doc) and len(query)
        else 0.0
        for doc in documents
    ]
    np.testing.assert_allclose(mean_max_sim(query, documents, dimension), expected, atol=1e-5)


def test_packed_vectors_score_as_those_that_they_stand_for() -> None:
    query, documents = unit_rows(12, 0, 384), [unit_rows(50, seed, 384) for seed in range(1, 40)]
    for place, document in enumerate(documents):
        document[: place // 4] += 2 * query[: place // 4]  # some match more tokens than others
        document /= np.linalg.norm(document, axis=1, keepdims=True)
    exact = np.array([(query @ document.T).max(axis=1).mean() for document in documents])
    packed = [pack(document, DOCUMENT_BITS) for document in documents]
    found = mean_max_sim(pack(query, QUERY_BITS), packed, 384)
    np.testing.assert_allclose(found, exact, atol=0.02)
    assert np.corrcoef(found, exact)[0, 1] > 0.99


def test_a_text_scores_one_with_itself() -> None:
    tokens = unit_rows(9, 0, 384)
    found = mean_max_sim(pack(tokens, QUERY_BITS), [pack(tokens, DOCUMENT_BITS)], 384)
    np.testing.assert_allclose(found, [1.0], atol=0.03)


def test_a_document_has_the_same_score_whatever_is_scored_beside_it() -> None:
    query = pack(unit_rows(5, 0), QUERY_BITS)
    documents = [pack(unit_rows(1 + seed % 7, seed), DOCUMENT_BITS) for seed in range(60)]
    together = mean_max_sim(query, documents, 8)
    np.testing.assert_allclose(
        together, [mean_max_sim(query, [document], 8)[0] for document in documents], rtol=1e-6
    )


def test_a_token_that_is_no_number_is_not_hidden() -> None:
    rows = unit_rows(3, 0)
    rows[1, 2] = np.nan
    query = pack(unit_rows(2, 1), QUERY_BITS)
    assert np.isnan(mean_max_sim(query, [pack(rows, DOCUMENT_BITS)], 8)).all()


def test_z_scores_use_the_counted_rows_only() -> None:
    values = np.array([1.0, 3.0, 100.0, 5.0, 5.0])
    found = z_scores(values, np.array([0, 0, 0, 1, 1]), np.array([True, True, False, True, True]))
    np.testing.assert_allclose(found, [-1.0, 1.0, 98.0, 0.0, 0.0])


def test_z_scores_of_a_query_that_retrieved_nothing_are_zero() -> None:
    found = z_scores(np.array([3.0, 4.0]), np.array([0, 0]), np.array([False, False]))
    assert np.isfinite(found).all()
