"""Batches grown within a cell: each takes the pair that is hardest for those in it already."""

import numpy as np

from negmine.transforms.kernels.batching.cosines import centred

_APART = float(2**40)
"""What a pair loses for each one in the batch that it should not be with; more than it can gain."""


def grow(
    queries: np.ndarray,
    positives: np.ndarray,
    apart: tuple[np.ndarray, np.ndarray],
    size: int,
    lots: np.ndarray,
) -> np.ndarray:
    """Order the pairs of a cell so that each `size` of them make a batch of hard negatives.

    A batch begins with the pair whose lot is lowest, and takes again and again the pair whose
    positive is nearest to the queries that are in, and whose query to their positives, on average.
    A pair of `apart` is taken together only where nothing else is left.

    Args:
        queries, positives: (m, d) float32 vectors as `cosines.whole` makes them.
        apart: rows and others, each (a,), that should not share a batch.
        size: pairs in a batch.
        lots: (m,) uint64.

    Returns:
        (m,) int64 rows; the last batch may be short.
    """
    # Cosines of queries with one another's positives, both ways: pair 0 asks about wings and pair 1
    # about wings at an angle, so 1's positive is hard for 0. Pair 2 is about heat: it goes
    # elsewhere, unless everything about wings may answer the query of pair 0.
    near = centred(queries) @ centred(positives).T
    near += near.T.copy()
    rows, others = np.concatenate([apart, apart[::-1]], axis=1)
    sort = np.argsort(rows, kind="stable")
    others = others[sort]
    bounds = np.searchsorted(rows[sort], np.arange(len(lots) + 1))

    first = iter(np.argsort(lots, kind="stable").tolist())
    taken = np.zeros(len(lots))
    order = np.empty(len(lots), dtype=np.int64)
    score = taken.copy()
    for place in range(len(lots)):
        if place % size:
            row = int(score.argmax())
        else:
            row = next(row for row in first if taken[row] == 0)
            score = taken.copy()
        order[place] = row
        taken[row] = score[row] = -np.inf
        score += near[row]
        score[others[bounds[row] : bounds[row + 1]]] -= _APART
    return order
