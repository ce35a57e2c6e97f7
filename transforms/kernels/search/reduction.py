"""Fewer dimensions for a first pass: a prefix, principal components, or whitened ones."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from negmine.transforms.kernels.search.ann import best_of
from negmine.transforms.kernels.search.dense import exact_top_k, largest_norm, pair_scores
from negmine.transforms.kernels.search.topk import TopK

_AT_ONCE = 8192
_QUERIES_AT_ONCE = 8
_LEAST_VARIANCE = 1e-9
OVER_FETCH = 4.0
"""Documents scored in full for each wanted, where the config does not say."""

Kind = Literal["prefix", "pca", "whitening"]


@dataclass(frozen=True)
class Reduction:
    """A linear map to N dimensions: `matrix` (N, d) float32, applied after `mean` (d,) is taken
    off; `unit` scales the result to length 1.
    """

    matrix: np.ndarray
    mean: np.ndarray
    unit: bool

    @classmethod
    def fit(cls, kind: Kind, dimension: int, sample: np.ndarray) -> "Reduction":
        """Fit to (n, d) float32 vectors; the same bits for the same sample.

        prefix: the first N, scaled to length 1 (Kusupati et al., Matryoshka Representation
        Learning, NeurIPS 2022); nothing is fitted. pca: eigenvectors of the N greatest eigenvalues
        of the second moments, not centred, which of all N-dimensional projections keeps inner
        products best in the mean square. whitening: components of the covariance, each divided by
        its standard deviation, scaled to length 1 (Su et al., arXiv:2103.15316).

        Raises ValueError where N is not below d or, for whitening, where the sample varies in
        fewer than N dimensions.
        """
        # A first pass over 64 of 384 numbers costs a sixth; it fetches four times as many as are
        # wanted, and these are scored in full, so only what it loses beyond them is lost.
        width = sample.shape[1]
        if dimension >= width:
            raise ValueError(f"dimension is {dimension}, and the vectors have {width}")
        mean = np.zeros(width)
        if kind == "prefix":
            return cls(np.eye(dimension, width, dtype=np.float32), mean.astype(np.float32), True)
        with threadpool_limits(1):
            rows = sample.astype(np.float64)
            if kind == "whitening":
                mean = rows.mean(axis=0)
                rows -= mean
            values, vectors = np.linalg.eigh(rows.T @ rows / max(len(rows), 1))
        matrix = vectors[:, ::-1][:, :dimension].T
        if kind == "whitening":
            variances = values[::-1][:dimension]
            if variances[-1] <= _LEAST_VARIANCE * variances[0]:
                raise ValueError(f"the vectors vary in fewer than {dimension} dimensions")
            matrix = matrix / np.sqrt(variances)[:, None]
        return cls(matrix.astype(np.float32), mean.astype(np.float32), kind == "whitening")

    def documents(self, vectors: np.ndarray) -> np.ndarray:
        """Reduce (n, d) float32 vectors, in fixed pieces by one thread: (n, N) float32."""
        out = np.empty((len(vectors), len(self.matrix)), dtype=np.float32)
        with threadpool_limits(1):
            for start in range(0, len(vectors), _AT_ONCE):
                out[start : start + _AT_ONCE] = (
                    vectors[start : start + _AT_ONCE] - self.mean
                ) @ self.matrix.T
        return self._scaled(out)

    def queries(self, vectors: np.ndarray) -> np.ndarray:
        """Reduce (q, d) float32 vectors, each with bits that do not depend on the others."""
        centred = np.asarray(vectors, dtype=np.float32) - self.mean
        out = np.empty((len(centred), len(self.matrix)), dtype=np.float32)
        for start in range(0, len(centred), _QUERIES_AT_ONCE):
            piece = centred[start : start + _QUERIES_AT_ONCE, None, :]
            out[start : start + _QUERIES_AT_ONCE] = pair_scores(piece, self.matrix[None])
        return self._scaled(out)

    def _scaled(self, vectors: np.ndarray) -> np.ndarray:
        if not self.unit:
            return vectors
        lengths = np.sqrt(pair_scores(vectors, vectors))
        return vectors / np.maximum(lengths, np.float32(1e-30))[:, None]


@dataclass(frozen=True)
class Reduced:
    """Reduced vectors (n, N) float32 of the documents of a shard, and their greatest length."""

    vectors: np.ndarray
    norm: float

    @classmethod
    def of(cls, vectors: np.ndarray) -> "Reduced":
        """Measure vectors, which may be mapped."""
        return cls(vectors, largest_norm(vectors))

    def find(
        self,
        reduction: Reduction,
        queries: np.ndarray,
        documents: np.ndarray,
        k: int,
        over_fetch: float | None,
    ) -> TopK:
        """Top k of (q, d) queries by full score among the exact best of the first pass.

        `documents` (n, d) are the vectors that were reduced; `over_fetch` times `k` are scored.
        """
        fetch = min(len(documents), math.ceil(k * (over_fetch or OVER_FETCH)))
        first = exact_top_k(reduction.queries(queries), self.vectors, fetch, self.norm)
        return best_of(queries, documents, first.ids, k)
