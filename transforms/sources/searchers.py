"""The two ways to search a shard: by the student's vectors, and by BM25."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse

from negmine.schemas.errors import DataError
from negmine.schemas.retrieval import Bm25
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import codes_at
from negmine.transforms.kernels.search.bm25 import Bm25Matrix, Queries, some_queries
from negmine.transforms.kernels.search.dense import exact_top_k, largest_norm
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.kernels.tokenise import AUTO
from negmine.transforms.models.gpu.nearest import nearest_here
from negmine.transforms.sources.bm25 import Bm25Index, open_index
from negmine.transforms.sources.dense import DenseIndex

_DOCUMENTS_AT_ONCE = 16_384


@dataclass(frozen=True)
class DenseSearcher:
    """Inner product of the student's vectors: exact, or by an index and then scored in full.

    `rows` are the positions of the queries to search for; None = all, in order.
    """

    document_vectors: Dataset
    query_vectors: Dataset
    index: DenseIndex | None = None
    rows: tuple[int, ...] | None = None
    shared: bool = False

    def search(self, shard: Block, queries: Block, k: int) -> TopK:
        vectors = array_column(self.document_vectors, "vector")[shard.start : shard.stop]
        wanted = array_column(self.query_vectors, "vector")
        if self.rows is not None:
            wanted = wanted[list(self.rows)]
        wanted = np.asarray(wanted[queries.start : queries.stop])
        try:
            found = None
            if self.index is not None:
                found = self.index.search(shard, wanted, vectors, k)
            if found is None:
                norm = _largest_norm(self.document_vectors, shard)
                found = exact_top_k(wanted, vectors, k, norm, nearest_here)
        except ValueError as error:
            raise DataError(
                f"embeddings in {self.document_vectors.path} or {self.query_vectors.path} cannot "
                f"be searched: {error}; check the student model and embed again"
            ) from error
        return TopK(found.scores, np.where(found.ids < 0, -1, found.ids + shard.start))

    def search_among(
        self, shard: Block, queries: Block, rows: np.ndarray, allowed: np.ndarray, k: int
    ) -> TopK:
        """See `transforms.sources.by_language.Among`; exact, whatever the index."""
        places = np.flatnonzero(allowed)
        vectors = array_column(self.document_vectors, "vector")[shard.start : shard.stop]
        wanted = array_column(self.query_vectors, "vector")[queries.start : queries.stop][rows]
        norm = _largest_norm(self.document_vectors, shard)
        found = exact_top_k(wanted, np.ascontiguousarray(vectors[places]), k, norm)
        if not len(places):
            return found
        return TopK(found.scores, np.where(found.ids < 0, -1, places[found.ids] + shard.start))


@lru_cache(maxsize=256)
def _largest_norm(vectors: Dataset, shard: Block) -> float:
    return largest_norm(array_column(vectors, "vector")[shard.start : shard.stop])


@dataclass(frozen=True)
class Bm25Searcher:
    """BM25 over one shard of an index, with statistics of the whole corpus."""

    index: Bm25Index
    queries: Dataset
    config: Bm25
    shared: bool = True

    def search(self, shard: Block, queries: Block, k: int) -> TopK:
        return self._top_k(shard, _encoded(self.index, self.queries, self.config, queries), k)

    def search_among(
        self, shard: Block, queries: Block, rows: np.ndarray, allowed: np.ndarray, k: int
    ) -> TopK:
        """See `transforms.sources.by_language.Among`."""
        asked = some_queries(_encoded(self.index, self.queries, self.config, queries), rows)
        return self._top_k(shard, asked, k, allowed)

    def _top_k(
        self, shard: Block, queries: Queries, k: int, allowed: np.ndarray | None = None
    ) -> TopK:
        found = _matrix(self.index, self.config, shard).top_k(queries, k, allowed)
        return TopK(found.scores, np.where(found.ids < 0, -1, found.ids + shard.start))


@lru_cache(maxsize=1)
def _matrix(index: Bm25Index, config: Bm25, shard: Block) -> Bm25Matrix:
    opened = open_index(index, config)
    pieces = [
        opened.document_terms(np.arange(start, min(start + _DOCUMENTS_AT_ONCE, shard.stop)))
        for start in range(shard.start, shard.stop, _DOCUMENTS_AT_ONCE)
    ]
    if not pieces:
        return Bm25Matrix(sparse.csr_array((len(opened.terms), 0), dtype=np.float32))
    by_term = sparse.vstack(pieces, format="csr", dtype=np.float32).tocsc()
    shape = (len(opened.terms), shard.stop - shard.start)
    weights = sparse.csr_array((by_term.data, by_term.indices, by_term.indptr), shape=shape)
    return Bm25Matrix(weights, opened.absent)


@lru_cache(maxsize=512)
def _encoded(index: Bm25Index, queries: Dataset, config: Bm25, block: Block) -> Queries:
    texts = queries.read_rows(block, ["text"])["text"].to_pylist()
    own = codes_at(queries, np.arange(block.start, block.stop)) if config.language == AUTO else None
    return open_index(index, config).queries(texts, config.language, own)
