"""How well scores tell positives from other documents: the AUC and its 95 % interval."""

import math
from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.measures.shortcut import roc_auc

_Z = 1.959963984540054
_STEPS = 60


@dataclass(frozen=True)
class Auc:
    """P(positive above negative) + P(tie) / 2 with its 95 % interval; nan where a class is empty.

    `positives` and `negatives` count scores.
    """

    value: float
    low: float
    high: float
    positives: int
    negatives: int


def auc_with_interval(
    positive: np.ndarray, negative: np.ndarray, independent: int | None = None
) -> Auc:
    """AUC of two samples of scores, (m,) and (n,).

    The interval holds the areas t that lie within 1.96 standard errors of the one found, where the
    squared error at t is that of Hanley and McNeil (Radiology 143:29, 1982),

        t (1 - t) / (m n) * (1 + k (1 - t) / (2 - t) + k t / (1 + t)),  k = (m + n) / 2 - 1,

    inverted as a score interval with both sample sizes in k averaged (Newcombe, Statistics in
    Medicine 25:559, 2006, method 5). So it does not vanish where the samples are apart, and is
    usable for a few scores.

    Args:
        positive, negative: scores, without NaN.
        independent: at most so many scores of each sample count as independent, such as the number
            of queries where each gave several; None = all.
    """
    m, n = len(positive), len(negative)
    if not m or not n:
        nan = float("nan")
        return Auc(nan, nan, nan, m, n)
    scores = np.concatenate([positive, negative]).astype(np.float64)
    value = roc_auc(scores, np.arange(m + n) < m)
    most = independent or max(m, n)
    sizes = min(m, most), min(n, most)
    low = _end(value, 0.0, sizes) if value > 0 else 0.0
    high = _end(value, 1.0, sizes) if value < 1 else 1.0
    return Auc(value, low, high, m, n)


def _end(value: float, outside: float, sizes: tuple[int, int]) -> float:
    """The area between `value` and `outside` from which `value` is 1.96 standard errors away."""
    inside = value
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if abs(value - middle) <= _Z * _standard_error(middle, *sizes):
            inside = middle
        else:
            outside = middle
    return inside


def _standard_error(area: float, m: int, n: int) -> float:
    k = (m + n) / 2 - 1
    spread = 1 + k * (1 - area) / (2 - area) + k * area / (1 + area)
    return math.sqrt(area * (1 - area) * spread / (m * n))
