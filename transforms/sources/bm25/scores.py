"""Reading the index: weights of documents' terms, and the scores of any pairs."""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from negmine.schemas.errors import StorageError
from negmine.schemas.retrieval import Bm25
from negmine.transforms.data.columns import LOCAL, array_column, map_file
from negmine.transforms.kernels.search import bm25
from negmine.transforms.kernels.tokenise import Tokeniser
from negmine.transforms.sources.bm25.index import Bm25Index

_PAIRS_AT_ONCE = 8192


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
