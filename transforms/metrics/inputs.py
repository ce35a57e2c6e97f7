"""What the metrics are computed from: arrays of negatives, and data sets to look things up in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from negmine.schemas.selection import Selection
from negmine.schemas.sources import MADE
from negmine.transforms.choosing.weigh import Weigher
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.candidates import pair_keys
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.bm25 import Bm25Scorer


class Scope(NamedTuple):
    """Negatives of one tier and source, None for all of them: `rows` are positions, ascending."""

    tier: str | None
    source: str | None
    rows: np.ndarray


@dataclass(frozen=True)
class Negatives:
    """Triples of query, positive and negative, sorted by query_ix and doc_ix; arrays (n,).

    Attributes:
        query_ix, doc_ix, positive_ix: int64 positions; `positive_ix` is the positive served.
        dense, positive_dense: student's similarity of the query to negative and positive.
        cosine, served_cosine: cosine of the query with negative and positive; the same where the
            student's vectors have length 1.
        judge, positive_judge: judge's scores, NaN where a pair was not judged.
        tier: int64, number of its name in `tiers`.
        returned: (n, sources) bool, which of `sources` returned the negative.
        backfilled: bool, taken from another tier's band.
        known: bool, known to be negatives, by somebody's label or because an edit made them so.
        tiers, sources: their names.
        queries: how many the collection has, those without negatives too.
        quotas: negatives asked for by tier; empty where nobody asked for a number.
    """

    query_ix: np.ndarray
    doc_ix: np.ndarray
    positive_ix: np.ndarray
    dense: np.ndarray
    positive_dense: np.ndarray
    cosine: np.ndarray
    served_cosine: np.ndarray
    judge: np.ndarray
    positive_judge: np.ndarray
    tier: np.ndarray
    returned: np.ndarray
    backfilled: np.ndarray
    known: np.ndarray
    tiers: tuple[str, ...]
    sources: tuple[str, ...]
    queries: int
    quotas: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.query_ix)

    def take(self, rows: np.ndarray) -> "Negatives":
        """These rows, in their order."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        taken = {k: v[rows] for k, v in arrays.items() if isinstance(v, np.ndarray)}
        return replace(self, **taken)

    def in_order(self) -> "Negatives":
        """The same triples, sorted as the metrics need them."""
        return self.take(np.lexsort((self.positive_ix, self.doc_ix, self.query_ix)))

    def by_tier(self) -> list[Scope]:
        """All negatives, then each tier's."""
        named = [
            Scope(name, None, np.flatnonzero(self.tier == number))
            for number, name in enumerate(self.tiers)
        ]
        return [Scope(None, None, np.arange(len(self))), *named]

    def by_tier_and_source(self) -> list[Scope]:
        """Every combination of tier and source, None too, that holds negatives."""
        scopes = []
        for tier in self.by_tier():
            scopes.append(tier)
            for number, name in enumerate(self.sources):
                scopes.append(Scope(tier.tier, name, tier.rows[self.returned[tier.rows, number]]))
        return [scope for scope in scopes if len(scope.rows)]

    @property
    def made(self) -> np.ndarray:
        """(n,) bool: made from a positive, by an edit."""
        made = self.returned[:, [name in MADE for name in self.sources]]
        return np.asarray(made.any(axis=1))

    @cached_property
    def positive_keys(self) -> np.ndarray:
        """(n,) int64, one number for each pair of query and positive, ascending by query."""
        return pair_keys(self.query_ix, self.positive_ix, int(self.positive_ix.max(initial=0)) + 1)

    def served(self, rows: np.ndarray) -> np.ndarray:
        """Of these rows the first for each query and positive, ascending by `positive_keys`."""
        return rows[np.unique(self.positive_keys[rows], return_index=True)[1]]


@dataclass(frozen=True)
class CandidateCounts:
    """What became of the candidates, and how the sources overlap.

    Attributes:
        verdicts: candidates by verdict.
        sources: names of the sources that are on.
        overlap: (sources, sources) int64, pairs that both returned; the diagonal has each one's.
        overlap_10: the same, of their first ten.
        queries_found: queries for which each source returned something.
    """

    verdicts: Mapping[str, int]
    sources: tuple[str, ...]
    overlap: np.ndarray
    overlap_10: np.ndarray
    queries_found: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """Negatives and what is known around them; metrics that need what is missing are left out.

    Attributes:
        negatives: sorted, see `Negatives.in_order`.
        collection: documents, queries, positives and the student's vectors.
        bm25: terms and their weights, for the lexical metrics and `eci_sem_recon`.
        candidates: for verdicts and the overlap of sources.
        judged: `schemas.tables.JUDGED` (or VERDICTS), for the leak curve.
        selection: what negatives are chosen by, not calibrated, for the leak curve.
        seed: keys samples and draws.
        edits: `schemas.tables.MADE_EDITS`, where there are any.
        judge_auc: of a sample, by judge: AUC, its interval's ends, and queries.
        weigher: what weighs the negatives; None where nothing does.
    """

    negatives: Negatives
    collection: Collection
    bm25: Bm25Scorer | None = None
    candidates: CandidateCounts | None = None
    judged: Dataset | None = None
    selection: Selection | None = None
    seed: int = 0
    judge_auc: Mapping[str, tuple[float, float, float, int]] = field(default_factory=dict)
    weigher: Weigher | None = None
    edits: Dataset | None = None
