"""Weights of chosen negatives: inverse propensity, focal, and the chance of a true negative."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.choosing.calibration import Calibration

BINS = (5, 5, 3)
"""Of surface similarity, cosine and difference in length."""
LEAST, MOST = 0.1, 10.0
"""Between which an inverse propensity is kept."""
_TAILS = (0.05, 0.1, 0.2, 0.3)
_LARGEST = 60.0


@dataclass(frozen=True)
class Features:
    """What a negative is weighed by, all arrays (n,).

    Attributes:
        surface: share of the query's terms, by IDF, that the document holds, in [0, 1].
        cosine: of query and document.
        length: |log((1 + terms of the document) / (1 + terms of the positive))|.
    """

    surface: np.ndarray
    cosine: np.ndarray
    length: np.ndarray


@dataclass(frozen=True)
class Cells:
    """Inverse propensities of 5 x 5 x 3 cells of surface similarity, cosine and length.

    Our reconstruction of the weights of DebCSE (arXiv 2309.07396), whose propensities are not
    published: a cell's weight is pi_target / pi_observed, clipped to [0.1, 10]. pi_observed is
    its share of the chosen negatives, pi_target the same for every cell that holds one. So kinds
    of negatives that mining favours count less, and before the clip the mean weight is 1.

    Attributes:
        edges: inner limits of the bins of each feature, ascending.
        chosen: (75,) int64, chosen negatives in each cell.
        open: (75,) int64, sampled candidates that no policy dropped, chosen ones among them.
    """

    edges: tuple[np.ndarray, np.ndarray, np.ndarray]
    chosen: np.ndarray
    open: np.ndarray

    @classmethod
    def of(cls, candidates: Features, chosen: Features) -> "Cells":
        """Bins of about as many candidates each, by quantiles; equal values share one."""
        names = ("surface", "cosine", "length")
        edges = [
            np.quantile(getattr(candidates, name), np.arange(1, bins) / bins, method="lower")
            if len(candidates.surface)
            else np.zeros(bins - 1)
            for name, bins in zip(names, BINS, strict=True)
        ]
        limits = (edges[0], edges[1], edges[2])
        counts = [
            np.bincount(cell_of(limits, each), minlength=int(np.prod(BINS)))
            for each in (chosen, candidates)
        ]
        return cls(limits, counts[0], counts[1])

    @property
    def weights(self) -> np.ndarray:
        """(75,) float64; 1 where nothing was chosen."""
        held = self.chosen > 0
        target = 1 / max(int(held.sum()), 1)
        share = self.chosen / max(int(self.chosen.sum()), 1)
        ratio = np.divide(target, share, out=np.ones(len(share)), where=held)
        return np.clip(ratio, LEAST, MOST)

    def weigh(self, features: Features) -> np.ndarray:
        """Weight of each negative, (n,) float64."""
        return np.asarray(self.weights[cell_of(self.edges, features)])


def cell_of(edges: tuple[np.ndarray, np.ndarray, np.ndarray], features: Features) -> np.ndarray:
    """Number of each one's cell, (n,) int64: surface first, length last. A NaN is in bin 0."""
    values = (features.surface, features.cosine, features.length)
    bins = [
        np.searchsorted(edge, np.nan_to_num(value, nan=-np.inf), side="left")
        for edge, value in zip(edges, values, strict=True)
    ]
    return np.ravel_multi_index((bins[0], bins[1], bins[2]), BINS)


def focal(
    dense: np.ndarray, positive_dense: np.ndarray, gamma: float, temperature: float
) -> np.ndarray:
    """(1 - p)^gamma, p the student's own probability that positive and negative stand right.

    The focal loss's factor (Lin et al., arXiv 1708.02002, equation 4) with
    p = sigmoid((s+ - s-) / temperature): what the student has right already counts less.

    Args:
        dense, positive_dense: (n,) its similarities of the query to negative and positive.
        gamma: 0 = all alike; the paper's is 2.
        temperature: of the similarities.

    Returns:
        (n,) float64 in [0, 1].
    """
    gap = (dense.astype(np.float64) - positive_dense) / temperature
    return np.asarray((1 / (1 + np.exp(-np.clip(gap, -_LARGEST, _LARGEST)))) ** gamma)


@dataclass(frozen=True)
class PositiveOdds:
    """pi, the probability that a candidate is a positive nobody labelled, by its judge score.

    pi = prior f+ / f: f+ is the density of the known positives' scores, f that of the candidates'
    (Elkan and Noto, KDD 2008: unlabelled positives score as labelled ones do). Their ratio is read
    off an isotonic regression of which of the two a score is of, both weighing the same (Zadrozny
    and Elkan, KDD 2002). The prior is the least of (share of the candidates) / (share of the
    positives) above a score (Blanchard, Lee and Scott, JMLR 11, 2010).

    Attributes:
        scores: (k,) float64 ascending, where the ratio steps up.
        ratios: (k,) float64 ascending, f+ / f from each score on.
        prior: unlabelled positives per candidate, at most about this, in [0, 1].
    """

    scores: np.ndarray
    ratios: np.ndarray
    prior: float

    @classmethod
    def of(cls, query: np.ndarray, positives: np.ndarray, candidates: np.ndarray) -> "PositiveOdds":
        """Fit to judge scores of known positives (p,), of `query` (p,), and of candidates (c,).

        Without either class pi is 0.
        """
        if not len(positives) or not len(candidates):
            return cls(np.empty(0), np.empty(0), 0.0)
        calibration = Calibration.of(query, positives)
        shares = []
        for tail in _TAILS:
            limit = calibration.threshold(tail)
            reached = float(calibration.weights[calibration.scores >= limit].sum())
            shares.append(float((candidates >= limit).mean()) / reached)
        scores, place = np.unique(np.concatenate([positives, candidates]), return_inverse=True)
        labelled = np.arange(len(place)) < len(positives)
        own = np.bincount(place[labelled], minlength=len(scores)) / len(positives)
        other = np.bincount(place[~labelled], minlength=len(scores)) / len(candidates)
        from scipy.optimize import isotonic_regression  # 0.3 s to import, and few runs weigh

        fitted = isotonic_regression(own / (own + other), weights=own + other)
        first = fitted.blocks[:-1]
        share = np.clip(fitted.x[first], 0.0, 1 - 1e-12)
        return cls(scores[first].astype(np.float64), share / (1 - share), min(1.0, *shares))

    def probability(self, judge: np.ndarray) -> np.ndarray:
        """pi of each score, (n,) float64 in [0, 1]; the prior where it is NaN."""
        if not len(self.scores):
            return np.zeros(len(judge))
        step = np.maximum(np.searchsorted(self.scores, judge, side="right") - 1, 0)
        ratio = np.where(np.isnan(judge), 1.0, self.ratios[step])
        return np.asarray(np.clip(self.prior * ratio, 0.0, 1.0))
