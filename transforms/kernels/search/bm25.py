"""BM25 as a sparse product of queries and precomputed weights; same bits however it is cut.

Score of a pair = float32 sum of the weights of the query's terms, taken one by one in ascending
order of term number, repeated terms repeatedly. Sources of the formulas: Kamphuis et al., Which
BM25 Do You Mean? (ECIR 2020), table 1, for lucene, robertson and atire; rank-bm25's classes
BM25Okapi, BM25L and BM25Plus for okapi, bm25l and bm25+.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse

from negmine.transforms.kernels.search.topk import TopK, top_k_ragged

Method = Literal["lucene", "robertson", "atire", "okapi", "bm25l", "bm25+"]
OKAPI_EPSILON = 0.25
_PRODUCTS = 500_000


class Parameters(NamedTuple):
    """Weighting variant and its constants, as in schemas.config.Bm25."""

    method: Method = "lucene"
    k1: float = 1.2
    b: float = 0.75
    delta: float = 0.5


class Queries(NamedTuple):
    """Term numbers of a block of queries: ascending in each row, repeats kept, unknown left out.

    Query i is `numbers[offsets[i]:offsets[i + 1]]`; (terms,) int64 and (queries + 1,) int64.
    """

    numbers: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, offsets: np.ndarray) -> "Queries":
        """From rows of term numbers in any order; negative numbers are unknown terms."""
        row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        known = numbers >= 0
        row, numbers = row[known], numbers[known]
        numbers = numbers[np.lexsort((numbers, row))]
        counts = np.bincount(row, minlength=len(offsets) - 1)
        return cls(numbers.astype(np.int64), np.concatenate([[0], np.cumsum(counts)]))


def idf(method: Method, df: np.ndarray, documents: int) -> np.ndarray:
    """Inverse document frequency of terms that occur in `df` (terms,) of the documents; float64.

    Negative values become 0 for robertson and OKAPI_EPSILON times the mean for okapi; the other
    methods have none.
    """
    df = np.asarray(df, dtype=np.float64)
    n = float(documents)
    if method == "lucene":
        return np.log1p((n - df + 0.5) / (df + 0.5))
    if method == "robertson":
        return np.maximum(np.log((n - df + 0.5) / (df + 0.5)), 0.0)
    if method == "atire":
        return np.log(n / df)
    if method == "okapi":
        raw = np.log(n - df + 0.5) - np.log(df + 0.5)
        return np.where(raw < 0, OKAPI_EPSILON * (raw.mean() if raw.size else 0.0), raw)
    if method == "bm25l":
        return np.log(n + 1) - np.log(df + 0.5)
    return np.log((n + 1) / df)


def weights(
    parameters: Parameters,
    term_idf: np.ndarray,
    frequency: np.ndarray,
    length: np.ndarray,
    average_length: float,
) -> np.ndarray:
    """Weight of each posting, (postings,) float32: computed in float64, cast once.

    `term_idf`, `frequency` and `length` hold, for each posting, its term's idf, its count in the
    document and the document's number of terms. For bm25+ the part that absent terms get too is
    left out, see `absent_weight`.
    """
    method, k1, b, delta = parameters
    tf = frequency.astype(np.float64)
    norm = 1 - b + b * (length / average_length)
    if method == "bm25l":
        c = tf / norm
        value = tf * (k1 + 1) * (c + delta) / (k1 + c + delta)
    else:
        value = tf / (tf + k1 * norm)
        if method not in ("lucene", "robertson"):
            value *= k1 + 1
    return (term_idf * value).astype(np.float32)


def absent_weight(parameters: Parameters, term_idf: np.ndarray) -> np.ndarray | None:
    """What each term of a query adds to every document, float64; None where that is nothing."""
    return parameters.delta * term_idf if parameters.method == "bm25+" else None


def constants(queries: Queries, absent: np.ndarray | None) -> np.ndarray:
    """What every document gets from each query, (queries,) float32."""
    rows = len(queries.offsets) - 1
    if absent is None:
        return np.zeros(rows, dtype=np.float32)
    row = np.repeat(np.arange(rows), np.diff(queries.offsets))
    return np.bincount(row, absent[queries.numbers], minlength=rows).astype(np.float32)


@dataclass(frozen=True)
class Bm25Matrix:
    """Weights of one shard of documents: CSR of terms x documents, float32, and `absent_weight`."""

    weights: sparse.csr_array
    absent: np.ndarray | None = None

    def top_k(self, queries: Queries, k: int, allowed: np.ndarray | None = None) -> TopK:
        """Best documents of the shard for each query, as columns of the matrix.

        Documents whose terms add up to 0 or less are not returned, nor those that are not
        `allowed` (documents,) bool; None = all are. A sub-block of queries is
        bounded by the number of postings it touches, so memory is too.
        """
        per_term = np.diff(self.weights.indptr)
        touched = np.concatenate([[0], np.cumsum(per_term[queries.numbers], dtype=np.int64)])
        touched = touched[queries.offsets]
        pieces = []
        start, rows = 0, len(queries.offsets) - 1
        while start < rows:
            stop = int(np.searchsorted(touched, touched[start] + _PRODUCTS, side="right")) - 1
            stop = min(max(stop, start + 1), rows)
            pieces.append(self._top_k(_rows(queries, start, stop), k, allowed))
            start = stop
        if not pieces:
            return TopK.empty(0, k)
        scores, ids = zip(*pieces, strict=True)
        return TopK(np.concatenate(scores), np.concatenate(ids))

    def _top_k(self, queries: Queries, k: int, allowed: np.ndarray | None) -> TopK:
        shape = (len(queries.offsets) - 1, self.weights.shape[0])
        # Entries of 1 and repeats instead of counts: nothing but additions, in this order.
        ones = np.ones(len(queries.numbers), dtype=np.float32)
        index = self.weights.indices.dtype
        matrix = sparse.csr_array(
            (ones, queries.numbers.astype(index), queries.offsets.astype(index)), shape=shape
        )
        found = matrix @ self.weights
        sums, columns = found.data, found.indices
        lengths = np.diff(found.indptr)
        if self.absent is not None:
            sums = sums + np.repeat(constants(queries, self.absent), lengths)
        kept = found.data > 0 if allowed is None else (found.data > 0) & allowed[columns]
        columns = np.where(kept, columns, -1)
        return top_k_ragged(sums, columns, found.indptr, k)


def some_queries(queries: Queries, rows: np.ndarray) -> Queries:
    """Those at some rows, in their order."""
    first, counts = queries.offsets[rows], queries.offsets[rows + 1] - queries.offsets[rows]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    places = np.repeat(first - offsets[:-1], counts) + np.arange(offsets[-1])
    return Queries(queries.numbers[places], offsets)


def _rows(queries: Queries, start: int, stop: int) -> Queries:
    low, high = queries.offsets[start], queries.offsets[stop]
    return Queries(queries.numbers[low:high], queries.offsets[start : stop + 1] - low)


def sum_pairs(terms: sparse.csr_array, queries: Queries, query_rows: np.ndarray) -> np.ndarray:
    """Scores of pairs, bit for bit those of `Bm25Matrix.top_k`; 0 where no term matches.

    `terms` is a CSR of pairs x terms with sorted columns: the weights of pair i's document.
    `query_rows` (pairs,) int64 says which query each pair has. Returns (pairs,) float32, without
    `constants`.
    """
    pairs, width = terms.shape
    scores = np.zeros(pairs, dtype=np.float32)
    pair = np.repeat(np.arange(pairs, dtype=np.int64), np.diff(terms.indptr))
    present = pair * width + terms.indices
    first = queries.offsets[query_rows]
    count = queries.offsets[query_rows + 1] - first
    for step in range(int(count.max(initial=0))):
        active = np.flatnonzero(count > step)
        wanted = active * width + queries.numbers[first[active] + step]
        at = np.searchsorted(present, wanted)
        hit = at < len(present)
        hit[hit] = present[at[hit]] == wanted[hit]
        scores[active[hit]] += terms.data[at[hit]]
    return scores
