"""Lexical residuality: what of a negative's words is new to its query and its positive."""

import numpy as np
from scipy import sparse

_CELLS = 8_000_000


def residuality(
    negative: sparse.csr_array, positive: sparse.csr_array, query: sparse.csr_array, idf: np.ndarray
) -> np.ndarray:
    """1 - sum of idf over n & (q | d+) / sum of idf over n, for the triples of each row.

    Args:
        negative, positive, query: CSR of triples x terms, no entry twice in a row; values are not
            read.
        idf: (terms,) weights, not negative.

    Returns:
        (triples,) float64 in [0, 1]; 1 for a negative without weighted terms.
    """
    # A negative of terms a b c with weights 1 2 3, of which query or positive has b: 1 - 2/6.
    rows, width = negative.shape
    step = max(1, _CELLS // max(width, 1))
    parts = [slice(start, start + step) for start in range(0, rows, step)]
    pieces = [_residuality(negative[part], positive[part], query[part], idf) for part in parts]
    return np.concatenate(pieces) if pieces else np.empty(0)


def _cells(terms: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    row = np.repeat(np.arange(terms.shape[0]), np.diff(terms.indptr))
    return row, row * terms.shape[1] + terms.indices


def _residuality(
    negative: sparse.csr_array, positive: sparse.csr_array, query: sparse.csr_array, idf: np.ndarray
) -> np.ndarray:
    known = np.zeros(negative.shape[0] * negative.shape[1], dtype=bool)
    for terms in (positive, query):
        known[_cells(terms)[1]] = True
    row, cell = _cells(negative)
    weight = idf[negative.indices]
    total = np.bincount(row, weight, minlength=negative.shape[0])
    shared = np.bincount(row, weight * known[cell], minlength=negative.shape[0])
    share = np.divide(shared, total, out=np.zeros(len(total)), where=total > 0)
    return np.asarray(np.clip(1.0 - share, 0.0, 1.0))
