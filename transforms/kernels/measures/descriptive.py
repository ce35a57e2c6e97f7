"""Descriptive statistics of scores and counts."""

import numpy as np

_Z = 1.959963984540054


def describe(values: np.ndarray) -> dict[str, float]:
    """Count, mean, median, std (of a sample), min, quartiles (linear) and max of (n,) values.

    Empty where there are none.
    """
    if not len(values):
        return {}
    values = np.sort(values.astype(np.float64))
    q25, median, q75 = np.percentile(values, [25, 50, 75])
    return {
        "count": float(len(values)),
        "mean": float(values.mean()),
        "median": float(median),
        "std": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        "min": float(values[0]),
        "q25": float(q25),
        "q75": float(q75),
        "max": float(values[-1]),
    }


def gini(counts: np.ndarray) -> float:
    """Gini coefficient of (n,) positive counts: 0 all equal, towards 1 one holds all.

    Half the relative mean absolute difference, 2 sum(i x_i) / (n sum x) - (n + 1) / n with x
    ascending and i from 1. NaN where there are none.
    """
    if not len(counts):
        return float("nan")
    ascending = np.sort(counts).astype(np.float64)
    n = len(ascending)
    place = np.arange(1, n + 1)
    return float(2 * (place * ascending).sum() / (n * ascending.sum()) - (n + 1) / n)


def effective_count(scores: np.ndarray, group: np.ndarray, temperature: float) -> np.ndarray:
    """How many of a group's members share the softmax of their scores: 1 / sum p^2.

    Args:
        scores: (n,); group: (n,) int64 from 0, every group has a member.
        temperature: scores are divided by it.

    Returns:
        (groups,) float64, from 1 to the group's size (Kish's effective sample size).
    """
    logits = scores.astype(np.float64) / temperature
    highest = np.full(int(group.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(highest, group, logits)
    weight = np.exp(logits - highest[group])
    return np.asarray(np.bincount(group, weight) ** 2 / np.bincount(group, weight**2))


def auc_interval(auc: float, positives: int, negatives: int) -> tuple[float, float]:
    """95 % interval of an AUC (Hanley and McNeil, Radiology 143:29, 1982), pairs independent."""
    above, below = auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2
    spread = auc * (1 - auc) + (positives - 1) * above + (negatives - 1) * below
    half = _Z * float(np.sqrt(max(spread, 0.0) / max(positives * negatives, 1)))
    return max(0.0, auc - half), min(1.0, auc + half)
