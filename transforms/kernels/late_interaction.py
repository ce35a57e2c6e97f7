"""Late interaction: MaxSim over normalised token vectors."""

from collections.abc import Sequence

import numpy as np


def mean_max_sim(query: np.ndarray, documents: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the query's tokens of the highest cosine with a document's token.

    MaxSim of ColBERT (Khattab and Zaharia, arXiv 2004.12832, equation 3) divided by the number of
    query tokens, so that it is a cosine in [-1, 1] whatever the length of the query.

    Args:
        query: (tokens, dimension) float16 or float32, rows of length 1.
        documents: (tokens, dimension) each, rows of length 1.

    Returns:
        (documents,) float32; 0 for a document or a query without tokens.
    """
    scores = np.zeros(len(documents), dtype=np.float32)
    lengths = np.fromiter((len(d) for d in documents), dtype=np.int64, count=len(documents))
    filled = np.flatnonzero(lengths)
    if not len(query) or not len(filled):
        return scores
    tokens = np.concatenate([documents[i] for i in filled]).astype(np.float32, copy=False)
    similarity = tokens @ query.astype(np.float32).T
    starts = np.cumsum(lengths[filled]) - lengths[filled]
    best = np.maximum.reduceat(similarity, starts, axis=0)
    scores[filled] = best.mean(axis=1, dtype=np.float64)
    return scores


def z_scores(values: np.ndarray, group: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Standardise values within groups, with mean and deviation over the counted rows only.

    Args:
        values: (n,) float; group: (n,) int64 from 0; counted: (n,) bool.

    Returns:
        (n,) float64; 0 throughout a group whose counted values do not vary.
    """
    values = values.astype(np.float64)
    groups = int(group.max()) + 1 if len(group) else 0
    count = np.maximum(np.bincount(group[counted], minlength=groups), 1)
    mean = np.bincount(group[counted], values[counted], minlength=groups) / count
    centred = values - mean[group]
    variance = np.bincount(group[counted], centred[counted] ** 2, minlength=groups) / count
    deviation = np.sqrt(variance)[group]
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
