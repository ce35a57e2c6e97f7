"""Late interaction: MaxSim over normalised token vectors."""

from collections.abc import Sequence

import numpy as np

_TOKENS_AT_ONCE = 2048


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """float32 values of bfloat16 bit patterns, uint16 of any shape: exact."""
    wide = bits.astype(np.uint32)
    np.left_shift(wide, 16, out=wide)
    return wide.view(np.float32)


def mean_max_sim(query: np.ndarray, documents: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the query's tokens of the highest cosine with a document's token.

    MaxSim of ColBERT (Khattab and Zaharia, arXiv 2004.12832, equation 3) divided by the number of
    query tokens, so that it is a cosine in [-1, 1] whatever the length of the query.

    Args:
        query: (tokens, dimension) uint16, bfloat16 bit patterns of rows of length 1.
        documents: the same for each document.

    Returns:
        (documents,) float32; 0 for a document or a query without tokens.
    """
    scores = np.zeros(len(documents), dtype=np.float32)
    lengths = np.fromiter((len(d) for d in documents), dtype=np.int64, count=len(documents))
    filled = np.flatnonzero(lengths)
    if not len(query) or not len(filled):
        return scores
    tokens = np.concatenate([documents[int(i)] for i in filled])
    columns = np.ascontiguousarray(from_bfloat16(query).T)
    similarity = np.empty((len(tokens), len(query)), dtype=np.float32)
    for start in range(0, len(tokens), _TOKENS_AT_ONCE):
        rows = slice(start, start + _TOKENS_AT_ONCE)
        np.matmul(from_bfloat16(tokens[rows]), columns, out=similarity[rows])
    starts = np.cumsum(lengths[filled]) - lengths[filled]
    best = np.maximum.reduceat(similarity, starts, axis=0)
    scores[filled] = best.mean(axis=1, dtype=np.float64)
    return scores
