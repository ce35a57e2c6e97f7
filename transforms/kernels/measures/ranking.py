"""How well scores rank the known positives among other documents of their query."""

import numpy as np

from negmine.transforms.kernels.groups import position_in_group


def ndcg(
    query: np.ndarray, positive: np.ndarray, scores: np.ndarray, depth: int = 10
) -> np.ndarray:
    """nDCG at a depth, every positive of gain 1 (Järvelin and Kekäläinen, TOIS 20:4, 2002).

    Of equal scores a positive comes last, so that scores that tell nothing earn nothing.

    Args:
        query: (n,) int64 from 0.
        positive: (n,) bool.
        scores: (n,) float; NaN comes last.

    Returns:
        (queries,) float64; NaN for a query without a positive.
    """
    queries = int(query.max(initial=-1)) + 1
    falling = -np.nan_to_num(scores.astype(np.float64), nan=-np.inf)
    order = np.lexsort((positive, falling, query))
    rank = position_in_group(query[order]) + 1
    counted = positive[order] & (rank <= depth)
    gained = np.bincount(query[order][counted], 1 / np.log2(1 + rank[counted]), minlength=queries)
    most = np.cumsum(1 / np.log2(1 + np.arange(1, depth + 1)))
    count = np.bincount(query[positive], minlength=queries)
    best = most[np.clip(count, 1, depth) - 1]
    return np.where(count > 0, gained / best, np.nan)
