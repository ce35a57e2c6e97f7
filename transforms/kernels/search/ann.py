"""Approximate nearest neighbours by FAISS: choice, training, filling and search of an index."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from negmine.schemas.retrieval import Dense
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.dense import rescore
from negmine.transforms.kernels.search.topk import TopK, top_k

SMALLEST_SHARD = 1024
"""A shard of fewer documents is searched exactly, whatever the index."""

_POINTS_PER_LIST = 64
_LEAST_SAMPLE = 65_536
_ADDED_AT_ONCE = 16_384
_QUERIES_AT_ONCE = 32


def factory(config: Dense, documents: int, dimension: int) -> str:
    """FAISS factory string of an index for shards of `documents` vectors.

    Lists number the power of two nearest to 4 sqrt(documents), as FAISS's guidelines advise, and
    hold 39 documents or more on average, below which k-means warns. Raises ValueError where `m`
    does not divide the dimension.
    """
    lists = 2 ** round(math.log2(4 * math.sqrt(max(documents, 1))))
    lists = config.nlist or max(1, min(lists, documents // 39))
    if config.index == "ivf":
        return f"IVF{lists},Flat"
    if config.index == "hnsw":
        return f"HNSW{config.m or 32},Flat"
    if config.index == "ivfpq":
        codes = config.m or _divisor(dimension, max(1, dimension // 4))
        if dimension % codes:
            raise ValueError(f"m is {codes}, and does not divide the {dimension} dimensions")
        return f"IVF{lists},PQ{codes}x8"
    return config.index


def _divisor(number: int, limit: int) -> int:
    return max(at for at in range(1, limit + 1) if number % at == 0)


def sample_rows(keys: np.ndarray, seed: int, count: int) -> np.ndarray:
    """Rows of the `count` least keyed hashes of (n,) uint64 keys, ascending: (count,) int64."""
    return np.sort(np.argsort(mix(seed, keys), kind="stable")[:count])


def sample_size(name: str, dimension: int) -> int:
    """Vectors that an index of this factory string is trained on; 0 where it is not trained.

    Raises ValueError where FAISS refuses the string for the dimension.
    """
    index = _empty(name, dimension)
    lists = faiss.try_extract_index_ivf(index)
    if index.is_trained:
        return 0
    return max(_LEAST_SAMPLE, _POINTS_PER_LIST * lists.nlist if lists else 0)


def _empty(name: str, dimension: int) -> faiss.Index:
    try:
        return faiss.index_factory(dimension, name, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ValueError(_plain(error)) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for FAISS and BLAS: sums in another order would be other centroids."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        faiss.omp_set_num_threads(threads)


def train(name: str, sample: np.ndarray, ef_construction: int | None = None) -> faiss.Index:
    """An empty index of a factory string, trained on (n, d) float32 vectors.

    The same bits for the same sample: FAISS's seeds are fixed, and one thread works. Raises
    ValueError where FAISS refuses, as for codes that do not divide the dimension or lists that
    outnumber the sample.
    """
    try:
        index = _empty(name, sample.shape[1])
        graph = _graph(index)
        if graph is not None:
            graph.hnsw.efConstruction = ef_construction or 80
        lists: faiss.IndexIVF | None = faiss.try_extract_index_ivf(index)
        if lists is not None and isinstance(faiss.downcast_index(lists), faiss.IndexIVFPQ):
            # Orders the codes for a filter that is never asked for, by minutes of annealing.
            setattr(faiss.downcast_index(lists), "do_polysemous_training", False)  # noqa: B010
        with one_thread():
            if not index.is_trained:
                index.train(np.ascontiguousarray(sample, dtype=np.float32))
    except RuntimeError as error:
        raise ValueError(_plain(error)) from error
    return index


def fill(trained: faiss.Index, vectors: np.ndarray) -> faiss.Index:
    """Add (n, d) float32 vectors, which may be mapped, to an index; positions are their rows."""
    try:
        with one_thread():
            for start in range(0, len(vectors), _ADDED_AT_ONCE):
                trained.add(np.ascontiguousarray(vectors[start : start + _ADDED_AT_ONCE]))
    except RuntimeError as error:
        raise ValueError(_plain(error)) from error
    return trained


def _plain(error: RuntimeError) -> str:
    return str(error).rsplit(": ", 1)[-1]


def _graph(index: faiss.Index) -> faiss.IndexHNSW | None:
    found = faiss.downcast_index(index)
    if isinstance(found, faiss.IndexPreTransform):
        found = faiss.downcast_index(found.index)
    return found if isinstance(found, faiss.IndexHNSW) else None


@dataclass(frozen=True)
class Search:
    """How far to look: lists of an inverted file, width of a graph's beam, documents to fetch."""

    nprobe: int
    ef_search: int
    fetch: int

    @classmethod
    def of(cls, config: Dense, index: faiss.Index, k: int) -> "Search":
        """The config's settings; what it leaves open is chosen from the index and `k`.

        1 list in 8, at least 32; a beam of 2 `k`; `k` documents where the index holds full
        vectors and 4 `k` where it compresses them.
        """
        lists = faiss.try_extract_index_ivf(index)
        full = config.index in {"ivf", "hnsw"}
        fetch = min(math.ceil(k * (config.over_fetch or (1 if full else 4))), index.ntotal)
        nprobe = config.nprobe or max(32, lists.nlist // 8 if lists else 0)
        beam = max(config.ef_search or 2 * k, fetch)
        return cls(nprobe, beam, fetch)

    def apply(self, index: faiss.Index) -> None:
        """Set an index to look so far."""
        lists, graph = faiss.try_extract_index_ivf(index), _graph(index)
        if lists is not None:
            lists.nprobe = min(self.nprobe, lists.nlist)
        if graph is not None:
            graph.hnsw.efSearch = self.ef_search


def search(index: faiss.Index, queries: np.ndarray, fetch: int) -> np.ndarray:
    """Rows of the documents that an index finds: (q, fetch) int64, -1 where it finds fewer.

    Each query is searched alone and by one thread: a batch would go through a matrix product
    whose rounding, and so the lists probed, depends on the other queries.
    """
    ids = np.full((len(queries), fetch), -1, dtype=np.int64)
    if not fetch:
        return ids

    def one(row: int) -> None:
        ids[row] = index.search(queries[row : row + 1], fetch)[1][0]

    _spread_over_threads(one, len(queries))
    return ids


def _spread_over_threads(one: Callable[[int], None], rows: int) -> None:
    def some(start: int) -> None:
        for row in range(start, min(start + _QUERIES_AT_ONCE, rows)):
            one(row)

    threads = faiss.omp_get_max_threads()
    with ThreadPoolExecutor(threads, initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
        list(pool.map(some, range(0, rows, _QUERIES_AT_ONCE)))


def best_of(queries: np.ndarray, documents: np.ndarray, ids: np.ndarray, k: int) -> TopK:
    """The k best by full score among `ids` (q, m), rows of `documents` or -1: (q, k)."""
    if not len(queries) or not ids.shape[1]:
        return TopK.empty(len(queries), k)
    return top_k(rescore(queries, documents, np.maximum(ids, 0)), ids, k)


def find(
    config: Dense, index: faiss.Index, queries: np.ndarray, documents: np.ndarray, k: int
) -> TopK:
    """Top k of (q, d) queries by full score among what an index of (n, d) `documents` finds."""
    how = Search.of(config, index, k)
    how.apply(index)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    return best_of(queries, documents, search(index, queries, how.fetch), k)


def recall(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Share of each query's exact neighbours that were found: (q,) float64.

    `found` (q, m) and `exact` (q, k) are ids, padded with -1; 1 where there is no neighbour.
    """
    shares = np.ones(len(exact))
    for row, (some, wanted) in enumerate(zip(found, exact, strict=True)):
        wanted = wanted[wanted >= 0]
        if len(wanted):
            shares[row] = np.isin(wanted, some).mean()
    return shares
