"""Which languages the negatives have, and whether these alone give the positives away."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.eci import eci, query_terms
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.languages import Languages, code_of
from negmine.transforms.kernels.measures.descriptive import auc_interval
from negmine.transforms.kernels.measures.language import language_auc
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row

_KEY = 0x6C616E67_6D657472


def language_rows(negatives: Negatives, languages: Languages) -> Iterator[Row]:
    """language_auc, language_share and language_share_positive by tier, language_eci."""
    asked = languages.queries[negatives.query_ix]
    found = languages.documents[negatives.doc_ix]
    served = languages.documents[negatives.positive_ix]
    fold = (mix(_KEY, negatives.query_ix.astype(np.uint64)) & np.uint64(1)).astype(np.int64)
    for scope in negatives.by_tier():
        rows = scope.rows[(asked[scope.rows] != 0) & (found[scope.rows] != 0)]
        once = negatives.served(scope.rows)
        once = once[(asked[once] != 0) & (served[once] != 0)]
        if not len(rows) or not len(once):
            continue
        yield from _shares("language_share", asked[rows], found[rows], scope.tier)
        yield from _shares("language_share_positive", asked[once], served[once], scope.tier)
        pair = np.concatenate([asked[once], asked[rows]]).astype(np.int64) << 32
        pair |= np.concatenate([served[once], found[rows]])
        positive = np.arange(len(pair)) < len(once)
        auc = language_auc(pair, positive, np.concatenate([fold[once], fold[rows]]))
        low, high = auc_interval(auc, len(once), len(rows))
        yield Row("language_auc", auc, len(pair), scope.tier, low=low, high=high)
    yield from _eci(negatives, asked)


def _shares(metric: str, asked: np.ndarray, found: np.ndarray, tier: str | None) -> Iterator[Row]:
    same = float((asked == found).mean())
    yield Row(metric, same, len(found), tier, key="same")
    yield Row(metric, 1 - same, len(found), tier, key="other")
    codes, counts = np.unique(found, return_counts=True)
    for code, count in zip(codes, counts, strict=True):
        yield Row(metric, count / len(found), len(found), tier, key=code_of(int(code)))


def _eci(negatives: Negatives, asked: np.ndarray) -> Iterator[Row]:
    """By language of the query: of median N, mean S and mean D over its queries."""
    _, first, query = np.unique(negatives.query_ix, return_index=True, return_inverse=True)
    terms = query_terms(query, negatives.cosine, negatives.served_cosine, len(first))
    own = asked[first]
    for code in np.unique(own[own != 0]):
        some = own == code
        size, signal = float(np.median(terms.size[some])), float(terms.signal[some].mean())
        value = eci(size, signal, float(terms.safety[some].mean()))
        yield Row("language_eci", value, int(some.sum()), key=code_of(int(code)))
