"""Features of pairs, free of thresholds: computed once, so that policies only compare columns."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from negmine.transforms.data.columns import array_column, binary_column, release_pages
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import languages_of
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.kernels.measures.geometry import cosines
from negmine.transforms.kernels.near_duplicates import jaccard, minhash_jaccard, shingles
from negmine.transforms.kernels.search.candidates import Candidates, against_positives
from negmine.transforms.kernels.search.dense import pair_scores

EXACT_JACCARD_FROM = 0.5
"""MinHash estimates from here on are replaced by the exact value."""
PAIRS_AT_ONCE = 1024
"""Pairs whose vectors or signatures are compared at a time: what is computed stays in cache."""
_ROWS_AT_ONCE = 2048
_SCANNED_AT_ONCE = 65_536


@dataclass(frozen=True)
class Collection:
    """The data sets of a collection: documents, queries, labels, and the student's vectors.

    `queries_are_documents` says whether a document with a query's identifier, or a passage
    of it, is that query; `auto` lets the texts tell, see `transforms.pairs.query_itself`.
    """

    documents: Dataset
    queries: Dataset
    positives: Dataset
    document_vectors: Dataset
    query_vectors: Dataset
    confirmed_negatives: Dataset | None = None
    normalized: bool = True
    """Whether vectors have length 1, so that the student's similarity is the cosine."""
    queries_are_documents: Literal["auto"] | bool = "auto"
    made_are_judged: bool = False
    """Whether the judge's policies may drop what was made false by an edit."""
    corpus: int | None = None
    """Documents of the corpus, the first ones; behind them stand those made by edits. None: all."""

    @property
    def vectors(self) -> "np.ndarray | HeldRows":
        """The student's vectors of documents, (documents, d), to be indexed by positions."""
        return array_column(self.document_vectors, "vector")

    @property
    def corpus_vectors(self) -> np.ndarray:
        """The student's vectors of the corpus alone, mapped."""
        return array_column(self.document_vectors, "vector")[: self.corpus]

    def holding(self, doc_ix: np.ndarray) -> "Collection":
        """The same with the vectors of these documents in memory, and of no others.

        For a block that looks them up again and again, all over the corpus: mapped, each look-up
        would bring in the pages around it, in the end those of the whole corpus.
        """
        values = {field.name: getattr(self, field.name) for field in fields(Collection)}
        return _Holding(**values, held=HeldRows.of(self.document_vectors, "vector", doc_ix))

    def similarity(self, query_ix: np.ndarray, doc_ix: np.ndarray) -> np.ndarray:
        """Student similarity of each pair, (n,) float32; the same bits as in retrieval.

        NaN where a vector is zero: it has no direction, so it is similar to nothing.
        """
        queries = array_column(self.query_vectors, "vector")
        documents = self.vectors
        out = np.empty(len(query_ix), dtype=np.float32)
        for start in range(0, len(out), PAIRS_AT_ONCE):
            rows = slice(start, start + PAIRS_AT_ONCE)
            out[rows] = pair_scores(queries[query_ix[rows]], documents[doc_ix[rows]])
        suspects = np.flatnonzero(out == 0)
        for start in range(0, len(suspects), PAIRS_AT_ONCE):
            some = suspects[start : start + PAIRS_AT_ONCE]
            whole = queries[query_ix[some]].any(axis=1) & documents[doc_ix[some]].any(axis=1)
            out[some[~whole]] = np.nan
        return out

    def cosine(self, query_ix: np.ndarray, doc_ix: np.ndarray) -> np.ndarray:
        """Cosine of query and document of each pair, (n,) float32; NaN where a vector is zero."""
        found = self.similarity(query_ix, doc_ix)
        if self.normalized:
            return found
        queries, documents = array_column(self.query_vectors, "vector"), self.vectors
        for start in range(0, len(found), PAIRS_AT_ONCE):
            rows = slice(start, start + PAIRS_AT_ONCE)
            known = cosines(queries[query_ix[rows]], documents[doc_ix[rows]])
            found[rows] = np.where(np.isnan(found[rows]), np.nan, known)
        return found

    def zero_vectors(self) -> dict[str, int]:
        """How many documents and queries have a zero vector."""
        sets = {"documents": self.document_vectors, "queries": self.query_vectors}
        return {name: _zero_rows(dataset) for name, dataset in sets.items()}

    def document_arrays(self) -> DocumentArrays:
        """What chosen negatives are compared by, memory-mapped."""
        vectors = array_column(self.document_vectors, "vector")
        minhash = array_column(self.documents, "minhash")
        return DocumentArrays(vectors, minhash, self.languages)

    @property
    def languages(self) -> Languages | None:
        """Languages of documents and queries; None where the collection has none."""
        return languages_of(self.documents, self.queries)

    def query_languages(self, query_ix: np.ndarray) -> np.ndarray:
        """Languages of queries at positions as `kernels.languages` numbers them, (n,) int32."""
        known = self.languages
        return np.zeros(len(query_ix), np.int32) if known is None else known.queries[query_ix]


def _zero_rows(vectors: Dataset) -> int:
    mapped, total = array_column(vectors, "vector"), 0
    for start in range(0, len(mapped), _SCANNED_AT_ONCE):
        release_pages()
        piece = mapped[start : start + _SCANNED_AT_ONCE]
        suspects = np.flatnonzero(piece[:, 0] == 0)
        total += int((~piece[suspects].any(axis=1)).sum())
    return total


@dataclass(frozen=True)
class HeldRows:
    """Some rows of a column in memory: `rows` (n, d) of `positions` (n,), ascending."""

    positions: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, dataset: Dataset, column: str, positions: np.ndarray) -> "HeldRows":
        """Rows at these positions, each once."""
        wanted = np.unique(positions)
        mapped = array_column(dataset, column)
        rows = np.empty((len(wanted), *mapped.shape[1:]), dtype=mapped.dtype)
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            release_pages()
            piece = slice(start, start + _ROWS_AT_ONCE)
            rows[piece] = mapped[wanted[piece]]
        return cls(wanted, rows)

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """Rows at positions that are held, in their order."""
        return np.asarray(self.rows[np.searchsorted(self.positions, positions)])


@dataclass(frozen=True)
class _Holding(Collection):
    held: HeldRows | None = None

    @property
    def vectors(self) -> "np.ndarray | HeldRows":
        return self.held if self.held is not None else super().vectors


@dataclass(frozen=True)
class PositiveFeatures:
    """How close each pair's document is to its query's positives; all arrays (n,)."""

    cosine: np.ndarray
    jaccard: np.ndarray
    same_text: np.ndarray


def positive_features(
    collection: Collection,
    candidates: Candidates,
    positive_query_ix: np.ndarray,
    positive_doc_ix: np.ndarray,
) -> PositiveFeatures:
    """Highest cosine and shingle Jaccard with a positive, and whether the texts are the same.

    Jaccard is exact where its MinHash estimate is at least 0.5, else the estimate.
    """
    count = len(candidates.query_ix)
    cosine = np.full(count, -1.0, dtype=np.float32)
    overlap = np.zeros(count, dtype=np.float32)
    same = np.zeros(count, dtype=bool)
    vectors = collection.vectors
    signatures = array_column(collection.documents, "minhash")
    keys = array_column(collection.documents, "text_key")
    rows, positives = against_positives(candidates.query_ix, positive_query_ix, positive_doc_ix)
    documents = candidates.doc_ix[rows]
    same[rows[keys[documents] == keys[positives]]] = True
    suspects = []
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        piece = slice(start, start + PAIRS_AT_ONCE)
        left, right = vectors[documents[piece]], vectors[positives[piece]]
        norms = np.sqrt(pair_scores(left, left) * pair_scores(right, right))
        value = pair_scores(left, right) / np.maximum(norms, 1e-12)
        np.maximum.at(cosine, rows[piece], value.astype(np.float32))
        estimate = minhash_jaccard(signatures[documents[piece]], signatures[positives[piece]])
        near = estimate >= EXACT_JACCARD_FROM
        suspects.append(np.flatnonzero(near) + start)
        np.maximum.at(overlap, rows[piece][~near], estimate[~near])
    for row in np.concatenate(suspects) if suspects else []:
        value = _exact_jaccard(collection.documents, int(documents[row]), int(positives[row]))
        overlap[rows[row]] = max(overlap[rows[row]], np.float32(value))
    return PositiveFeatures(cosine, overlap, same)


def _exact_jaccard(documents: Dataset, left: int, right: int) -> float:
    if left == right:
        return 1.0
    first, second = binary_column(documents, "text").texts([left, right])
    return jaccard(shingles(first), shingles(second))
