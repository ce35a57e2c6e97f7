"""Greatest inner products on a CUDA device where there is one, else on the processors."""

from functools import cache

import numpy as np

from negmine.transforms.kernels.search.dense import nearest_by_faiss
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.models.hardware import has_cuda

_LEAST = 1 << 30
"""Products of numbers below which a search is done before a device has begun."""


def nearest_here(queries: np.ndarray, documents: np.ndarray, fetch: int) -> TopK:
    """By torch where there is a CUDA device and enough to do, else by FAISS and without torch."""
    if queries.size * len(documents) < _LEAST or not available():
        return nearest_by_faiss(queries, documents, fetch)
    from negmine.transforms.models.gpu.search import nearest

    return TopK(*nearest(queries, documents, fetch))


@cache
def available() -> bool:
    """Whether torch can use a CUDA device here; without NVIDIA's driver it is not imported."""
    return has_cuda("cuda")
