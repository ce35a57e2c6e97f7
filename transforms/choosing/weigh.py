"""Weigh negatives: what weights need to know of the whole run, and the weight of each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas.config import Weighting
from negmine.schemas.verdicts import Verdict
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.tiers import served_positive
from negmine.transforms.kernels.choosing.weighting import Cells, Features, PositiveOdds, focal
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.pairs.table import COLUMNS, to_pairs
from negmine.transforms.sources.bm25 import Bm25Scorer
from negmine.transforms.sources.lexicon import Lexicon

SAMPLE = 100_000
"""Candidates, and positives, that the weights are read from, drawn by keyed hash."""
_KEY = 0x576569676874
_OPEN = pa.array(map(str, (Verdict.KEPT, Verdict.OVER_QUOTA, Verdict.NOT_JUDGED)), pa.string())


@dataclass(frozen=True)
class Weighed:
    """Pairs that are weighed, all arrays (n,); `positive_*` are of the query's served positive.

    `known`: bool, known to be negatives, by somebody's label or because an edit made them so.
    """

    query_ix: np.ndarray
    doc_ix: np.ndarray
    positive_ix: np.ndarray
    cosine: np.ndarray
    dense: np.ndarray
    positive_dense: np.ndarray
    judge: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, query_ix: np.ndarray, pairs: Pairs, rows: np.ndarray) -> "Weighed":
        """Some rows of a block of pairs."""
        served = served_positive(pairs)[pairs.query[rows]]
        return cls(
            query_ix[rows],
            pairs.doc_ix[rows],
            pairs.doc_ix[served],
            pairs.cosine[rows],
            pairs.dense[rows],
            pairs.dense[served],
            pairs.judge[rows],
            pairs.confirmed_negative[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence["Weighed"]) -> "Weighed":
        """One after the other."""
        names = [f.name for f in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def take(self, rows: np.ndarray) -> "Weighed":
        """These rows, in their order."""
        return Weighed(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Weigher:
    """The weights of a run's negatives, picklable.

    Attributes:
        weighting: method and its settings.
        bm25: terms, for `inverse_propensity`.
        queries: their texts, for the same.
        cells: of `inverse_propensity`.
        odds: of `true_negative`.
        scale: brings the mean over the run's negatives to 1; 1 for `true_negative`, whose weights
            are probabilities.
    """

    weighting: Weighting
    bm25: Bm25Scorer
    queries: Dataset
    cells: Cells | None = None
    odds: PositiveOdds | None = None
    scale: float = 1.0

    def weigh(self, rows: Weighed) -> tuple[np.ndarray, np.ndarray]:
        """Weights (n,) float32, and surface similarities (n,) float32, NaN where not needed."""
        surface = np.full(len(rows.doc_ix), np.nan, dtype=np.float32)
        if self.cells is not None:
            features = features_of(Lexicon(self.bm25, self.queries), rows)
            surface, weight = features.surface, self.cells.weigh(features)
        elif self.odds is not None:
            weight = np.where(rows.known, 1.0, 1 - self.odds.probability(rows.judge))
        else:
            weight = _focal(self.weighting, rows)
        return (weight * self.scale).astype(np.float32), surface


def _focal(weighting: Weighting, rows: Weighed) -> np.ndarray:
    return focal(rows.dense, rows.positive_dense, weighting.gamma, weighting.temperature)


def features_of(lexicon: Lexicon, rows: Weighed) -> Features:
    """What inverse propensity goes by, of each pair."""
    lengths = [np.log1p(lexicon.lengths[ix]) for ix in (rows.doc_ix, rows.positive_ix)]
    surface = lexicon.overlap(rows.query_ix, rows.doc_ix)
    return Features(surface, rows.cosine, np.abs(lengths[0] - lengths[1]))


def read_weigher(
    verdicts: Dataset, weighting: Weighting, bm25: Bm25Scorer, queries: Dataset, seed: int
) -> Weigher | None:
    """What weighs a run's negatives, None where nothing does; reads `tables.VERDICTS` once.

    Memory holds the negatives, one part, and samples of SAMPLE rows. The same for any cut into
    parts: samples are the lowest keyed hashes, and sums are exact.
    """
    if weighting.method == "none":
        return None
    chosen, candidates, positives = [], _Lowest(), _Lowest()
    for table in verdicts.tables([*COLUMNS, "verdict"]):
        pairs = to_pairs(table)
        query_ix = table.column("query_ix").to_numpy()
        verdict = table.column("verdict")
        lot = mix(_KEY, seed, pairs.pair_key)
        kept = pc.indices_nonzero(pc.equal(verdict, str(Verdict.KEPT))).to_numpy()
        chosen.append(Weighed.of(query_ix, pairs, kept.astype(np.int64)))
        if weighting.method == "inverse_propensity":
            free = pc.is_in(verdict, value_set=_OPEN).to_numpy()
            candidates.add(lot, Weighed.of(query_ix, pairs, np.flatnonzero(free)), free)
        elif weighting.method == "true_negative":
            judged = ~np.isnan(pairs.judge)
            for sample, mask in (
                (positives, judged & pairs.is_positive),
                (candidates, judged & ~pairs.is_positive & ~pairs.confirmed_negative),
            ):
                sample.add(lot, Weighed.of(query_ix, pairs, np.flatnonzero(mask)), mask)
    every = Weighed.joined(chosen)
    match weighting.method:
        case "inverse_propensity":
            lexicon = Lexicon(bm25, queries)
            cells = Cells.of(features_of(lexicon, candidates.rows()), features_of(lexicon, every))
            mean = cells.chosen @ cells.weights / max(int(cells.chosen.sum()), 1)
            return Weigher(weighting, bm25, queries, cells, scale=1 / mean if mean else 1.0)
        case "true_negative":
            known_positives = positives.rows()
            _, query = np.unique(known_positives.query_ix, return_inverse=True)
            odds = PositiveOdds.of(query, known_positives.judge, candidates.rows().judge)
            return Weigher(weighting, bm25, queries, odds=odds)
    # Sums of whole numbers are the same in any order.
    total = int(np.rint(_focal(weighting, every) * 2.0**30).astype(np.int64).sum()) / 2.0**30
    return Weigher(weighting, bm25, queries, scale=len(every.doc_ix) / total if total else 1.0)


class _Lowest:
    """The SAMPLE rows of the lowest lots, in their order."""

    def __init__(self) -> None:
        self.lots: list[np.ndarray] = []
        self.parts: list[Weighed] = []

    def add(self, lot: np.ndarray, rows: Weighed, mask: np.ndarray) -> None:
        """Add the rows of a mask (n,) with their lots (n,)."""
        self.lots.append(lot[mask])
        self.parts.append(rows)
        if sum(map(len, self.lots)) > 2 * SAMPLE:
            self._cut()

    def _cut(self) -> None:
        lot, rows = np.concatenate(self.lots), Weighed.joined(self.parts)
        first = np.lexsort((rows.doc_ix, rows.query_ix, lot))[:SAMPLE]
        self.lots, self.parts = [lot[first]], [rows.take(first)]

    def rows(self) -> Weighed:
        """The sample."""
        self._cut()
        return self.parts[0]
