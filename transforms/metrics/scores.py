"""Distributions of student and judge scores, and of the ratio s-/s+."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.choosing.tiers import similarity_ratio
from negmine.transforms.kernels.measures.descriptive import describe
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row

_BINS_PER_ONE = 20
_BINS = 30


def score_rows(negatives: Negatives) -> Iterator[Row]:
    """dense_* and, with a judge, judge_*: positive, negative and difference."""
    yield from _distributions(negatives, "dense", negatives.dense, negatives.positive_dense)
    yield from _distributions(negatives, "judge", negatives.judge, negatives.positive_judge)


def _distributions(
    negatives: Negatives, name: str, score: np.ndarray, positive: np.ndarray
) -> Iterator[Row]:
    for scope in negatives.by_tier():
        rows = scope.rows
        kinds = {
            "positive": positive[negatives.served(rows)],
            "negative": score[rows],
            "difference": positive[rows].astype(np.float64) - score[rows],
        }
        for kind, values in kinds.items():
            known = values[~np.isnan(values)]
            for key, value in describe(known).items():
                yield Row(f"{name}_{kind}", value, len(known), scope.tier, key=key)


def ratio_rows(negatives: Negatives) -> Iterator[Row]:
    """ratio_histogram, ratio_above_one and ratio_95_to_one."""
    ratio = similarity_ratio(negatives.dense, negatives.positive_dense)
    for scope in negatives.by_tier():
        mine, count = ratio[scope.rows], len(scope.rows)
        if not count:
            continue
        place = np.floor(np.clip(mine * _BINS_PER_ONE, 0, _BINS - 1)).astype(np.int64)
        for number, size in enumerate(np.bincount(place, minlength=_BINS).tolist()):
            edge = number / _BINS_PER_ONE
            yield Row("ratio_histogram", float(size), count, scope.tier, bin=edge)
        yield Row("ratio_above_one", float((mine > 1).mean()), count, scope.tier)
        near = (mine >= 0.95) & (mine <= 1)
        yield Row("ratio_95_to_one", float(near.mean()), count, scope.tier)
