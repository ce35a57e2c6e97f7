"""The BM25 index: postings, document lengths and corpus-wide term statistics, as data sets.

It depends on the corpus and the language only; weights are computed when it is read.
"""

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.retrieval import Bm25
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import LOCAL, array_column, map_file
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.languages import has_languages
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.kernels.search import bm25
from negmine.transforms.kernels.tokenise import AUTO, Tokeniser
from negmine.transforms.steps import map_step, shared_step

_COMPACT_AT = 16
_PAIRS_AT_ONCE = 8192


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

    def __getstate__(self) -> dict[str, Any]:
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


class OpenIndex:
    """A finished index, memory-mapped document by document, with one choice of parameters.

    `terms` (terms,) Arrow strings, sorted; `df` (terms,) int64; `lengths` (documents,) int32;
    document i has rows `offsets[i]:offsets[i + 1]` of `numbers` and `frequencies`, both int32;
    `idf` (terms,) float64; `absent` as bm25.absent_weight.

    Raises StorageError where the parts do not fit together.
    """

    def __init__(self, index: Bm25Index, parameters: bm25.Parameters) -> None:
        self.parameters = parameters
        statistics = index.statistics.read()
        self.terms: pa.Array = pa.concat_arrays(
            [pa.array([], pa.string()), *statistics["term"].chunks]
        )
        self.df = statistics["documents"].to_numpy()
        self.lengths = array_column(index.lengths, "length")
        distinct = array_column(index.lengths, "distinct")
        self.offsets = np.concatenate([[0], np.cumsum(distinct, dtype=np.int64)])
        self.frequencies = array_column(index.postings, "frequency")
        self.numbers = _term_numbers(index, self.terms)
        corpus = index.corpus
        self.documents = len(self.lengths) if corpus is None else corpus
        occurrences = int(statistics["occurrences"].to_numpy().sum())
        found = int(self.lengths[: self.documents].sum(dtype=np.int64))
        sizes = {int(self.offsets[-1]), len(self.frequencies), len(self.numbers)}
        if occurrences != found or len(sizes) != 1:
            raise StorageError(
                f"the BM25 index {index.path} does not fit together ({found} terms in documents, "
                f"{occurrences} in statistics); remove the directory and run again"
            )
        self.average_length = occurrences / max(self.documents, 1)
        self.idf = bm25.idf(parameters.method, self.df, self.documents)
        self.absent = bm25.absent_weight(parameters, self.idf)

    def queries(
        self,
        texts: Sequence[str],
        language: str | None,
        languages: Sequence[str | None] | None = None,
    ) -> bm25.Queries:
        """Term numbers of query texts, tokenised as the documents were.

        `languages`, the queries' codes, are read where `language` is `auto`: a query is analysed by
        its own language, whatever it searches.
        """
        tokens = Tokeniser(language)(texts, languages)
        vocabulary = pa.array(tokens.vocabulary, pa.string())
        known = pc.index_in(self.terms, value_set=vocabulary)
        mapping = np.full(len(vocabulary), -1, dtype=np.int64)
        where = pc.indices_nonzero(pc.is_valid(known)).to_numpy()
        mapping[known.drop_null().to_numpy()] = where
        return bm25.Queries.of(mapping[tokens.numbers], tokens.offsets)

    def document_terms(self, documents: np.ndarray) -> sparse.csr_array:
        """Weights of some documents, CSR of documents x terms, float32, columns sorted."""
        first = self.offsets[documents]
        offsets = np.concatenate([[0], np.cumsum(self.offsets[documents + 1] - first)])
        counts = np.diff(offsets)
        rows = np.repeat(first - offsets[:-1], counts) + np.arange(offsets[-1])
        numbers = self.numbers[rows]
        values = bm25.weights(
            self.parameters,
            self.idf[numbers],
            self.frequencies[rows],
            np.repeat(self.lengths[documents], counts),
            self.average_length,
        )
        shape = (len(documents), len(self.terms))
        return sparse.csr_array((values, numbers, offsets), shape=shape)


@lru_cache(maxsize=4)
def open_index(index: Bm25Index, config: Bm25) -> OpenIndex:
    """The index with the config's weighting, opened once a process."""
    parameters = bm25.Parameters(config.method, config.k1, config.b, config.delta)
    return OpenIndex(index, parameters)


def _term_numbers(index: Bm25Index, terms: pa.Array) -> np.ndarray:
    """The column `term` of the postings as numbers, mapped from a file made at the first use."""
    file = index.postings.directory / LOCAL / "numbers"
    if not _is_whole(index, file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file.with_name("numbers.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_whole(index, file):
                building = file.with_name("numbers.building")
                with open(building, "wb") as out:
                    for table in index.postings.tables(["term"]):
                        numbers = pc.index_in(table["term"], value_set=terms)
                        out.write(numbers.to_numpy().astype("<i4").tobytes())
                os.replace(building, file)
    return map_file(file, "<i4", ())


def _is_whole(index: Bm25Index, numbers: Path) -> bool:
    if not numbers.is_file() or not index.postings.finished:
        return numbers.is_file()
    return numbers.stat().st_size == 4 * index.postings.rows


@dataclass(frozen=True)
class Bm25Scorer:
    """BM25 scores of any pairs, with the same bits as in retrieval; reads only their documents."""

    index: Bm25Index
    config: Bm25

    def pair_scores(
        self,
        query_texts: Sequence[str],
        query_rows: np.ndarray,
        doc_ix: np.ndarray,
        languages: Sequence[str | None] | None = None,
    ) -> np.ndarray:
        """Score of `query_texts[query_rows[i]]` with document `doc_ix[i]`: (pairs,) float32.

        `languages` are the queries' codes, None where none is known.
        0 where no term of the query is in the document (bm25+: what absent terms add).
        """
        opened = open_index(self.index, self.config)
        queries = opened.queries(query_texts, self.config.language, languages)
        query_rows = np.asarray(query_rows, dtype=np.int64)
        scores = np.empty(len(query_rows), dtype=np.float32)
        for start in range(0, len(scores), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            terms = opened.document_terms(np.asarray(doc_ix[part], dtype=np.int64))
            scores[part] = bm25.sum_pairs(terms, queries, query_rows[part])
        return scores + bm25.constants(queries, opened.absent)[query_rows]
