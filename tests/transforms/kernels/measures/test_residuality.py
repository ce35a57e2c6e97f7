"""Lexical residuality: against sets of terms, one triple at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from negmine.transforms.kernels.measures import residuality as module
from negmine.transforms.kernels.measures.residuality import residuality

TERMS = 7
terms = st.sets(st.integers(0, TERMS - 1))
IDF = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])


def matrix(rows: list[set[int]]) -> sparse.csr_array:
    numbers = np.array([n for row in rows for n in sorted(row)], dtype=np.int64)
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    return sparse.csr_array((np.ones(len(numbers)), numbers, offsets), shape=(len(rows), TERMS))


@given(st.lists(st.tuples(terms, terms, terms), max_size=12))
def test_is_the_idf_share_of_the_terms_that_are_new(
    triples: list[tuple[set[int], set[int], set[int]]],
) -> None:
    expected = []
    for n, p, q in triples:
        total, shared = IDF[sorted(n)].sum(), IDF[sorted(n & (p | q))].sum()
        expected.append(1 - shared / total if total else 1.0)
    negative, positive, query = (matrix([triple[i] for triple in triples]) for i in range(3))
    assert residuality(negative, positive, query, IDF) == pytest.approx(np.array(expected))


def test_the_cut_into_pieces_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    rows = [set(random.choice(TERMS, size=3).tolist()) for _ in range(60)]
    columns = matrix(rows[:20]), matrix(rows[20:40]), matrix(rows[40:])
    whole = residuality(*columns, IDF)
    monkeypatch.setattr(module, "_CELLS", 3 * TERMS)
    assert residuality(*columns, IDF).tolist() == whole.tolist()
