"""How likely a candidate is a positive, by its judge score: known positives against random ones."""

from dataclasses import dataclass

import numpy as np

_STEPS = 100
_RIDGE = 1e-3
_STEEPEST = 60.0


@dataclass(frozen=True)
class Odds:
    """Log odds that a pair is a positive, at even prior odds: `slope * score + intercept`.

    A logistic regression of the known positives' judge scores against those of random documents,
    both classes weighing the same, so that it is a log likelihood ratio. Any prior is added to it.
    `slope` is 0 or more: a judge that scores positives below random documents says nothing.
    """

    slope: float
    intercept: float

    @classmethod
    def of(
        cls, positives: np.ndarray, random: np.ndarray, weights: np.ndarray | None = None
    ) -> "Odds":
        """Fit the odds.

        Args:
            positives: (p,) judge scores of known positives.
            random: (r,) judge scores of random documents for the same queries.
            weights: (p,) of the positives; None = all alike.

        Returns:
            Odds; both numbers 0 where a class is empty or no score varies.
        """
        score = np.concatenate([positives, random]).astype(np.float64)
        if not len(positives) or not len(random) or np.ptp(score) < 1e-12:
            return cls(0.0, 0.0)
        own = np.ones(len(positives)) if weights is None else weights.astype(np.float64)
        weight = np.concatenate([own / own.sum(), np.full(len(random), 1 / len(random))]) / 2
        positive = np.arange(len(score)) < len(positives)
        # Platt's targets keep the slope finite where one score separates the classes.
        target = np.where(positive, 1 - 1 / (len(positives) + 2), 1 / (len(random) + 2))
        centre, spread = weight @ score, np.sqrt(weight @ (score - weight @ score) ** 2)
        standard = (score - centre) / spread
        a, b = _logistic(standard, target, weight)
        slope = max(a, 0.0) / spread
        return cls(float(slope), float(b - slope * centre) if slope else 0.0)

    def log_odds(self, scores: np.ndarray, prior: float = 0.5) -> np.ndarray:
        """Log odds of each score, (n,) float64, where `prior` of all pairs are positives."""
        return self.slope * scores.astype(np.float64) + self.intercept + _logit(prior)

    def threshold(self, probability: float, prior: float) -> float:
        """The score at which a pair is a positive with this probability; inf where none is."""
        if self.slope <= 0:
            return float("inf")
        return float((_logit(probability) - _logit(prior) - self.intercept) / self.slope)


def _logit(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))


def _logistic(x: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Slope and intercept by Newton's method with a small ridge; `weight` sums to 1."""
    found = np.array([1.0, 0.0])
    design = np.stack([x, np.ones_like(x)], axis=1)
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ found, -_STEEPEST, _STEEPEST)))
        slope = design.T @ (weight * (p - target)) + _RIDGE * found * [1, 0]
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curve, slope)
        found = found - step
        if np.abs(step).max() < 1e-10:
            break
    return float(found[0]), float(found[1])
