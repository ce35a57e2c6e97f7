"""Scores that exist already: another judge's artifact, or a file of somebody else's scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from negmine.schemas.errors import DataError
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.protocol import BlockJudge, BlockPairs, Scorer
from negmine.transforms.kernels.search.candidates import pair_keys


@dataclass(frozen=True)
class ArtifactScores:
    """Scores of a data set with `query_ix`, `doc_ix`, `judge_score`; pairs it lacks fall back.

    Attributes:
        dataset: sorted by query_ix, null where a pair has no score.
        fallback: judge of the pairs without one, on the same scale; None = they are an error.
        name: what to call the scores in an error.
        partial: leave the scores of pairs without one NaN; for samples.
        beside: further scores by name, kept beside the judge's and compared with nothing.
    """

    dataset: Dataset
    fallback: BlockJudge | None = None
    name: str = "the stored scores"
    partial: bool = False
    beside: tuple[tuple[str, Dataset], ...] = ()

    @property
    def lazy(self) -> bool:
        return self.fallback is not None and self.fallback.lazy

    def bind(self, rows: BlockPairs) -> Scorer:
        return _Scorer(self, rows)


class _Scorer:
    def __init__(self, judge: ArtifactScores, rows: BlockPairs) -> None:
        self.judge = judge
        self.rows = rows
        self.known = _lookup(judge.dataset, rows)
        self.fallback = judge.fallback.bind(rows) if judge.fallback else None
        self.beside = {name: _lookup(dataset, rows) for name, dataset in judge.beside}

    @property
    def parts(self) -> Mapping[str, np.ndarray]:
        """What the fallback's scores are made of, and the scores beside."""
        inner = self.fallback.parts if self.fallback else {}
        return {**inner, **self.beside} if self.beside else inner

    def score(self, rows: np.ndarray) -> np.ndarray:
        scores = self.known[rows]
        missing = np.flatnonzero(np.isnan(scores))
        if len(missing) and not self.judge.partial:
            if self.fallback is None:
                raise self._unknown(rows[missing])
            scores[missing] = self.fallback.score(rows[missing])
        return scores

    def _unknown(self, rows: np.ndarray) -> DataError:
        candidates, collection = self.rows.candidates, self.rows.collection
        (query,) = binary_column(collection.queries, "query_id").texts(
            candidates.query_ix[rows[:1]]
        )
        (document,) = binary_column(collection.documents, "doc_id").texts(
            candidates.doc_ix[rows[:1]]
        )
        return DataError(
            f"{self.judge.name} lack {len(rows):,} pairs that are needed, first query {query!r} "
            f"with document {document!r}; add them, or set judge.fallback to a judge for the rest"
        )

    def close(self) -> None:
        if self.fallback is not None:
            self.fallback.close()


def _lookup(dataset: Dataset, rows: BlockPairs) -> np.ndarray:
    """Scores of the rows, (n,) float32, NaN where the data set has none."""
    known = np.full(len(rows), np.nan, dtype=np.float32)
    if not len(rows):
        return known
    documents = len(array_column(rows.collection.documents, "text_key"))
    table = dataset.read_queries(rows.block, ["doc_ix", "judge_score"])
    table = table.filter(pc.is_valid(table.column("judge_score")))
    query_ix, doc_ix, scores = (column.to_numpy() for column in table.columns)
    mine = pair_keys(rows.candidates.query_ix, rows.candidates.doc_ix, documents)
    theirs = pair_keys(query_ix, doc_ix, documents)
    _, here, there = np.intersect1d(mine, theirs, True, return_indices=True)
    known[here] = scores[there]
    return known
