"""BM25: equal to rank-bm25 and bm25s, and the same bits for any cut of the work."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25L, BM25Okapi, BM25Plus
from scipy import sparse

from negmine.transforms.kernels.search import bm25
from negmine.transforms.kernels.search.bm25 import Bm25Matrix, Parameters, Queries

METHODS = ("lucene", "robertson", "atire", "okapi", "bm25l", "bm25+")
TERMS = 12


def documents_of(seed: int, count: int = 60) -> list[list[int]]:
    """Documents over few terms, so that some terms are in more than half of them."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, TERMS + 1)
    documents = [
        rng.choice(TERMS, rng.integers(1, 15), p=share / share.sum()).tolist()
        for _ in range(count - 2)
    ]
    return [*documents, [], list(range(TERMS))]


def matrix(documents: list[list[int]], parameters: Parameters) -> Bm25Matrix:
    counts = np.array([np.bincount(terms, minlength=TERMS) for terms in documents])
    row, term = np.nonzero(counts)
    length = counts.sum(axis=1)
    term_idf = bm25.idf(parameters.method, (counts > 0).sum(axis=0), len(documents))
    values = bm25.weights(
        parameters, term_idf[term], counts[row, term], length[row], float(length.mean())
    )
    shape = (TERMS, len(documents))
    weights = sparse.csr_array((values, (term, row)), shape=shape, dtype=np.float32)
    return Bm25Matrix(weights, bm25.absent_weight(parameters, term_idf))


def queries_of(rows: list[list[int]]) -> Queries:
    numbers = np.array([number for row in rows for number in row], dtype=np.int64)
    return Queries.of(numbers, np.concatenate([[0], np.cumsum([len(row) for row in rows])]))


QUERIES = [[0], [0, 1], [11], [3, 3, 3], [5, 0, 7, 2, 5], [-1, 4], [-1], []]


def dense(made: Bm25Matrix, queries: Queries, documents: int) -> np.ndarray:
    """Scores of every returned document; NaN where none was returned."""
    found = made.top_k(queries, documents)
    out = np.full((len(queries.offsets) - 1, documents), np.nan, dtype=np.float32)
    row, column = np.nonzero(found.ids >= 0)
    out[row, found.ids[row, column]] = found.scores[row, column]
    return out


@pytest.mark.parametrize(
    ("method", "oracle"), [("okapi", BM25Okapi), ("bm25l", BM25L), ("bm25+", BM25Plus)]
)
@pytest.mark.parametrize("seed", range(3))
def test_equals_rank_bm25(method, oracle, seed):
    documents = documents_of(seed)
    delta = {} if method == "okapi" else {"delta": 0.7}
    expected_index = oracle([[*map(str, row)] for row in documents], k1=1.3, b=0.6, **delta)
    df = np.array([sum(term in row for row in documents) for term in range(TERMS)])
    assert (df > len(documents) / 2).any()
    made = matrix(documents, Parameters(method, 1.3, 0.6, 0.7))
    scores = dense(made, queries_of(QUERIES), len(documents))
    for row, query in enumerate(QUERIES):
        expected = expected_index.get_scores([str(term) for term in query])
        matches = np.array([bool(set(query) & set(terms)) for terms in documents])
        returned = ~np.isnan(scores[row])
        assert (returned <= matches).all()
        assert (expected[matches & ~returned] <= 0).all()
        np.testing.assert_allclose(scores[row][returned], expected[returned], rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", ["lucene", "robertson", "atire", "bm25+"])
def test_equals_bm25s(method):
    bm25s = pytest.importorskip("bm25s")
    documents = documents_of(5)
    index = bm25s.BM25(method=method, k1=1.1, b=0.8, delta=0.5)
    index.index(
        (documents, {str(term): term for term in range(TERMS)}),
        show_progress=False,
        create_empty_token=False,
    )
    made = matrix(documents, Parameters(method, 1.1, 0.8, 0.5))
    queries = [[0], [0, 1], [5, 0, 7, 2, 5]]
    scores = dense(made, queries_of(queries), len(documents))
    for row, query in enumerate(queries):
        expected = index.get_scores_from_ids(query)
        returned = ~np.isnan(scores[row])
        np.testing.assert_allclose(scores[row][returned], expected[returned], atol=1e-5)


def test_lucene_by_hand():
    made = matrix([[0, 0, 1], [1]], Parameters("lucene", 1.2, 0.75))
    found = made.top_k(queries_of([[0], [1]]), 2)
    idf = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert found.ids.tolist() == [[0, -1], [1, 0]]
    expected = idf * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert found.scores[0, 0] == pytest.approx(expected, rel=1e-6)


def test_documents_without_a_term_of_the_query_are_not_returned():
    for method in METHODS:
        made = matrix([[0], [1], [1, 2], [1, 3], [*range(1, TERMS)]], Parameters(method))
        found = made.top_k(queries_of([[0], [-1], []]), 3)
        assert found.ids.tolist() == [[0, -1, -1], [-1] * 3, [-1] * 3]


rows_of_terms = st.lists(st.lists(st.integers(-1, TERMS - 1), max_size=9), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(METHODS), st.integers(0, 9), rows_of_terms,
    st.lists(st.integers(1, 39), max_size=3, unique=True), st.integers(1, 60),
)  # fmt: skip
def test_pairs_shards_and_blocks_have_the_same_bits(method, seed, rows, cuts, products):
    documents = documents_of(seed, 40)
    made = matrix(documents, Parameters(method))
    queries = queries_of(rows)
    whole = dense(made, queries, 40)

    edges = [0, *sorted(cuts), 40]
    shards = [
        dense(
            Bm25Matrix(sparse.csr_array(made.weights[:, low:high]), made.absent),
            queries,
            high - low,
        )
        for low, high in pairwise(edges)
    ]
    assert np.concatenate(shards, axis=1).tobytes() == whole.tobytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bm25, "_PRODUCTS", products)
        assert dense(made, queries, 40).tobytes() == whole.tobytes()

    row, document = np.nonzero(~np.isnan(whole))
    by_document = sparse.csr_array(made.weights.T)
    by_document.sort_indices()
    scores = bm25.sum_pairs(sparse.csr_array(by_document[document]), queries, row)
    scores += bm25.constants(queries, made.absent)[row]
    assert scores.tobytes() == whole[row, document].tobytes()


def test_a_pair_without_a_common_term_scores_0():
    by_document = sparse.csr_array(np.float32([[0, 2], [0, 0], [3, 0]]))
    scores = bm25.sum_pairs(by_document, queries_of([[0], [-1]]), np.array([0, 0, 1]))
    assert scores.tolist() == [0, 0, 0]
