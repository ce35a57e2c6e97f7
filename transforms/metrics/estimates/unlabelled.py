"""How many positives nobody labelled: the judge's scores of candidates against known positives'."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.measures.bootstrap import Bootstrap, interval, quotient
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.table import COLUMNS, to_pairs

SHARES = (0.05, 0.1, 0.2, 0.3)
"""Of the known positives, that lie above the thresholds at which candidates are counted."""


def unlabelled_rows(
    judged: Dataset, calibration: Calibration, queries: int, bootstrap: Bootstrap
) -> Iterator[Row]:
    """unlabelled_positives: positives a query among the retrieved candidates, with its interval.

    A mixture of positives and negatives holds no more positives than its tail allows: of n
    candidates a query above a score that a share r of the known positives reaches, n / r is at
    least the unlabelled positives, and close to them where no negative scores so high. The least
    over several shares is taken (Blanchard, Lee and Scott, JMLR 11, 2010, for the bound; measured
    in docs/gain.md). So it errs upwards, the more the worse the judge is. Nothing is said where a
    candidate was not judged.

    Args:
        judged: `schemas.tables.JUDGED`; memory holds one part.
        calibration: of the known positives.
        queries: of the collection.
        bootstrap: over them.
    """
    if not len(calibration.scores):
        return
    limits = np.array([calibration.threshold(share) for share in SHARES])
    found, reached = np.zeros((queries, len(limits))), np.zeros((queries, len(limits)))
    for table in judged.tables(COLUMNS):
        query = table.column("query_ix").to_numpy()
        pairs = to_pairs(table)
        candidate = pairs.retrieved & ~pairs.is_positive
        if np.isnan(pairs.judge[candidate]).any():
            return
        positives = np.bincount(query[pairs.is_positive], minlength=queries)
        for column, limit in enumerate(limits):
            above = pairs.judge >= limit
            found[:, column] += np.bincount(query[candidate & above], minlength=queries)
            mine = np.bincount(query[pairs.is_positive & above], minlength=queries)
            reached[:, column] += mine / np.maximum(positives, 1)
    sums = bootstrap.sums(np.concatenate([found, reached], axis=1))
    total = np.concatenate([found, reached], axis=1).sum(axis=0)[None]
    (value,), drawn = (_least(rows, len(limits)) for rows in (total, sums))
    low, high = interval(drawn)
    yield Row("unlabelled_positives", float(value), queries, low=low, high=high)


def _least(sums: np.ndarray, limits: int) -> np.ndarray:
    ratios = [quotient(sums[:, n], sums[:, limits + n]) for n in range(limits)]
    return np.asarray(np.fmin.reduce(ratios))
