"""How crowded it is around each candidate: its mean cosine to the nearest other candidates."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from negmine.transforms.kernels.choosing.diversity import unit
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.kernels.threads import own_threads
from negmine.transforms.pairs.features import Collection

NEIGHBOURS = 5
"""Measured on Cranfield: 5 beats 10, 20 and 50 within the query's candidates, and the corpus-wide
10 costs a search of every document against every other for the same result (docs/sampling.md)."""


def neighbour_cosine(
    collection: Collection, candidates: Candidates, retrieved: np.ndarray
) -> np.ndarray:
    """Mean cosine of each pair's document to its 5 nearest among the query's retrieved candidates.

    The local form of CSLS's r (Conneau et al., arXiv 1710.04087, section 2.3). The document itself
    is left out; where fewer than 5 others were retrieved the mean is over those, 0 for none.

    Args:
        collection: where the student's vectors are.
        candidates: a block's pairs, sorted by query.
        retrieved: (n,) bool, pairs that a source returned which retrieves.

    Returns:
        (n,) float32; the same bits whatever the block.
    """
    vectors = collection.vectors
    out = np.zeros(len(retrieved), dtype=np.float32)

    def of_query(rows: np.ndarray) -> None:
        own = unit(vectors[candidates.doc_ix[rows]])
        around = np.flatnonzero(retrieved[rows])
        if not len(around):
            return
        cosine = own @ own[around].T
        cosine[around, np.arange(len(around))] = -np.inf
        nearest = np.sort(cosine, axis=1)[:, -NEIGHBOURS:]
        known = np.isfinite(nearest)
        total = np.where(known, nearest, 0.0).sum(axis=1, dtype=np.float64)
        out[rows] = total / np.maximum(known.sum(axis=1), 1)

    bounds = np.flatnonzero(np.diff(candidates.query_ix)) + 1
    parts = [part for part in np.split(np.arange(len(out)), bounds) if len(part)]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(own_threads()) as threads:
        for _ in threads.map(of_query, parts):
            pass
    return out
