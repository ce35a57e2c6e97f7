"""nDCG of known positives, against its definition."""

import math
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.ranking import ndcg


def by_definition(positive: list[bool], scores: list[float], depth: int) -> float:
    ranked = sorted(zip(scores, positive, strict=True), key=lambda pair: (-pair[0], pair[1]))
    gained = sum(1 / math.log2(at + 2) for at, (_, p) in enumerate(ranked[:depth]) if p)
    best = sum(1 / math.log2(at + 2) for at in range(min(depth, sum(positive))))
    return gained / best if any(positive) else math.nan


ROWS = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=20)


@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(1, 12))
def test_it_is_the_definition_for_every_query(
    queries: list[list[tuple[bool, int]]], depth: int
) -> None:
    query = np.repeat(np.arange(len(queries)), [len(rows) for rows in queries])
    positive, scores = (np.array(column) for column in zip(*chain(*queries), strict=True))
    found = ndcg(query, positive.astype(bool), scores, depth)
    expected = [by_definition(*map(list, zip(*rows, strict=True)), depth) for rows in queries]
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_scores_that_tell_nothing_earn_nothing() -> None:
    positive = np.arange(12) == 0
    assert ndcg(np.zeros(12, dtype=np.int64), positive, np.zeros(12)).tolist() == [0]


def test_what_has_no_score_comes_last() -> None:
    found = ndcg(np.zeros(2, dtype=np.int64), np.array([True, False]), np.array([np.nan, -9]))
    assert found.tolist() == pytest.approx([1 / math.log2(3)])
