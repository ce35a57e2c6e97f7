"""Making the index: postings, document lengths and corpus-wide term statistics, as data sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.languages import has_languages
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.kernels.tokenise import AUTO, Tokeniser
from negmine.transforms.steps import map_step, shared_step

_COMPACT_AT = 16


@dataclass(frozen=True)
class Bm25Index:
    """The artifact in a directory: `postings/`, `lengths/` (by document block), `statistics/`.

    `corpus` is how many documents, from the first, its statistics are of; None for all of them.
    """

    path: str
    corpus: int | None = None

    @property
    def postings(self) -> Dataset:
        """tables.POSTINGS, sorted by doc_ix, term."""
        return Dataset(str(Path(self.path) / "postings"))

    @property
    def lengths(self) -> Dataset:
        """tables.DOCUMENT_LENGTHS, one row a document."""
        return Dataset(str(Path(self.path) / "lengths"))

    @property
    def statistics(self) -> Dataset:
        """tables.TERM_STATISTICS, one row a term."""
        return Dataset(str(Path(self.path) / "statistics"))


@dataclass
class IndexDocuments(beam.PTransform):
    """Tokenise blocks of documents and sum their statistics: `Pipeline -> names of parts`.

    `blocks` are all blocks of the corpus: those whose parts are on disk are read, not made again.
    Memory is bounded by a block and the vocabulary.
    """

    documents: Dataset
    language: str | None
    blocks: Sequence[Block]
    index: Bm25Index

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        return (
            root
            | "DocumentBlocks" >> CreateBlocks(self.blocks)
            | "Tokenise" >> shared_step(_IndexBlock(self.documents, self.language, self.index))
            | "SumTerms" >> beam.CombineGlobally(SumTerms(self.blocks)).without_defaults()
            | "WriteTerms" >> map_step(_write_statistics, self.index)
        )


class _IndexBlock:
    """Makes the postings of a block, and gives its start and `tables.TERM_STATISTICS`."""

    def __init__(self, documents: Dataset, language: str | None, index: Bm25Index) -> None:
        self.documents = documents
        self.language = language
        self.index = index

    @cached_property
    def tokenise(self) -> Tokeniser:
        # Kept from block to block with the stems it has seen; of one thread, for it is not safe.
        return Tokeniser(self.language)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "tokenise"}

    def __call__(self, block: Block) -> tuple[int, pa.Table]:
        sets = (self.index.postings, self.index.lengths)
        if all(storage.is_file(dataset.directory / block.part) for dataset in sets):
            postings = self.index.postings.read_part(block.part)
        else:
            postings = self._make(block)
        counted = postings.group_by("term", use_threads=False).aggregate(
            [("frequency", "count"), ("frequency", "sum")]
        )
        numbers = [counted["frequency_count"], counted["frequency_sum"]]
        if self.index.corpus is not None and block.start >= self.index.corpus:
            numbers = [pa.array(np.zeros(counted.num_rows, dtype=np.int64))] * 2
        columns = [counted["term"], *numbers]
        return block.start, pa.Table.from_arrays(columns, schema=tables.TERM_STATISTICS)

    def _make(self, block: Block) -> pa.Table:
        own = self.language == AUTO and has_languages(self.documents)
        rows = self.documents.read_rows(block, ["text", *(["language"] if own else [])])
        texts = rows["text"].to_pylist()
        tokens = self.tokenise(texts, rows["language"].to_pylist() if own else None)
        row, term, count = tokens.frequencies()
        vocabulary = pa.array(tokens.vocabulary, pa.string())
        postings = pa.Table.from_arrays(
            [row + block.start, vocabulary.take(pa.array(term)), count.astype(np.int32)],
            schema=tables.POSTINGS,
        )
        lengths = pa.Table.from_arrays(
            [
                np.arange(block.start, block.stop),
                np.diff(tokens.offsets).astype(np.int32),
                np.bincount(row, minlength=len(texts)).astype(np.int32),
            ],
            schema=tables.DOCUMENT_LENGTHS,
        )
        write_part(self.index.postings.path, block.part, postings, tables.POSTINGS)
        write_part(self.index.lengths.path, block.part, lengths, tables.DOCUMENT_LENGTHS)
        return postings


class SumTerms(beam.CombineFn):
    """Sum `(block start, TERM_STATISTICS)` elements to one table sorted by term.

    Raises StorageError unless every block came exactly once.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.expected = sorted(block.start for block in blocks)

    def create_accumulator(self) -> tuple[list[int], list[pa.Table]]:
        return [], []

    def add_input(
        self, accumulator: tuple[list[int], list[pa.Table]], element: tuple[int, pa.Table]
    ) -> tuple[list[int], list[pa.Table]]:
        start, table = element
        return self.merge_accumulators([accumulator, ([start], [table])])

    def merge_accumulators(
        self, accumulators: Iterable[tuple[list[int], list[pa.Table]]]
    ) -> tuple[list[int], list[pa.Table]]:
        starts: list[int] = []
        pieces: list[pa.Table] = []
        for some_starts, some_tables in accumulators:
            starts.extend(some_starts)
            pieces.extend(some_tables)
            if len(pieces) >= _COMPACT_AT:
                pieces = [_sum_terms(pieces)]
        return starts, pieces

    def extract_output(self, accumulator: tuple[list[int], list[pa.Table]]) -> pa.Table:
        starts, pieces = accumulator
        if sorted(starts) != self.expected:
            raise StorageError(
                f"term statistics of document blocks {sorted(starts)} arrived, expected "
                f"{self.expected}; run the same command again"
            )
        return _sum_terms(pieces).sort_by("term")


def _sum_terms(pieces: Sequence[pa.Table]) -> pa.Table:
    summed = (
        pa.concat_tables(pieces)
        .group_by("term", use_threads=False)
        .aggregate([("documents", "sum"), ("occurrences", "sum")])
    )
    columns = [summed["term"], summed["documents_sum"], summed["occurrences_sum"]]
    return pa.Table.from_arrays(columns, schema=tables.TERM_STATISTICS)


def _write_statistics(table: pa.Table, index: Bm25Index) -> str:
    name = Block(0, table.num_rows).part
    write_part(index.statistics.path, name, table, tables.TERM_STATISTICS)
    return name
