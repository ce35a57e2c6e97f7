"""Calibration: a judge's scores read against its own scores of the known positives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHARES = (0.5, 0.8, 0.9, 0.95, 0.99)
"""Shares of the positives whose thresholds are printed and kept in the manifest."""


@dataclass(frozen=True)
class Calibration:
    """Empirical distribution of a judge's scores of the known positives.

    Every query counts once, however many positives it has: each score weighs one over the number
    of its query's positives.

    Attributes:
        scores: (p,) float64 ascending.
        weights: (p,) float64, sum 1; empty where there are no positives.
    """

    scores: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, query: np.ndarray, scores: np.ndarray) -> "Calibration":
        """From the positives' queries (p,) int64 from 0 and judge scores (p,)."""
        if not len(query):
            return cls(np.empty(0), np.empty(0))
        weights = 1.0 / np.bincount(query)[query]
        order = np.lexsort((weights, scores))
        return cls(scores.astype(np.float64)[order], weights[order] / weights.sum())

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

    def thresholds(self, shares: Sequence[float] = SHARES) -> dict[str, float]:
        """Threshold of each share, by the share as a percentage."""
        return {f"{share:.0%}": self.threshold(share) for share in shares}

    def share_below(self, scores: np.ndarray) -> np.ndarray:
        """Share of the positives scored below each score, (n,) float32 in [0, 1]; NaN stays."""
        below = np.r_[0.0, np.cumsum(self.weights)]
        found = below[np.searchsorted(self.scores, scores, side="left")]
        return np.where(np.isnan(scores), np.nan, np.minimum(found, 1.0)).astype(np.float32)
