"""Calibration: a judge's scores read against its own scores of the known positives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from negmine.transforms.kernels.languages import Languages, code_of

SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)
"""Shares of the positives whose thresholds are printed and kept in the manifest."""


QUERIES = 30
"""Queries with a known positive that a language has a threshold of its own from: the share of
positives above a threshold read off as many has a standard error of 9 points at one half."""


@dataclass(frozen=True)
class Calibration:
    """Empirical distribution of a judge's scores of the known positives.

    Every query counts once, however many positives it has: each score weighs one over the number
    of its query's positives.

    Attributes:
        scores: (p,) float64 ascending.
        weights: (p,) float64, sum 1; empty where there are no positives.
        languages: the same of the queries in one language, by its code, for those with QUERIES.
    """

    scores: np.ndarray
    weights: np.ndarray
    languages: Mapping[str, "Calibration"] = field(default_factory=dict)

    @classmethod
    def of(
        cls, query: np.ndarray, scores: np.ndarray, language: np.ndarray | None = None
    ) -> "Calibration":
        """From the positives' queries (p,) int64 from 0 and judge scores (p,).

        `language`, (p,) int32, is that of the query as `kernels.languages` numbers it.
        """
        if not len(query):
            return cls(np.empty(0), np.empty(0))
        weights = 1.0 / np.bincount(query)[query]
        order = np.lexsort((weights, scores))
        found: dict[str, Calibration] = {}
        for number in [] if language is None else np.unique(language[language > 0]):
            rows = language == number
            queries, own = np.unique(query[rows], return_inverse=True)
            if len(queries) >= QUERIES:
                found[str(code_of(number))] = cls.of(own, scores[rows])
        return cls(scores.astype(np.float64)[order], weights[order] / weights.sum(), found)

    def threshold(self, positives_above: float) -> float:
        """The highest score that at least this share of the positives reaches.

        -inf where there are no positives to read it from, so that nothing passes for safe.
        """
        if not len(self.scores):
            return float("-inf")
        # One query's positives at 5 and 9, another's at 7: weights 1/4, 1/4 and 1/2. From above, 9
        # gathers 1/4 and 7 another 1/2, so the threshold that half of the positives reach is 7.
        reached = np.cumsum(self.weights[::-1])[::-1]
        enough = np.flatnonzero(reached >= positives_above - 1e-9)
        return float(self.scores[enough[-1]] if len(enough) else self.scores[0])

    def by_language(self, positives_above: float) -> dict[str, float]:
        """`threshold` of each language that has queries enough, by its code."""
        return {code: own.threshold(positives_above) for code, own in self.languages.items()}

    def thresholds(self, shares: Sequence[float] = SHARES) -> dict[str, float]:
        """Threshold of each share, by the share as a percentage."""
        return {f"{share:.0%}": self.threshold(share) for share in shares}

    def share_below(self, scores: np.ndarray) -> np.ndarray:
        """Share of the positives scored below each score, (n,) float32 in [0, 1]; NaN stays."""
        below = np.r_[0.0, np.cumsum(self.weights)]
        found = below[np.searchsorted(self.scores, scores, side="left")]
        return np.where(np.isnan(scores), np.nan, np.minimum(found, 1.0)).astype(np.float32)


def calibration_of(
    query_ix: np.ndarray, scores: np.ndarray, languages: Languages | None
) -> Calibration:
    """Calibration from the positives' queries, positions (p,), and judge scores (p,)."""
    _, query = np.unique(query_ix, return_inverse=True)
    own = None if languages is None else languages.queries[query_ix]
    return Calibration.of(query, scores, own)
