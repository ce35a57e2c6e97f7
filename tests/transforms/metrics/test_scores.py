"""Score distributions and ratios: against the arrays, and where there is no judge."""

import numpy as np
import pytest

from negmine.transforms.metrics.scores import ratio_rows, score_rows
from tests.transforms.metrics.triples import triples, values


def test_distributions_are_of_positives_negatives_and_differences() -> None:
    sets = triples()
    rows = list(score_rows(sets))
    assert values(rows, "dense_positive", tier=None, key="count") == [8]
    assert values(rows, "judge_negative", tier=None, key="max") == [sets.judge.max()]
    hard = sets.tier == 0
    difference = (sets.positive_dense.astype(float) - sets.dense)[hard]
    assert values(rows, "dense_difference", tier="hard", key="mean") == [
        pytest.approx(difference.mean())
    ]


def test_without_a_judge_there_are_no_judge_rows() -> None:
    names = {row.metric for row in score_rows(triples(judged=False))}
    assert names == {"dense_positive", "dense_negative", "dense_difference"}


def test_the_histogram_counts_every_negative_once() -> None:
    sets = triples(1, 200)
    sets.dense[:3] = sets.positive_dense[:3] * np.float32(9)
    rows = list(ratio_rows(sets))
    for tier in (None, "hard", "rest"):
        counts = values(rows, "ratio_histogram", tier=tier)
        (total,) = {r.count for r in rows if r.metric == "ratio_histogram" and r.tier == tier}
        assert len(counts) == 30 and sum(counts) == total
    ratio = (sets.dense.astype(float) / sets.positive_dense).clip(0, 1.5)
    expected, _ = np.histogram(ratio, bins=np.arange(31) / 20)
    assert values(rows, "ratio_histogram", tier=None) == expected.tolist()
    assert values(rows, "ratio_histogram", tier=None, bin=1.45)[0] >= 3


def test_shares_split_at_one() -> None:
    sets = triples(1, 4).take(np.arange(4))
    sets.positive_dense[:] = 0.5
    sets.dense[:] = [0.2, 0.4999, 0.5, 0.6]
    rows = list(ratio_rows(sets))
    assert values(rows, "ratio_above_one", tier=None) == [0.25]
    assert values(rows, "ratio_95_to_one", tier=None) == [0.5]
