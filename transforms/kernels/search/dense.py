"""Exact nearest neighbours by inner product: FAISS proposes, one deterministic kernel decides."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeAlias

import faiss
import numpy as np

from negmine.transforms.kernels.search.topk import TopK, top_k

_BYTES = 4_000_000
_THREADS = 4
_MARGIN = 16
_GPU_MOST = 2048

# FAISS 1.15 multiplies by BLAS only from 128,000 query values on, and takes 5 times as long below.
_cvar = faiss.cvar
_cvar.distance_compute_blas_threshold = min(_cvar.distance_compute_blas_threshold, 8192)


def pair_scores(query_vectors: np.ndarray, document_vectors: np.ndarray) -> np.ndarray:
    """Inner product of vectors paired by position: two (..., d) float32 arrays, (...) float32.

    Products are exact in float64, summed along the contiguous last axis and rounded once, so a
    pair's score does not depend on the other pairs of the call.
    """
    queries = np.ascontiguousarray(query_vectors, dtype=np.float32)
    documents = np.ascontiguousarray(document_vectors, dtype=np.float32)
    products = np.multiply(queries, documents, dtype=np.float64, order="C")
    return products.sum(axis=-1).astype(np.float32)


def rescore(query_vectors: np.ndarray, document_vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """`pair_scores` of each query with the documents in its row of `ids`: (q, m) float32.

    `query_vectors` (q, d), `document_vectors` (n, d), `ids` (q, m) rows of the latter. Works in
    pieces that stay in cache.
    """
    rows, width = ids.shape
    out = np.empty((rows, width), dtype=np.float32)
    step = max(1, _BYTES // max(1, 8 * width * query_vectors.shape[1]))
    columns = max(1, _BYTES // (8 * query_vectors.shape[1]))

    def piece(start: int) -> None:
        queries = query_vectors[start : start + step, None, :]
        for left in range(0, width, columns):
            part = ids[start : start + step, left : left + columns]
            documents = np.take(document_vectors, part, axis=0)
            out[start : start + step, left : left + columns] = pair_scores(queries, documents)

    with ThreadPoolExecutor(min(_THREADS, faiss.omp_get_max_threads())) as pool:
        list(pool.map(piece, range(0, rows, step)))
    return out


def largest_norm(vectors: np.ndarray) -> float:
    """Greatest Euclidean length of (n, d) float32 vectors; 0 for none.

    Raises ValueError where a vector holds a value that is not a finite number.
    """
    largest = 0.0
    for start in range(0, len(vectors), 8192):
        block = np.asarray(vectors[start : start + 8192], dtype=np.float64)
        largest = max(largest, float(np.einsum("nd,nd->n", block, block).max(initial=0.0)))
        if not np.isfinite(block).all():
            raise ValueError(f"vectors {start}..{start + len(block) - 1} hold infinity or NaN")
    return float(np.sqrt(largest))


Nearest: TypeAlias = Callable[[np.ndarray, np.ndarray, int], TopK]
"""Queries, documents and a number to that many greatest inner products by float32 sums."""


def nearest_by_faiss(queries: np.ndarray, documents: np.ndarray, fetch: int) -> TopK:
    """Greatest inner products by float32 sums, on a GPU where the installed FAISS has one."""
    metric = faiss.METRIC_INNER_PRODUCT
    if fetch <= _GPU_MOST and faiss.get_num_gpus() > 0:
        found = faiss.knn_gpu(_gpu_resources(), queries, documents, fetch, metric=metric)
    else:
        found = faiss.knn(queries, documents, fetch, metric=metric)
    return TopK(*found)


@cache
def _gpu_resources() -> "faiss.StandardGpuResources":
    return faiss.StandardGpuResources()


def exact_top_k(
    query_vectors: np.ndarray,
    document_vectors: np.ndarray,
    k: int,
    norm: float | None = None,
    nearest: Nearest = nearest_by_faiss,
) -> TopK:
    """The k documents of greatest `pair_scores` for each query, ties to the lower row.

    `query_vectors` (q, d) and `document_vectors` (n, d) are contiguous float32, the latter may be
    memory-mapped; `norm` is `largest_norm(document_vectors)`, where known. Ids are rows of
    `document_vectors`; rows are padded where n < k.

    `nearest`, FAISS (the kernel of IndexFlatIP, without its copy), fetches some more than k. A
    float32 dot product of d terms, summed in any order, errs by at most d u / (1 - d u) |q||x| with
    u = 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), so a query is
    settled once its k-th exact score exceeds the lowest that was fetched by more than that. Queries
    that are not, as among many duplicates, fetch twice as many.
    """
    queries = np.ascontiguousarray(query_vectors, dtype=np.float32)
    rows, n = len(queries), len(document_vectors)
    result = TopK.empty(rows, k)
    if not rows or not n:
        return result
    if norm is None:
        norm = largest_norm(document_vectors)
    largest_norm(queries)
    lengths = np.sqrt(np.einsum("qd,qd->q", queries, queries, dtype=np.float64))
    dimension = queries.shape[1]
    # One u more for the rounding of the exact score, and a tenth for that of this bound.
    slack = 1.1 * (dimension + 1) * 2.0**-24 * lengths * norm + 1e-37

    # FAISS gives 116 for k = 100, cheap and roughly right; their exact scores are computed and
    # sorted. With unit vectors of 384 numbers the slack is 0.000025: if the 100th exact score is
    # 0.500000 and FAISS's last 0.499900, nothing that it left out can reach 0.500000.
    open_rows = np.arange(rows)
    fetch = min(n, k + max(_MARGIN, k // 8))
    while len(open_rows):
        unsettled = []
        step = max(1, 32_000_000 // fetch)
        for start in range(0, len(open_rows), step):
            part = open_rows[start : start + step]
            fetched, ids = nearest(queries[part], document_vectors, fetch)
            best = top_k(rescore(queries[part], document_vectors, ids), ids, k)
            settled = np.full(len(part), fetch == n)
            if fetch < n:
                settled = best.scores[:, k - 1] > fetched[:, -1] + slack[part]
            result.scores[part[settled]] = best.scores[settled]
            result.ids[part[settled]] = best.ids[settled]
            unsettled.append(part[~settled])
        open_rows = np.concatenate(unsettled)
        fetch = min(n, 2 * fetch)
    return result
