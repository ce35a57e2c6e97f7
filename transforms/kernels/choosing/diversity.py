"""Diversity: how much each candidate adds to the negatives a query already has."""

from typing import Protocol

import numpy as np

from negmine.transforms.kernels.search.dense import pair_scores

_SMALLEST = 1e-6


class Gain(Protocol):
    """What a row adds, given what was chosen for its query so far."""

    def add(self, query: np.ndarray, vectors: np.ndarray) -> None:
        """One more chosen document for each of the queries (m,), vectors (m, d)."""
        ...

    def values(self) -> np.ndarray:
        """Gain of each row, (n,) float64, at most 0."""
        ...


class NearestGain:
    """Minus the highest cosine with a chosen one; MMR (Carbonell and Goldstein, SIGIR 1998)."""

    def __init__(self, query: np.ndarray, vectors: np.ndarray, queries: int) -> None:
        self.query, self.vectors, self.queries = query, unit(vectors), queries
        self.highest = np.full(len(query), -np.inf)

    def add(self, query: np.ndarray, vectors: np.ndarray) -> None:
        rows, position = _rows_of(self.query, query, self.queries)
        cosine = pair_scores(self.vectors[rows], unit(vectors)[position])
        self.highest[rows] = np.maximum(self.highest[rows], cosine)

    def values(self) -> np.ndarray:
        return -np.where(np.isinf(self.highest), 0.0, self.highest)


class SpanGain:
    """Log of the part of a row's squared length that the chosen do not span.

    It is what the row adds to log det of the chosen ones' Gram matrix, so that taking the greatest
    is the greedy MAP of a determinantal point process (Chen et al., arXiv 1709.05135).
    """

    def __init__(self, query: np.ndarray, vectors: np.ndarray, queries: int, slots: int) -> None:
        self.query, self.vectors, self.queries = query, unit(vectors), queries
        self.rest = np.ones(len(query))
        self.basis = np.zeros((queries, slots, vectors.shape[1]))
        self.size = np.zeros(queries, dtype=np.int64)

    def add(self, query: np.ndarray, vectors: np.ndarray) -> None:
        # Gram-Schmidt: of the new vector only what is at right angles to the earlier ones counts.
        # After (1, 0) a row (.6, .8) has .64 of its squared length left, and gains log .64.
        new = unit(vectors).astype(np.float64)
        for slot in range(int(self.size[query].max(initial=0))):
            known = self.basis[query, slot]
            new -= (new * known).sum(axis=1, keepdims=True) * known
        length = np.sqrt((new * new).sum(axis=1, keepdims=True))
        new = np.where(length > _SMALLEST, new / np.maximum(length, _SMALLEST), 0.0)
        self.basis[query, self.size[query]] = new
        self.size[query] += 1
        rows, position = _rows_of(self.query, query, self.queries)
        self.rest[rows] -= (self.vectors[rows] * new[position]).sum(axis=1) ** 2

    def values(self) -> np.ndarray:
        return np.log(np.clip(self.rest, _SMALLEST, 1.0))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (m, d) scaled to length 1, float32; zero vectors stay."""
    norms = np.sqrt(pair_scores(vectors, vectors))[:, None]
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def _rows_of(
    row_query: np.ndarray, query: np.ndarray, queries: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose query is among the distinct `query` (m,), and which of them it is."""
    position = np.full(queries, -1, dtype=np.int64)
    position[query] = np.arange(len(query))
    rows = np.flatnonzero(position[row_query] >= 0)
    return rows, position[row_query[rows]]
