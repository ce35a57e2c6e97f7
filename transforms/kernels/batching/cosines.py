"""Cosines in whole numbers, whose sums are exact whatever order they are added in."""

import numpy as np

UNIT = 1024
"""Length that vectors are scaled to before they are rounded; products are cosines times UNIT²."""


def whole(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) scaled to length UNIT and rounded: (n, d) float32; a zero vector stays zero.

    By Cauchy and Schwarz every partial sum of an inner product stays below UNIT², give or take the
    rounding, and below 4 UNIT² once means are taken off; so that one, and the sum of two, is exact
    in float32 (below 2**24): any BLAS, number of threads and shape of block gives the same bits. A
    cosine errs by some 0.0004.
    """
    values = np.asarray(vectors, dtype=np.float64)
    length = np.sqrt((values * values).sum(axis=1, keepdims=True))
    scale = np.divide(UNIT, length, out=np.zeros_like(length), where=length > 0)
    return np.rint(values * scale).astype(np.float32)


def centred(vectors: np.ndarray) -> np.ndarray:
    """Whole vectors (n, d) less their mean, rounded: (n, d) float32.

    What a query has in common with all positives decides nothing about who goes with whom, and
    would make one batch of the pairs that are near to everything.
    """
    mean = vectors.sum(axis=0, dtype=np.float64) / max(len(vectors), 1)
    return (vectors - np.rint(mean).astype(np.float32)).astype(np.float32)
