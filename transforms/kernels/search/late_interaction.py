"""Late interaction: MaxSim over packed token vectors."""

from collections.abc import Sequence

import numpy as np

from negmine.transforms.kernels.search.token_codes import (
    DOCUMENT_BITS,
    QUERY_BITS,
    Products,
    unpack,
)


def mean_max_sim(query: np.ndarray, documents: Sequence[np.ndarray], dimension: int) -> np.ndarray:
    """Mean over the query's tokens of the highest cosine with a document's token.

    MaxSim of ColBERT (Khattab and Zaharia, arXiv 2004.12832, equation 3) divided by the number of
    query tokens, so that it is a cosine whatever the length of the query, up to what packing the
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
    similarity = Products.of(unpack(query, dimension, QUERY_BITS), DOCUMENT_BITS)(tokens)
    starts = np.cumsum(lengths[filled]) - lengths[filled]
    best = np.maximum.reduceat(similarity, starts, axis=0)
    scores[filled] = best.mean(axis=1, dtype=np.float64)
    return scores
