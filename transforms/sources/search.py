"""Retrieve candidates: (index shard x query block) -> partial top-k -> checked merge -> rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from scipy import sparse

from negmine.schemas import tables
from negmine.schemas.errors import DataError, StorageError
from negmine.schemas.sources import Bm25
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.languages import codes_at
from negmine.transforms.kernels.search.bm25 import Bm25Matrix, Queries, some_queries
from negmine.transforms.kernels.search.dense import exact_top_k, largest_norm
from negmine.transforms.kernels.search.topk import TopK, merge
from negmine.transforms.kernels.tokenise import AUTO
from negmine.transforms.models.gpu.nearest import nearest_here
from negmine.transforms.sources.bm25 import Bm25Index, open_index
from negmine.transforms.sources.by_language import (
    in_order,
    merged_halves,
)
from negmine.transforms.sources.dense import DenseIndex
from negmine.transforms.steps import flat_map_step, map_step, shared_step
from negmine.transforms.workers import workers

AUTO_SHARD = 262_144
_LANE, _TASKS_EACH = 64, 4
_PARTIAL = pa.schema(
    [pa.field("score", pa.float32(), nullable=False), pa.field("id", pa.int64(), nullable=False)]
)
_DOCUMENTS_AT_ONCE = 16_384


def plan_shards(documents: int, shards: int | Literal["auto"]) -> list[Block]:
    """Contiguous ranges of doc_ix; auto = as many as keep each at 262,144 documents or fewer."""
    if shards == "auto":
        shards = -(-documents // AUTO_SHARD)
    return plan_blocks(documents, max(1, -(-documents // max(shards, 1))))


class Searcher(Protocol):
    """Finds the best documents of a shard for a block of queries; travels to the workers."""

    @property
    def shared(self) -> bool:
        """Whether worker processes of a local run share it; FAISS has threads of its own."""
        ...

    def search(self, shard: Block, queries: Block, k: int) -> TopK:
        """(queries, k) best of the shard; ids are doc_ix."""
        ...


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


@dataclass
class SearchShards(beam.PTransform):
    """Top k of all shards for each block of queries: `Pipeline -> (block start, TopK)`.

    An element is one shard and up to 64 blocks of queries, so that a worker loads each shard once;
    a shard's tasks follow one another. What several shards gave is kept below the folder `kept`,
    if one is named, for a run that goes on after an interruption. Memory follows the documents
    where they are fewer than `depth`. Raises StorageError unless each block gets exactly one
    partial result of each shard.
    """

    searcher: Searcher
    shards: Sequence[Block]
    blocks: Sequence[Block]
    depth: int
    kept: str = ""
    halved: Callable[[Block], np.ndarray] | None = None
    """Which rows of a block are of two halves, see `transforms.sources.by_language.ByLanguage`."""

    def __post_init__(self) -> None:
        super().__init__()
        self.depth = min(self.depth, max([1, *(shard.stop for shard in self.shards)]))
        self.merged = len(self.shards) > 1

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        shared = getattr(self.searcher, "shared", False) and isinstance(
            root.pipeline.runner, FnApiRunner
        )
        size = self._lane() if shared else _LANE
        lanes = [(lane, lane + size) for lane in range(0, len(self.blocks), size)]
        tasks = [
            (f"{shard:06d}-{lane[0]:09d}", (shard, *lane))
            for shard in range(len(self.shards))
            for lane in lanes
        ]
        make = flat_map_step(lambda _: tasks)
        spread = (
            root
            | "Once" >> beam.Impulse()
            | "Tasks" >> make.with_output_types(tuple[str, tuple[int, int, int]])
            | "SpreadTasks" >> beam.GroupByKey()  # unlike Reshuffle, keeps the order locally
        )
        if shared:
            plain = spread | "Plain" >> map_step(lambda element: ("", list(element[1])))
            several = plain | "Share" >> shared_step(self._searched)
            search = flat_map_step(iter)
        else:
            several, search = spread, flat_map_step(self._search)
        found = several | "Search" >> search.with_output_types(tuple[int, Any])
        if not self.merged:
            # Nothing to wait for: a block goes on, and is written, as soon as it is searched.
            return found
        return found | "Merge" >> beam.CombinePerKey(MergeShards(len(self.shards), self.depth))

    def _lane(self) -> int:
        """Blocks of a task that is shared out: several tasks a worker, but whole shards if many."""
        wanted = -(-_TASKS_EACH * workers() // len(self.shards))
        if workers() < 2 or len(self.shards) >= workers():
            wanted = 1
        return min(_LANE, max(1, -(-len(self.blocks) // wanted)))

    def _searched(self, element: tuple[str, list[tuple[int, int, int]]]) -> list[tuple[int, Any]]:
        return list(self._search(element))

    def _search(
        self, element: tuple[str, Iterable[tuple[int, int, int]]]
    ) -> Iterator[tuple[int, Any]]:
        for shard, first, end in element[1]:
            for block in self.blocks[first:end]:
                found = self._find(self.shards[shard], block)
                halved = self.halved(block) if self.halved and self.merged else None
                yield int(block.start), (shard, found, halved) if self.merged else found

    def _find(self, shard: Block, block: Block) -> TopK:
        """Search, unless an interrupted run did and kept what it found."""
        if not self.kept or not self.merged:
            return self.searcher.search(shard, block, self.depth)
        folder = Dataset(f"{self.kept}/{shard.start:012d}-{shard.stop:012d}")
        if storage.is_file(folder.directory / block.part):
            table = folder.read_part(block.part)
            scores, ids = (table.column(name).to_numpy() for name in _PARTIAL.names)
            rows = block.stop - block.start
            return TopK(scores.reshape(rows, -1), ids.reshape(rows, -1))
        found = self.searcher.search(shard, block, self.depth)
        flat = [found.scores.ravel(), found.ids.ravel()]
        table = pa.Table.from_arrays(list(map(pa.array, flat)), schema=_PARTIAL)
        write_part(folder.path, block.part, table, _PARTIAL)
        return found


Accumulator = tuple[tuple[int, ...], TopK | None, np.ndarray | None]


class MergeShards(beam.CombineFn):
    """Merge partial results of one query block; associative and commutative.

    They are `(shard, TopK, halved)`, the last which rows are of two halves, (queries,) bool; None =
    none.

    The accumulator carries the shards seen. Raises StorageError for a shard that comes twice, and
    in the end unless all `shards` came.
    """

    def __init__(self, shards: int, depth: int) -> None:
        self.shards = shards
        self.depth = depth

    def create_accumulator(self) -> Accumulator:
        return (), None, None

    def add_input(
        self, accumulator: Accumulator, element: tuple[int, TopK, np.ndarray | None]
    ) -> Accumulator:
        shard, found, halved = element
        return self.merge_accumulators([accumulator, ((shard,), found, halved)])

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        seen: list[int] = []
        found: list[TopK] = []
        halved: np.ndarray | None = None
        for shards, top, rows in accumulators:
            seen.extend(shards)
            halved = rows if halved is None else halved
            if top is not None:
                found.append(top)
        if len(set(seen)) != len(seen):
            raise StorageError(
                f"results of shards {sorted(seen)} came for one query block, some of them twice; "
                "the runner is at fault, run the same command again"
            )
        if len(found) < 2:
            return tuple(seen), found[0] if found else None, halved
        if halved is None:
            return tuple(seen), merge(found, self.depth), None
        return tuple(seen), merged_halves(found, self.depth, halved), halved

    def extract_output(self, accumulator: Accumulator) -> TopK:
        seen, found, _ = accumulator
        if found is None or set(seen) != set(range(self.shards)):
            raise StorageError(
                f"results of shards {sorted(seen)} came for one query block, expected all of "
                f"0..{self.shards - 1}; the runner is at fault, run the same command again"
            )
        return found


@dataclass
class ToCandidates(beam.PTransform):
    """`(block start, TopK)` to `(Block, table)` of tables.CANDIDATES, sorted by query and rank."""

    blocks: Sequence[Block]
    halved: bool = False

    def expand(self, results: beam.PCollection) -> beam.PCollection:
        stops = {block.start: block.stop for block in self.blocks}
        halved = self.halved

        def tabulate(element: tuple[int, TopK]) -> tuple[Block, pa.Table]:
            start, found = element
            found = in_order(found) if halved else found
            return Block(start, stops[start]), candidates(start, *found)

        return results | "Tabulate" >> map_step(tabulate)


def candidates(start: int, scores: np.ndarray, ids: np.ndarray) -> pa.Table:
    """Table of tables.CANDIDATES from (queries, k) scores and doc_ix, best first; -1 is padding."""
    row, column = np.nonzero(ids >= 0)
    columns = [
        row + start,
        ids[row, column],
        (column + 1).astype(np.int32),
        scores[row, column].astype(np.float32),
    ]
    return pa.Table.from_arrays(list(map(pa.array, columns)), schema=tables.CANDIDATES)
