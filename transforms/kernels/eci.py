"""ECI, the capacity/safety metric of a negative set (arXiv 2603.20990), in its two forms."""

import math
from dataclasses import dataclass

import numpy as np

from negmine.transforms.kernels.threads import one_thread

TEMPERATURE = 0.05
"""Of the target consistency in `semantic_weights`; reconstructed, the paper's was not found."""


def harmonic_mean(signal: float, safety: float) -> float:
    """Harmonic mean 2 S D / (S + D) of two terms clipped at 0; 0 where either is 0."""
    signal, safety = max(0.0, signal), max(0.0, safety)
    return 2 * signal * safety / (signal + safety) if signal > 0 and safety > 0 else 0.0


def eci(size: float, signal: float, safety: float) -> float:
    """ECI = ln(1 + N) * 2 S D / (S + D).

    Args:
        size: N, negatives per query.
        signal: S, mean cosine of query and negative; clipped at 0.
        safety: D (Delta), mean margin of the positive over the negative; clipped at 0.

    The outer formula reproduces Table 1 of arXiv 2603.20990 v1 within input rounding. The inner
    terms are a reconstruction, see `query_terms`. Never the only number to look at: at equal N it
    rewards easier negatives, and it grows with N alone.

    Raises:
        ValueError: if `size` is negative.
    """
    if size < 0:
        raise ValueError(f"size is {size}; a negative set has 0 or more negatives")
    return math.log1p(size) * harmonic_mean(signal, safety)


@dataclass(frozen=True)
class SetTerms:
    """Per-query ECI terms, each (queries,): `size` int64, the rest float64."""

    size: np.ndarray
    signal: np.ndarray
    safety: np.ndarray
    harmonic_mean: np.ndarray
    eci: np.ndarray


def query_terms(
    query: np.ndarray, negative: np.ndarray, positive: np.ndarray, queries: int
) -> SetTerms:
    """ECI terms of each query's negative set.

    Args:
        query: (n,) int64, 0 .. queries-1, the query of each negative.
        negative: (n,) student cosine of query and negative.
        positive: (n,) student cosine of the same query and its served positive.
        queries: number of queries; one without negatives gets zeros.

    S is the mean of cos(q, n) and D the mean of max(0, cos(q, d+) - cos(q, n)). Both are
    reconstructed from the paper's table (S + D is nearly constant there), not read in it.
    """
    size = np.bincount(query, minlength=queries)
    count = np.maximum(size, 1)
    negative = np.asarray(negative, dtype=np.float64)
    margin = np.maximum(0.0, np.asarray(positive, dtype=np.float64) - negative)
    signal = np.bincount(query, weights=negative, minlength=queries) / count
    safety = np.bincount(query, weights=margin, minlength=queries) / count
    return set_terms(size, signal, safety)


def set_terms(size: np.ndarray, signal: np.ndarray, safety: np.ndarray) -> SetTerms:
    """Terms of negative sets whose N, S and D are known, each (queries,)."""
    clipped = np.maximum(signal, 0.0)
    total = clipped + safety
    mean = np.divide(2 * clipped * safety, total, out=np.zeros_like(total), where=total > 0)
    return SetTerms(size, signal, safety, mean, np.log1p(size) * mean)


def summarise(terms: SetTerms) -> dict[str, float]:
    """ECI of a run from its queries' terms: mean S and D over queries, N the median set size.

    Queries without negatives are left out. Returns eci, signal, safety, harmonic_mean, negatives
    (the median N) and queries (how many were counted).
    """
    used = terms.size > 0
    if not used.any():
        return dict.fromkeys(
            ("eci", "signal", "safety", "harmonic_mean", "negatives", "queries"), 0.0
        )
    size = float(np.median(terms.size[used]))
    signal, safety = float(terms.signal[used].mean()), float(terms.safety[used].mean())
    return {
        "eci": eci(size, signal, safety),
        "signal": signal,
        "safety": safety,
        "harmonic_mean": harmonic_mean(signal, safety),
        "negatives": size,
        "queries": float(used.sum()),
    }


@dataclass(frozen=True)
class SemanticWeights:
    """What a negative weighs in `eci_sem_recon`, each (n,) float64 in [0, 1]."""

    consistency: np.ndarray
    locality: np.ndarray
    residuality: np.ndarray

    @property
    def weight(self) -> np.ndarray:
        """w = c l r."""
        return self.consistency * self.locality * self.residuality


def semantic_weights(
    positive: np.ndarray,
    negative: np.ndarray,
    residuality: np.ndarray,
    temperature: float = TEMPERATURE,
) -> SemanticWeights:
    """Weights of the triples (q, d+, n).

    Args:
        positive: (n,) s+ = cos(q, d+); negative: (n,) s- = cos(q, n).
        residuality: (n,) r, see `transforms.kernels.measures.residuality`.
        temperature: tau.

    c = sigmoid((s+ - s-) / tau), l = max(0, s-). That there is a target consistency with a
    temperature, a semantic locality and a lexical residuality with IDF weights is in the abstract
    of arXiv 2603.20990 v3. All three formulas, tau and the product are reconstructed.
    """
    margin = np.asarray(positive, dtype=np.float64) - negative
    consistency = np.exp(-np.logaddexp(0.0, -margin / temperature))
    locality = np.clip(np.asarray(negative, dtype=np.float64), 0.0, 1.0)
    return SemanticWeights(consistency, locality, np.asarray(residuality, dtype=np.float64))


@dataclass(frozen=True)
class SemanticCapacity:
    """`eci_sem_recon` with its parts; `score` is at most `trace`, the mean weight."""

    score: float
    trace: float
    participation_ratio: float


def eci_sem_recon(weight: np.ndarray, residual: np.ndarray) -> SemanticCapacity:
    """log det(I + M) of the weighted residual information matrix M = mean of w u u^T.

    Args:
        weight: (n,) w of each triple, not negative, see `semantic_weights`.
        residual: (n, d) u, the unit vector from d+ to n.

    A log-determinant of a weighted residual information matrix over triples is in the abstract of
    arXiv 2603.20990 v3. The residual n - d+, the mean over n and the identity are reconstructed
    from its Table 1, where a hybrid scores about the mean of its two sources; so this is named a
    reconstruction and is not to be quoted as the paper's number. As the trace dominates, diversity
    hardly shows in the score: `participation_ratio`, (tr M)^2 / tr(M^2), is that without scale, 1
    where all residuals are parallel, and 0 where nothing has weight.
    """
    count, width = residual.shape
    scaled = residual * np.sqrt(np.asarray(weight, dtype=np.float64))[:, None]
    with one_thread():
        information = scaled.T @ scaled / max(count, 1)
        score = float(np.linalg.slogdet(np.eye(width) + information)[1])
    trace, squares = float(np.trace(information)), float((information**2).sum())
    return SemanticCapacity(score, trace, trace**2 / squares if squares > 0 else 0.0)
