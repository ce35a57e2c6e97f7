"""The estimate of what a set is worth, by tier, with its interval."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.measures.bootstrap import Bootstrap, interval
from negmine.transforms.kernels.measures.expected_gain import expected_gain, repeated
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row


def gain_rows(
    negatives: Negatives, bootstrap: Bootstrap, calibration: Calibration | None = None
) -> Iterator[Row]:
    """expected_gain, all tiers together and each; none where no judge scored them.

    The mean over all queries of the sum over a query's negatives: one without any adds 0.

    Args:
        negatives: of the set.
        bootstrap: over the queries.
        calibration: of the known positives; None = those that are served give the judge's scale.
    """
    known = ~np.isnan(negatives.judge) & ~np.isnan(negatives.positive_judge)
    if not known.any():
        return
    if calibration is None:
        served = negatives.served(np.flatnonzero(known))
        scores = negatives.positive_judge[served].astype(np.float64)
        calibration = Calibration.of(np.arange(len(served)), scores)
    share = np.nan_to_num(calibration.share_below(negatives.judge), nan=0.0)
    _, document, uses = np.unique(negatives.doc_ix, return_inverse=True, return_counts=True)
    worth = repeated(
        np.nan_to_num(expected_gain(negatives.dense, negatives.positive_dense, share)),
        uses[document],
    )
    queries = negatives.queries
    for scope in negatives.by_tier():
        if not len(scope.rows):
            continue
        rows = scope.rows
        total = np.bincount(negatives.query_ix[rows], worth[rows], minlength=queries)
        low, high = interval(bootstrap.sums(total[:, None])[:, 0] / queries)
        yield Row("expected_gain", total.sum() / queries, queries, scope.tier, low=low, high=high)
