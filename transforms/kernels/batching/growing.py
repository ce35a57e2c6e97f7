"""Batches grown within a cell: each takes the pair that is hardest for those in it already."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.batching.cosines import centred

_APART = float(2**40)
"""What a pair loses for each one in the batch that it should not be with; more than it can gain."""


@dataclass(frozen=True)
class _Partners:
    """Rows that should not share a batch with each row, both ways."""

    bounds: np.ndarray
    others: np.ndarray

    @classmethod
    def of(cls, apart: tuple[np.ndarray, np.ndarray], count: int) -> "_Partners":
        rows, others = np.concatenate([apart, apart[::-1]], axis=1)
        order = np.argsort(rows, kind="stable")
        return cls(np.searchsorted(rows[order], np.arange(count + 1)), others[order])

    def at(self, row: int) -> np.ndarray:
        return self.others[self.bounds[row] : self.bounds[row + 1]]


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
    A pair of `apart` is taken together only where nothing else is left, and what is left changes
    places with a pair of another batch where that helps.

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
    partners = _Partners.of(apart, len(lots))

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
        score[partners.at(row)] -= _APART
    return _separated(order, near, partners, size)


def _separated(order: np.ndarray, near: np.ndarray, partners: _Partners, size: int) -> np.ndarray:
    """Exchange each row that shares its batch with a partner for one that clashes in neither."""
    order = order.copy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    for row in order.tolist():
        batch = place // size
        mine = partners.at(row)
        if not (batch[mine] == batch[row]).any():
            continue
        members = order[batch[order] == batch[row]]
        staying = members[members != row]
        clashing = np.zeros(len(order), dtype=np.int64)
        for member in staying.tolist():
            np.add.at(clashing, partners.at(member), 1)
        # A partner in the other batch counts, unless it is the one that would leave it.
        elsewhere = np.bincount(batch[mine], minlength=int(batch.max()) + 1)[batch]
        np.subtract.at(elsewhere, mine, 1)
        fits = (clashing == 0) & (elsewhere == 0) & (batch != batch[row])
        if fits.any():
            gain = np.bincount(batch, weights=near[row])[batch] + near[staying].sum(axis=0)
            other = int(np.where(fits, gain - 2 * near[row], -np.inf).argmax())
            order[place[[row, other]]] = [other, row]
            place[[row, other]] = place[[other, row]]
    return order
