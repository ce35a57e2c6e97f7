"""Late interaction: MaxSim over packed token vectors."""

from collections.abc import Sequence

import numpy as np

from negmine.transforms.kernels.search.token_codes import (
    DOCUMENT_BITS,
    QUERY_BITS,
    scales,
    unpack,
    widen,
)

_TOKENS_AT_ONCE = 2048


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """float32 values of bfloat16 bit patterns, uint16 of any shape: exact."""
    wide = bits.astype(np.uint32)
    np.left_shift(wide, 16, out=wide)
    return wide.view(np.float32)


def mean_max_sim(query: np.ndarray, documents: Sequence[np.ndarray], dimension: int) -> np.ndarray:
    """Mean over the query's tokens of the highest cosine with a document's token.

    MaxSim of ColBERT (Khattab and Zaharia, arXiv 2004.12832, equation 3) divided by the number of
    query tokens, so that it is a cosine whatever the length of the query, up to what rounding the
    vectors adds.

    Args:
        query: (tokens, bytes) uint8, packed in `QUERY_BITS`, see `token_codes.pack`.
        documents: the same for each document, packed in `DOCUMENT_BITS`.
        dimension: of the vectors before they were packed.

    Returns:
        (documents,) float32; 0 for a document or a query without tokens.
    """
    scores = np.zeros(len(documents), dtype=np.float32)
    lengths = np.fromiter((len(d) for d in documents), dtype=np.int64, count=len(documents))
    filled = np.flatnonzero(lengths)
    if not len(query) or not len(filled):
        return scores
    tokens = np.concatenate([documents[int(i)] for i in filled])
    columns = _columns(query, dimension)
    similarity = np.empty((len(tokens), len(query)), dtype=np.float32)
    for start in range(0, len(tokens), _TOKENS_AT_ONCE):
        rows = slice(start, start + _TOKENS_AT_ONCE)
        np.matmul(widen(tokens[rows], DOCUMENT_BITS), columns, out=similarity[rows])
    similarity *= scales(tokens)[:, None]
    starts = np.cumsum(lengths[filled]) - lengths[filled]
    best = np.maximum.reduceat(similarity, starts, axis=0)
    scores[filled] = best.mean(axis=1, dtype=np.float64)
    return scores


def _columns(query: np.ndarray, dimension: int) -> np.ndarray:
    """The query's vectors as columns, zero beyond the dimension: (numbers, tokens) float32."""
    each = 8 // DOCUMENT_BITS
    columns = np.zeros((-(-dimension // each) * each, len(query)), dtype=np.float32)
    columns[:dimension] = unpack(query, dimension, QUERY_BITS).T
    return columns
