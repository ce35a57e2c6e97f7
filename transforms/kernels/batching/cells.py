"""Pairs cut into cells of like ones by halving, so that a cell's similarities fit into memory."""

from collections.abc import Callable

import numpy as np

from negmine.transforms.kernels.batching.cosines import whole
from negmine.transforms.kernels.hashing import mix

_SAMPLE = 256
_ROUNDS = 4
_AT_ONCE = 16_384

Take = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From rows (m,), ascending, to the vectors of their queries and positives, each (m, d), as
`cosines.whole` makes them."""


def cells(take: Take, keys: np.ndarray, most: int, multiple: int, seed: int) -> list[np.ndarray]:
    """Cut pairs into cells of at most `most`, halving across the direction in which they differ.

    Each half takes the pairs on one side of the median of their projections. All cells but the last
    hold a multiple of `multiple` pairs; where that is more than `most`, cells hold `multiple`.

    Args:
        take: gives vectors.
        keys: (n,) uint64, which decide ties and samples.
        most, multiple: sizes.
        seed: keys the samples, so that other seeds cut elsewhere.

    Returns:
        Rows of each cell, int64 ascending.
    """
    found: list[np.ndarray] = []
    waiting = [np.arange(len(keys), dtype=np.int64)]
    limit = max(most, multiple)
    while waiting:
        rows = waiting.pop()
        if len(rows) <= limit:
            found.append(rows)
            continue
        half = max(1, round(len(rows) / 2 / multiple)) * multiple
        lots = mix(seed, len(waiting), keys[rows])
        side = _project(take, rows, _direction(take, rows, lots))
        order = np.lexsort((lots, side))
        waiting += [np.sort(rows[order[half:]]), np.sort(rows[order[:half]])]
    return found


def _direction(take: Take, rows: np.ndarray, lots: np.ndarray) -> np.ndarray:
    """Where a sample of the rows differs most, (d,) float32 of whole numbers: means of two halves.

    Begins between a drawn pair and the one farthest from it, and moves to the means of the halves.
    """
    drawn = np.argsort(lots, kind="stable")[:_SAMPLE]
    first = drawn[0]
    queries, positives = take(np.sort(rows[drawn]))
    sample = (queries + positives).astype(np.float64)
    start = sample[np.searchsorted(np.sort(rows[drawn]), rows[first])]
    distance = ((sample - start) ** 2).sum(axis=1)
    direction = sample[distance.argmax()] - start
    for _ in range(_ROUNDS):
        order = np.argsort((sample * _rounded(direction)).sum(axis=1), kind="stable")
        middle = len(order) // 2
        direction = sample[order[middle:]].mean(axis=0) - sample[order[:middle]].mean(axis=0)
    return _rounded(direction)


def _rounded(direction: np.ndarray) -> np.ndarray:
    return whole(direction[None, :])[0]


def _project(take: Take, rows: np.ndarray, direction: np.ndarray) -> np.ndarray:
    out = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        queries, positives = take(rows[start : start + _AT_ONCE])
        out[start : start + _AT_ONCE] = queries @ direction + positives @ direction
    return out
