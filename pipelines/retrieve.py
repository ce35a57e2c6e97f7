"""Retrieve stage: documents and queries in, candidates of each source out."""

from dataclasses import dataclass

import apache_beam as beam

from schemas import tables
from schemas.config import Bm25, Dense, Random
from transforms.blocks import Block
from transforms.bm25_index import Bm25Index, IndexDocuments
from transforms.datasets import Dataset
from transforms.parts import WriteParts
from transforms.retrieve import (
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
    """Nearest neighbours of the query vectors among the document vectors."""

    config: Dense
    document_vectors: Dataset
    query_vectors: Dataset
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
    searcher = DenseSearcher(task.document_vectors, task.query_vectors)
    return _search(root, "Dense", searcher, task.document_vectors.rows, task)


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
    return (
        root
        | f"Search{source}" >> SearchShards(searcher, shards, task.blocks, task.config.depth)
        | f"Tabulate{source}" >> ToCandidates(task.blocks)
        | f"Write{source}" >> WriteParts(task.directory, tables.CANDIDATES)
    )
