"""Documents of the clusters that a query's positives lie in: k-means of the student's vectors."""

from dataclasses import dataclass
from functools import lru_cache

import faiss
import numpy as np
import pyarrow as pa

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.choosing.diversity import unit
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.ann import one_thread, sample_rows
from negmine.transforms.kernels.search.dense import exact_top_k
from negmine.transforms.sources.drawn import first_of_each

CLUSTERS = pa.schema([pa.field("cluster", pa.int64(), nullable=False)])
"""The cluster of each document, in the order of the documents."""

_POINTS = 64
"""Vectors a cluster that are sampled; FAISS warns below 39 and takes 256 at most."""
_ROUNDS = 20


def centroids(dimension: int) -> pa.Schema:
    """Schema of the centroids, a row each."""
    return pa.schema([pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False)])


def how_many(clusters: int | None, documents: int) -> int:
    """Clusters of a corpus: as asked for, or one for 100 documents up to 1,024."""
    return max(1, min(clusters or min(documents // 100, 1024), documents))


def spherical_means(sample: np.ndarray, clusters: int) -> np.ndarray:
    """Centroids of length 1 of (n, d) float32 vectors: (clusters, d) float32.

    The same bits for the same sample: FAISS's seed is fixed, and one thread works.
    """
    means = faiss.Kmeans(
        sample.shape[1], clusters, niter=_ROUNDS, seed=1, spherical=True,
        min_points_per_centroid=1, max_points_per_centroid=len(sample),
    )  # fmt: skip
    with one_thread():
        means.train(np.ascontiguousarray(sample, dtype=np.float32))
    return np.asarray(means.centroids, dtype=np.float32)


@dataclass
class FindCentroids(BlockTransform):
    """Means of a sample of the documents' vectors, drawn by keyed hash: a row each."""

    documents: Dataset
    vectors: Dataset
    clusters: int
    seed: int

    def table(self, block: Block) -> pa.Table:
        keys = array_column(self.documents, "doc_key")
        rows = sample_rows(keys, self.seed, _POINTS * self.clusters)
        sample = unit(array_column(self.vectors, "vector")[rows])
        found = spherical_means(sample, self.clusters)
        columns = pa.FixedSizeListArray.from_arrays(pa.array(found.ravel()), found.shape[1])
        return pa.Table.from_arrays([columns], schema=centroids(found.shape[1]))


@dataclass
class PutIntoClusters(BlockTransform):
    """The nearest centroid of each document of a block, as `CLUSTERS`."""

    vectors: Dataset
    centroids: Dataset

    def table(self, block: Block) -> pa.Table:
        vectors = array_column(self.vectors, "vector")[block.start : block.stop]
        means = array_column(self.centroids, "vector")
        return pa.Table.from_arrays([exact_top_k(vectors, means, 1).ids[:, 0]], schema=CLUSTERS)


@dataclass
class DrawFromClusters(BlockTransform):
    """Documents of the clusters of each query's positives, by keyed hash, as `tables.CANDIDATES`.

    Attributes:
        nearest: clusters of a positive: its own and those whose centroids are nearest to that.
    """

    queries: Dataset
    documents: Dataset
    positives: Dataset
    centroids: Dataset
    clusters: Dataset
    count: int
    nearest: int
    seed: int

    def table(self, block: Block) -> pa.Table:
        around = _around(self.centroids, self.nearest)
        clusters = array_column(self.clusters, "cluster")
        starts, members = _members(self.clusters, len(around))
        table = self.positives.read_queries(block, ["query_ix", "doc_ix"])
        query_ix, doc_ix = (column.to_numpy() for column in table.columns)
        query, document = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        bounds = np.flatnonzero(np.diff(query_ix)) + 1
        for rows in np.split(np.arange(len(query_ix)), bounds) if len(query_ix) else []:
            own = np.unique(around[clusters[doc_ix[rows]]])
            inside = np.concatenate([members[starts[at] : starts[at + 1]] for at in own])
            document.append(np.setdiff1d(inside, doc_ix[rows]))
            query.append(np.full(len(document[-1]), query_ix[rows[0]]))
        pairs = np.concatenate(query), np.concatenate(document)
        keys = array_column(self.queries, "query_key")[pairs[0]]
        drawn = mix(self.seed, keys, array_column(self.documents, "doc_key")[pairs[1]])
        return first_of_each(*pairs, (drawn,), self.count)


@lru_cache(maxsize=2)
def _around(centroids: Dataset, nearest: int) -> np.ndarray:
    """Each cluster and those nearest to it: (clusters, nearest) int64."""
    means = np.ascontiguousarray(array_column(centroids, "vector"))
    return np.asarray(exact_top_k(means, means, min(nearest, len(means))).ids)


@lru_cache(maxsize=2)
def _members(clusters: Dataset, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each cluster starts, (count + 1,), in the documents sorted by cluster."""
    of = array_column(clusters, "cluster")
    order = np.argsort(of, kind="stable")
    return np.searchsorted(of[order], np.arange(count + 1)), order
