"""Geometry of embeddings: residuals of negatives, alignment and uniformity."""

from typing import NamedTuple

import numpy as np

from negmine.transforms.kernels.choosing.diversity import unit
from negmine.transforms.kernels.search.dense import pair_scores

SHORTEST, LONGEST = 1e-5, 1e9
"""Lengths of vectors that are compared without being scaled."""

_UNIT_WITHIN = 1e-6
"""Lengths this close to 1 are those of float32 vectors that were scaled before."""


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) float32 scaled to length 1; one that has it already keeps its bits.

    Lengths are summed in float64 along the row, so a row does not depend on the others. Rows must
    not be zero.
    """
    length = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
    far = np.abs(length - 1) > _UNIT_WITHIN
    if not far.any():
        return vectors
    scaled = vectors.copy()
    scaled[far] = vectors[far] / length[far, None]
    return scaled


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) float32 scaled to length 1, whatever their length; zero ones stay zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        scaled = vectors / np.maximum(norms, 1e-12)
        # Squares that leave the range of float32 are summed in float64.
        odd = ~((norms[:, 0] >= 1e-12) & (norms[:, 0] < np.inf)) & vectors.any(axis=1)
        rows = vectors[odd].astype(np.float64)
        scaled[odd] = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(scaled, dtype=np.float32)


def length_fault(vectors: np.ndarray) -> str | None:
    """Why vectors (n, d) float32 cannot be compared as they are; None where they can.

    float32 holds the product of two squared lengths, without overflow and without underflow, for
    lengths from SHORTEST to LONGEST. Zero vectors are no fault.
    """
    length = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1))
    bad = length[(length > LONGEST) | ((length > 0) & (length < SHORTEST))]
    if not len(bad):
        return None
    return (
        f"{len(bad):,} of {len(vectors):,} vectors have a length such as {bad[0]:.3g}, and dot "
        f"products are exact enough for {SHORTEST:g} to {LONGEST:g}; set student.normalize: true, "
        "or scale them all by one factor"
    )


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Cosine of vectors paired by position: two (n, d) arrays, (n,) float64."""
    return pair_scores(unit(left), unit(right)).astype(np.float64)


def unit_residuals(negatives: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """(n - d+) / ||n - d+|| of unit vectors paired by position, (n, d) float32; 0 where equal."""
    return unit(unit(negatives) - unit(positives))


def alignment(cosine: np.ndarray) -> float:
    """Mean squared distance of positive pairs on the unit sphere, from their cosines (n,).

    Source: Wang and Isola, arXiv 2005.10242, section 4.1.1, alpha = 2.
    """
    return float(np.mean(2.0 - 2.0 * cosine))


def uniformity(cosine: np.ndarray) -> float:
    """log mean exp(-2 ||x - y||^2) of random pairs on the unit sphere, from their cosines (n,).

    Source: Wang and Isola, arXiv 2005.10242, section 4.1.2, t = 2. 0 where all vectors are one,
    -4 in the limit of many dimensions.
    """
    return float(np.log(np.mean(np.exp(-2.0 * (2.0 - 2.0 * cosine)))))


class LengthBias(NamedTuple):
    """Whether longer texts score higher: `correlation` in [-1, 1], `auc` in [0, 1], of `pairs`."""

    correlation: float
    auc: float
    pairs: int


def length_bias(score: np.ndarray, log_length: np.ndarray) -> LengthBias | None:
    """How differences in length go with differences in score, of two random texts for one query.

    Neither text has anything to do with the query, so an encoder without a bias gives a correlation
    of 0 and an AUC of 0.5 (the share of pairs in which the longer text scores higher, ties a half).

    Args:
        score: (n,) of the first less that of the second.
        log_length: (n,) the same of the logarithms of their lengths; pairs of equal length are left
            out.

    Returns:
        None where no two differ in length, or all scores are one.
    """
    differ = log_length != 0
    score, log_length = score[differ].astype(np.float64), log_length[differ].astype(np.float64)
    # The order of a pair says nothing, so the moments are taken about 0.
    scale = float(np.sqrt((score**2).sum() * (log_length**2).sum()))
    if not scale > 0:
        return None
    auc = np.where(score == 0, 0.5, (score > 0) == (log_length > 0)).mean()
    return LengthBias(float((score * log_length).sum()) / scale, float(auc), len(score))
