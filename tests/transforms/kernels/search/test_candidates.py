"""Union of sources: every pair once, every source's rank and score kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.search.candidates import Ranked, against_positives, union

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=30, unique=True)


def ranked(found: list[tuple[int, int]]) -> Ranked:
    found = sorted(found)
    array = np.array(found, dtype=np.int64).reshape(-1, 2)
    count = np.arange(1, len(found) + 1)
    return Ranked(array[:, 0], array[:, 1], count.astype(np.int32), (count / 2).astype(np.float32))


@given(pairs, pairs, pairs)
def test_every_pair_appears_exactly_once_with_what_each_source_said(
    positives: list[tuple[int, int]], bm25: list[tuple[int, int]], dense: list[tuple[int, int]]
) -> None:
    known = np.array(sorted(positives), dtype=np.int64).reshape(-1, 2)
    sources = {"bm25": ranked(bm25), "dense": ranked(dense)}
    found = union(known[:, 0], known[:, 1], sources, documents=10)
    rows = list(zip(found.query_ix.tolist(), found.doc_ix.tolist(), strict=True))
    assert rows == sorted(set(positives) | set(bm25) | set(dense))
    for row, pair in enumerate(rows):
        assert found.is_positive[row] == (pair in positives)
        for name, listed in (("bm25", sorted(bm25)), ("dense", sorted(dense))):
            expected = listed.index(pair) + 1 if pair in listed else 0
            assert found.rank[name][row] == expected
            assert found.score[name][row] == np.float32(expected / 2)
        assert found.rank["random"][row] == 0


def test_pairs_meet_each_positive_of_their_query() -> None:
    rows, documents = against_positives(
        np.array([0, 0, 2]), np.array([0, 0, 1, 2]), np.array([7, 8, 5, 9])
    )
    assert rows.tolist() == [0, 0, 1, 1, 2]
    assert documents.tolist() == [7, 8, 7, 8, 9]
