"""The judge's audit of the negatives, after GLInt's: how often it prefers one to the positive."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.measures.bootstrap import Bootstrap, interval, quotient
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row


def judge_rows(negatives: Negatives, bootstrap: Bootstrap) -> Iterator[Row]:
    """judge_fn_rate, judge_pos_at_1 and judge_margin, over negatives and positives judged.

    fn_rate is the share of negatives with j(n) > j(d+), pos_at_1 that of queries whose positives
    beat every negative, margin the mean over queries of the lowest j(d+) - j(n). The judge is the
    run's own, so a judge that errs does not find itself out.
    """
    margin = negatives.positive_judge.astype(np.float64) - negatives.judge
    for scope in negatives.by_tier():
        rows = scope.rows[~np.isnan(margin[scope.rows])]
        if not len(rows):
            continue
        query, queries = negatives.query_ix[rows], negatives.queries
        size = np.bincount(query, minlength=queries)
        false = np.bincount(query, margin[rows] < 0, minlength=queries)
        least = np.full(queries, np.inf)
        np.minimum.at(least, query, margin[rows])
        used = size > 0
        least[~used] = 0.0
        columns = np.stack([size, used, false, used & (least > 0), least], axis=1)
        totals, drawn = columns.astype(np.float64).sum(axis=0)[None], bootstrap.sums(columns)
        for name, above, below in (
            ("judge_fn_rate", 2, 0),
            ("judge_pos_at_1", 3, 1),
            ("judge_margin", 4, 1),
        ):
            low, high = interval(quotient(drawn[:, above], drawn[:, below]))
            value = float(quotient(totals[:, above], totals[:, below])[0])
            count = int(totals[0, below])
            yield Row(name, value, count, scope.tier, low=low, high=high)
