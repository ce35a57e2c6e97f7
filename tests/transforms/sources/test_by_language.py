"""Search by language: what several shards give is what one gives."""

import numpy as np
import pytest

from negmine.transforms.kernels.search.topk import TopK, top_k
from negmine.transforms.sources.by_language import Which, groups, in_order, merged_halves


def searched(own: np.ndarray, documents: np.ndarray, cut: slice, which: Which, k: int) -> TopK:
    """The best of the documents of a shard for queries of such languages."""
    scores = np.random.default_rng(1).permutation(len(documents)).astype(np.float32)
    out = TopK.empty(len(own), k)
    for rows, allowed, part in groups(own, documents[cut], which, k):
        held = np.arange(len(documents))[cut][allowed]
        found = top_k(scores[None, held], held[None, :], part.stop - part.start)
        out.scores[rows, part], out.ids[rows, part] = found.scores, found.ids
    return out


@pytest.mark.parametrize("k", [1, 4, 5])
@pytest.mark.parametrize("shards", [2, 3])
def test_queries_with_and_without_a_language_find_the_same_in_any_shards(k: int, shards: int):
    own, documents = np.array([0, 1, 2, 0]), np.arange(24) % 3
    whole = in_order(searched(own, documents, slice(0, 24), "both", k))
    step = 24 // shards
    parts = [searched(own, documents, slice(at, at + step), "both", k) for at in range(0, 24, step)]
    found = in_order(merged_halves(parts, k, own != 0))
    assert found.ids.tolist() == whole.ids.tolist()
    assert found.scores.tolist() == whole.scores.tolist()


def test_a_query_without_a_language_is_not_cut_in_halves():
    parts = [
        TopK(np.array([scores], dtype=np.float32), np.array([scores]))
        for scores in ([10, 8, 6, 4], [9, 7, 5, 3])
    ]
    assert merged_halves(parts, 4, np.array([False])).ids.tolist() == [[10, 9, 8, 7]]
    assert merged_halves(parts, 4, np.array([True])).ids.tolist() == [[10, 9, 6, 5]]
