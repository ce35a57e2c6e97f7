"""Bootstrap over queries: keyed draws, so that the same queries give the same intervals."""

import numpy as np

from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.threads import one_thread

DRAWS = 1000
GROUPS = 2048
"""Above this many queries they are drawn in groups, so that cost does not follow the collection."""
_KEY = 0x426F6F7473747261
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


class Bootstrap:
    """Resamples of queries with replacement (Efron, Annals of Statistics 7:1, 1979).

    Query i belongs to group i mod min(queries, 2048), and groups are drawn: one query each up to
    2048 queries. All statistics see the same resamples, so differences of them can be compared.

    Args:
        queries: number of queries, numbered from 0.
        seed: keys the draws.
        draws: number of resamples.
    """

    def __init__(self, queries: int, seed: int, draws: int = DRAWS) -> None:
        self.queries = queries
        self.groups = min(queries, GROUPS)
        self._times = _times(self.groups, seed, draws)

    def sums(self, columns: np.ndarray) -> np.ndarray:
        """Sum of each column over every resample: (queries, c) to (draws, c) float64."""
        group = np.arange(self.queries) % max(self.groups, 1)
        totals = [np.bincount(group, column, minlength=self.groups) for column in columns.T]
        with one_thread():
            return np.asarray(self._times @ np.stack(totals, axis=1))


def _times(groups: int, seed: int, draws: int) -> np.ndarray:
    """How often each group is drawn, (draws, groups) float64."""
    # Three queries, one resample (0, 2, 2): a row 1 0 2. Sums over resamples are then one product
    # of this matrix with the queries' values, and two statistics see the same draws.
    draw = np.arange(draws, dtype=np.uint64)[:, None]
    hashed = mix(mix(_KEY, seed, draw), np.arange(groups, dtype=np.uint64)[None, :])
    drawn = (((hashed >> _HALF) * np.uint64(groups)) >> _HALF).astype(np.int64)
    flat = (drawn + np.arange(draws)[:, None] * groups).ravel()
    return np.bincount(flat, minlength=draws * groups).reshape(draws, groups).astype(np.float64)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Percentile interval, 95 %, of a statistic's resamples; NaN ones are left out.

    Returns (low, high), NaN where there is nothing to read it from.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where `below` is 0."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def weighted_medians(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median of each row's sample: `values` (k,) ascending, each `counts` (rows, k) times.

    Returns (rows,) float64, NaN for a row without any.
    """
    reached = np.cumsum(counts, axis=1)
    total = reached[:, -1:]
    middle = [(reached <= np.floor((total - back) / 2)).sum(axis=1) for back in (1, 0)]
    low, high = (values[np.minimum(at, len(values) - 1)] for at in middle)
    return np.where(total[:, 0] > 0, (low + high) / 2, np.nan)
