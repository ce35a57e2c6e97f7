"""Candidates of each source, and the indexes that they are found by."""

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas import tables
from negmine.schemas.retrieval import Bm25, Dense
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import PARTIAL, Dataset
from negmine.transforms.data.parts import WriteParts
from negmine.transforms.sources.by_language import ByLanguage
from negmine.transforms.sources.dense import DenseIndex
from negmine.transforms.sources.recall import RECALL, MeasureRecall
from negmine.transforms.sources.search import (
    Searcher,
    SearchShards,
    ToCandidates,
    plan_shards,
)
from negmine.transforms.sources.searchers import DenseSearcher


@dataclass
class Retrieve(beam.PTransform):
    """Candidates by search over shards: `Pipeline -> PCollection[part name]`.

    Attributes:
        searcher: finds the best documents of a shard for a block of queries.
        documents: rows of what is searched.
        config: depth, and the number of shards.
        directory: where the parts go.
        blocks: of queries, still to do.
    """

    searcher: Searcher
    documents: int
    config: Bm25 | Dense
    directory: str
    blocks: Sequence[Block]

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        shards = plan_shards(self.documents, self.config.shards)
        kept = f"{self.directory}/{PARTIAL}"
        held = self.searcher if isinstance(self.searcher, ByLanguage) else None
        halved = held.halved if held and held.which == "both" else None
        search = SearchShards(self.searcher, shards, self.blocks, self.config.depth, kept, halved)
        return (
            root
            | "Search" >> search
            | "Tabulate" >> ToCandidates(self.blocks, halved is not None)
            | "Write" >> WriteParts(self.directory, tables.CANDIDATES)
        )


@dataclass
class MeasureIndexRecall(beam.PTransform):
    """Compare an index with exact search for the queries at `rows`, blocks of which to do.

    `documents` is how many, from the first, are searched.
    """

    index: DenseIndex
    document_vectors: Dataset
    query_vectors: Dataset
    documents: int
    rows: tuple[int, ...]
    directory: str
    blocks: Sequence[Block]

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        config = self.index.config
        shards = plan_shards(self.documents, config.shards)
        vectors = (self.document_vectors, self.query_vectors)
        searchers = (
            DenseSearcher(*vectors, index=self.index, rows=self.rows),
            DenseSearcher(*vectors, rows=self.rows),
        )
        measure = MeasureRecall(*searchers, shards, self.blocks, config.depth)
        return root | "Recall" >> measure | "Write" >> WriteParts(self.directory, RECALL)
