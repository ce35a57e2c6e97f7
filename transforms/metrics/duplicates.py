"""Near-duplicates among negatives, and of negatives with positives."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.columns import array_column, binary_column, release_pages
from negmine.transforms.kernels.near_duplicates import jaccard, minhash_jaccard, shingles
from negmine.transforms.kernels.search.candidates import against_positives
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection

JACCARD = 0.8
_UNSURE = 0.16
"""Over four standard deviations of the MinHash estimate at 0.8: closer ones are counted out."""
_AT_ONCE = 16_384


def duplicate_rows(negatives: Negatives, collection: Collection) -> Iterator[Row]:
    """near_duplicate_positive and near_duplicate_negative: shares of the negatives.

    What an edit has made from a positive is near to it on purpose, and does not count as such.
    """
    flags = {
        "near_duplicate_positive": near_positive(negatives, collection) & ~negatives.made,
        "near_duplicate_negative": near_negative(negatives, collection),
    }
    for scope in negatives.by_tier():
        for name, flag in flags.items():
            if len(scope.rows):
                share = float(flag[scope.rows].mean())
                yield Row(name, share, len(scope.rows), scope.tier)


def near_positive(negatives: Negatives, collection: Collection) -> np.ndarray:
    """(n,) bool: the shingles of a positive of the query are those of the negative to 0.8."""
    known = collection.positives.read(["query_ix", "doc_ix"])
    query_ix, doc_ix = (column.to_numpy() for column in known.columns)
    used = np.isin(query_ix, negatives.query_ix)
    rows, positives = against_positives(negatives.query_ix, query_ix[used], doc_ix[used])
    out = np.zeros(len(negatives), dtype=bool)
    out[rows[_near(collection, negatives.doc_ix[rows], positives)]] = True
    return out


def near_negative(negatives: Negatives, collection: Collection) -> np.ndarray:
    """(n,) bool: the shingles of another negative of the query are those of this one to 0.8."""
    out = np.zeros(len(negatives), dtype=bool)
    for shift in range(1, int(np.bincount(negatives.query_ix).max(initial=0))):
        left = np.flatnonzero(negatives.query_ix[shift:] == negatives.query_ix[:-shift])
        left = left[negatives.doc_ix[left] != negatives.doc_ix[left + shift]]
        ends = negatives.doc_ix[left], negatives.doc_ix[left + shift]
        found = left[_near(collection, *ends)]
        out[found] = out[found + shift] = True
    return out


def _near(collection: Collection, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether documents paired by position are near-duplicates; exact where MinHash is unsure."""
    signatures = array_column(collection.documents, "minhash")
    near = np.zeros(len(left), dtype=bool)
    for start in range(0, len(left), _AT_ONCE):
        release_pages()
        part = slice(start, start + _AT_ONCE)
        estimate = minhash_jaccard(signatures[left[part]], signatures[right[part]])
        near[part] = estimate >= JACCARD
        for at in np.flatnonzero(np.abs(estimate - JACCARD) < _UNSURE) + start:
            pair = [int(left[at]), int(right[at])]
            texts = binary_column(collection.documents, "text").texts(pair)
            near[at] = jaccard(*(shingles(text) for text in texts)) >= JACCARD
    return near
