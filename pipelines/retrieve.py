"""Retrieve stage: documents and queries in, candidates of each source out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas import tables
from negmine.schemas.config import Bm25, Dense, Random
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import PARTIAL, Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.sources.bm25 import Bm25Index, IndexDocuments
from negmine.transforms.sources.dense import FILES, DenseIndex, FillShards, IndexSource, TrainIndex
from negmine.transforms.sources.recall import RECALL, MeasureRecall
from negmine.transforms.sources.search import (
    Bm25Searcher,
    DenseSearcher,
    DrawRandom,
    Searcher,
    SearchShards,
    ToCandidates,
    plan_shards,
)


@dataclass(frozen=True)
class Bm25IndexTask:
    """Index `documents` in `language` under `directory`.

    `blocks` are all blocks of the corpus, finished ones too: they are read for the statistics.
    """

    documents: Dataset
    language: str | None
    directory: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Bm25Task:
    """BM25 candidates of `queries` from the index in `index`, which has `documents`."""

    config: Bm25
    index: str
    documents: Dataset
    queries: Dataset
    directory: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class DenseTask:
    """Nearest neighbours of the query vectors among the document vectors, by an index if given."""

    config: Dense
    document_vectors: Dataset
    query_vectors: Dataset
    directory: str
    blocks: tuple[Block, ...]
    index: DenseIndex | None = None


@dataclass(frozen=True)
class TrainTask:
    """Train an index, or fit a first pass, for the vectors of `source`; `blocks` is one block."""

    source: IndexSource
    directory: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class FillTask:
    """Index the shards of `source` with what was `trained`; `blocks` are shard numbers to do."""

    source: IndexSource
    trained: Dataset
    directory: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class RecallTask:
    """Compare an index with exact search for the queries at `rows`, blocks of which to do."""

    index: DenseIndex
    document_vectors: Dataset
    query_vectors: Dataset
    rows: tuple[int, ...]
    directory: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class RandomTask:
    """Uniform documents for `queries`."""

    config: Random
    seed: int
    documents: Dataset
    queries: Dataset
    directory: str
    blocks: tuple[Block, ...]


def build_bm25_index(root: beam.Pipeline, task: Bm25IndexTask) -> beam.PCollection:
    """Add the index to a pipeline; returns the name of the statistics' part, written last."""
    return root | "IndexDocuments" >> IndexDocuments(
        task.documents, task.language, task.blocks, Bm25Index(task.directory)
    )


def build_bm25(root: beam.Pipeline, task: Bm25Task) -> beam.PCollection:
    """Add BM25 retrieval to a pipeline; returns the names of the parts written.

    `task.blocks` are the blocks of queries still to do.
    """
    searcher = Bm25Searcher(Bm25Index(task.index), task.queries, task.config)
    return _search(root, "Bm25", searcher, task.documents.rows, task)


def build_dense(root: beam.Pipeline, task: DenseTask) -> beam.PCollection:
    """Add dense retrieval to a pipeline; returns the names of the parts written.

    `task.blocks` are the blocks of queries still to do.
    """
    searcher = DenseSearcher(task.document_vectors, task.query_vectors, task.index)
    return _search(root, "Dense", searcher, task.document_vectors.rows, task)


def build_training(root: beam.Pipeline, task: TrainTask) -> beam.PCollection:
    """Add training to a pipeline; returns the name of the part written."""
    shards = plan_shards(task.source.vectors.rows, task.source.config.shards)
    return (
        root
        | "Once" >> CreateBlocks(task.blocks)
        | "TrainIndex" >> TrainIndex(task.source, shards, task.directory)
        | "WriteTrained" >> WriteParts(task.directory, FILES)
    )


def build_shards(root: beam.Pipeline, task: FillTask) -> beam.PCollection:
    """Add the indexing of shards to a pipeline; returns the names of the parts written."""
    shards = plan_shards(task.source.vectors.rows, task.source.config.shards)
    return (
        root
        | "ShardBlocks" >> CreateBlocks(task.blocks)
        | "FillShards" >> FillShards(task.source, task.trained, shards, task.directory)
        | "WriteShards" >> WriteParts(task.directory, FILES)
    )


def build_recall(root: beam.Pipeline, task: RecallTask) -> beam.PCollection:
    """Add the comparison with exact search to a pipeline; returns the names of the parts."""
    config = task.index.config
    shards = plan_shards(task.document_vectors.rows, config.shards)
    vectors = (task.document_vectors, task.query_vectors)
    searchers = (
        DenseSearcher(*vectors, index=task.index, rows=task.rows),
        DenseSearcher(*vectors, rows=task.rows),
    )
    measure = MeasureRecall(*searchers, shards, task.blocks, config.depth)
    return root | "Recall" >> measure | "WriteRecall" >> WriteParts(task.directory, RECALL)


def build_random(root: beam.Pipeline, task: RandomTask) -> beam.PCollection:
    """Add random documents to a pipeline; returns the names of the parts written.

    `task.blocks` are the blocks of queries still to do.
    """
    drawn = root | "DrawRandom" >> DrawRandom(
        task.queries, task.documents.rows, task.config.count, task.seed, task.blocks
    )
    return drawn | "WriteRandom" >> WriteParts(task.directory, tables.CANDIDATES)


def _search(
    root: beam.Pipeline,
    source: str,
    searcher: Searcher,
    documents: int,
    task: Bm25Task | DenseTask,
) -> beam.PCollection:
    shards = plan_shards(documents, task.config.shards)
    kept = f"{task.directory}/{PARTIAL}"
    search = SearchShards(searcher, shards, task.blocks, task.config.depth, kept)
    return (
        root
        | f"Search{source}" >> search
        | f"Tabulate{source}" >> ToCandidates(task.blocks)
        | f"Write{source}" >> WriteParts(task.directory, tables.CANDIDATES)
    )
