"""A block of whole queries as exporters see it, and the rows that formats make of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROWS = 16_384
TEXT_BYTES = 1 << 25
"""Most rows, and most bytes of text, of a table that a format makes: queries with hundreds of
positives would make millions of pairs of a block."""


def group_bounds(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Where each query's rows start, and how many it has; rows of a query lie together."""
    if table.num_rows == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    ids = table.column("query_id").combine_chunks()
    changed = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    return starts, np.diff(np.append(starts, table.num_rows))


class Pairing(NamedTuple):
    """Row numbers in a block, all arrays (r,) but `negative`, which may be (r, width)."""

    query: np.ndarray
    positive: np.ndarray
    negative: np.ndarray


Order = Literal["given", "similarity", "score", "positives"]


class Documents(NamedTuple):
    """Documents of whole queries.

    `table` (id, text, score, grade), `query` (r,) the query's number in the block, `positive` (r,)
    bool, `bounds` (q + 1,) where each query's rows begin, `rows` (r,) where each stands in the
    block's positives and negatives, one after the other.
    """

    table: pa.Table
    query: np.ndarray
    positive: np.ndarray
    bounds: np.ndarray
    rows: np.ndarray

    @property
    def place(self) -> np.ndarray:
        """Place of each among its query's, from 0, (r,)."""
        return np.arange(len(self.query)) - self.bounds[:-1][self.query]


@dataclass(frozen=True)
class QueryBlock:
    """Whole queries in order of their identifiers, each with a negative and a positive.

    `negatives` (query_id, query, negative_id, negative, score, similarity, tier_at, weight) are
    hardest first, `positives` (query_id, positive_id, positive, score, similarity, grade) best
    first; `similarity` is the student's. `texts` are the queries' own, (q,).
    """

    negatives: pa.Table
    positives: pa.Table
    texts: pa.Array = field(init=False)
    starts: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    positive_starts: np.ndarray = field(init=False)
    positive_counts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        starts, counts = group_bounds(self.negatives)
        positive_starts, positive_counts = group_bounds(self.positives)
        made = {
            "texts": self.negatives["query"].combine_chunks().take(pa.array(starts)),
            "starts": starts,
            "counts": counts,
            "positive_starts": positive_starts,
            "positive_counts": positive_counts,
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def query_ids(self) -> pa.Array:
        """Identifiers, (q,)."""
        return self.negatives["query_id"].combine_chunks().take(pa.array(self.starts))

    @property
    def positive_bounds(self) -> np.ndarray:
        """Where each query's positives begin, and where the last ones end, (q + 1,)."""
        return np.append(self.positive_starts, self.positives.num_rows)

    @property
    def negative_bounds(self) -> np.ndarray:
        """The same of the negatives, (q + 1,)."""
        return np.append(self.starts, self.negatives.num_rows)

    def documents(self, order: Order = "given") -> Documents:
        """A query's positives and negatives in one: as they are given, or the highest first.

        `positives`: the highest score first among the positives, and among the others behind them.
        """
        parts = (self.positives, self.negatives)
        counts = (self.positive_counts, self.counts)
        query = np.concatenate([np.repeat(np.arange(len(count)), count) for count in counts])
        keys: tuple[np.ndarray, ...] = (query,)
        if order != "given":
            name = "similarity" if order == "similarity" else "score"
            keys = (-np.concatenate([part[name].to_numpy() for part in parts]), query)
            if order == "positives":
                below = np.arange(len(query)) >= self.positives.num_rows
                keys = (keys[0], below, query)
        rows = np.lexsort(keys)
        taken = pa.array(rows)
        names = {
            "id": ("positive_id", "negative_id"),
            "text": ("positive", "negative"),
            "score": ("score", "score"),
        }
        columns = {
            name: pa.chunked_array(
                [*self.positives[above].chunks, *self.negatives[below].chunks]
            ).take(taken)
            for name, (above, below) in names.items()
        }
        grade = pa.concat_arrays(
            [
                self.positives["grade"].combine_chunks().cast(pa.float32()),
                pa.nulls(self.negatives.num_rows, pa.float32()),
            ]
        ).take(taken)
        return Documents(
            pa.table({**columns, "grade": grade}),
            query[rows],
            rows < self.positives.num_rows,
            np.r_[0, np.cumsum(counts[0] + counts[1])],
            rows,
        )

    def take(self, rows: np.ndarray) -> "QueryBlock":
        """The same queries with some of their negatives: row numbers, query by query."""
        return QueryBlock(self.negatives.take(pa.array(rows)), self.positives)

    def where(self, chosen: np.ndarray) -> "QueryBlock":
        """The queries of a mask, (q,) bool."""
        return QueryBlock(
            self.negatives.filter(pa.array(np.repeat(chosen, self.counts))),
            self.positives.filter(pa.array(np.repeat(chosen, self.positive_counts))),
        )

    def pairs(self) -> Iterator[Pairing]:
        """Every positive of a query with every negative of it, a bounded number at a time.

        By query; within it the best positive comes first, with the hardest negative first.
        """
        sizes = self.positive_counts * self.counts
        ends = np.cumsum(sizes)
        for start in range(0, int(sizes.sum()), ROWS):
            row = np.arange(start, min(start + ROWS, int(ends[-1])))
            query = np.searchsorted(ends, row, side="right")
            local = row - (ends - sizes)[query]
            yield from self._cut(
                query,
                self.positive_starts[query] + local // self.counts[query],
                self.starts[query] + local % self.counts[query],
            )

    def tuples(self, width: int) -> Iterator[Pairing]:
        """Every positive of a query with its first `width` negatives, repeated where it has fewer.

        `negative` is (r, width).
        """
        query = np.repeat(np.arange(len(self.counts)), self.positive_counts)
        step = max(1, ROWS // (width + 1))
        for start in range(0, len(query), step):
            mine = query[start : start + step]
            first, count = self.starts[mine][:, None], self.counts[mine][:, None]
            negative = first + np.arange(width)[None, :] % count
            yield from self._cut(mine, np.arange(start, start + len(mine)), negative)

    def _cut(
        self, query: np.ndarray, positive: np.ndarray, negative: np.ndarray
    ) -> Iterator[Pairing]:
        """The rows in pieces of at most TEXT_BYTES, or of one row."""
        lengths = [
            _bytes(column)
            for column in (self.texts, self.positives["positive"], self.negatives["negative"])
        ]
        beside = lengths[2][negative].reshape(len(query), -1).sum(axis=1)
        size = np.cumsum(lengths[0][query] + lengths[1][positive] + beside)
        piece = size // TEXT_BYTES
        for rows in np.split(np.arange(len(query)), np.flatnonzero(np.diff(piece)) + 1):
            yield Pairing(query[rows], positive[rows], negative[rows])


def _bytes(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return pc.binary_length(texts).to_numpy().astype(np.int64)
