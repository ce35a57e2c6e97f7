"""Lexical metrics: overlap with the query, length, and the shortcut that both leave open."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.measures.descriptive import auc_interval
from negmine.transforms.kernels.measures.shortcut import shortcut_auc
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.sources.lexicon import Lexicon


def lexical_rows(negatives: Negatives, lexicon: Lexicon) -> Iterator[Row]:
    """lexical_overlap_positive, lexical_overlap_negative, length_ratio and shortcut_auc."""
    overlap = lexicon.overlap(negatives.query_ix, negatives.doc_ix)
    length = lexicon.lengths[negatives.doc_ix].astype(np.float64)
    keys, served = negatives.positive_keys, negatives.served(np.arange(len(negatives)))
    positive_query, positive_ix = negatives.query_ix[served], negatives.positive_ix[served]
    positive_overlap = lexicon.overlap(positive_query, positive_ix)
    positive_length = lexicon.lengths[positive_ix].astype(np.float64)
    positive = np.searchsorted(keys[served], keys)
    for scope in negatives.by_tier():
        rows, once = scope.rows, np.unique(positive[scope.rows])
        if not len(rows):
            continue
        above, below = float(length[rows].mean()), float(positive_length[once].mean())
        means = float(positive_overlap[once].mean()), float(overlap[rows].mean())
        yield Row("lexical_overlap_positive", means[0], len(once), scope.tier)
        yield Row("lexical_overlap_negative", means[1], len(rows), scope.tier)
        yield Row("length_ratio", above / below if below else np.nan, len(rows), scope.tier)
        auc = shortcut_auc(
            np.concatenate([positive_overlap[once], overlap[rows]]),
            np.log1p(np.concatenate([positive_length[once], length[rows]])),
            np.arange(len(once) + len(rows)) < len(once),
            np.concatenate([positive_query[once], negatives.query_ix[rows]]),
        )
        low, high = auc_interval(auc, len(once), len(rows))
        yield Row("shortcut_auc", auc, len(once) + len(rows), scope.tier, low=low, high=high)
