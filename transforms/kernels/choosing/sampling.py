"""Sampling: in which order the candidates of a band are tried, as one number for each pair."""

import numpy as np

from negmine.schemas.config import Sampling
from negmine.schemas.sources import RETRIEVING
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.groups import z_scores
from negmine.transforms.kernels.hashing import mix

_LARGEST_ANGLE = np.deg2rad(60)
_NEVER = -1e6
_FUSION = 10.0


def preference(pairs: Pairs, served: np.ndarray, sampling: Sampling, seed: int) -> np.ndarray:
    """How early each pair is tried, (n,) float64; higher is earlier.

    Random methods draw without replacement by the Gumbel top-k trick (Kool et al., arXiv
    1903.06059): log weight plus Gumbel noise, which is a keyed hash of seed, query and document,
    so that the draw depends on nothing else. No method reads the judge's scores, which is what
    lets a judge confirm in this order and stop.

    Args:
        pairs: a block's pairs.
        served: (queries,) row of each query's served positive.
        sampling: method and its settings.
        seed: keys the draws.
    """
    dense = pairs.dense.astype(np.float64)
    match sampling.method:
        case "fused":
            return fused(pairs)
        case "uniform":
            return gumbel(pairs.pair_key, seed)
        case "softmax":
            return dense / sampling.temperature + gumbel(pairs.pair_key, seed)
        case "simans":
            standard = z_scores(dense, pairs.query, _counted(pairs))
            at_positive = standard[served[pairs.query]]
            weight = simans(standard, at_positive, sampling.simans_a, sampling.simans_b)
            return weight + gumbel(pairs.pair_key, seed)
        case "trisampler":
            cosine = pairs.cosine.astype(np.float64)
            weight = trisampler(cosine, cosine[served[pairs.query]], pairs.positive_cosine)
            return weight + gumbel(pairs.pair_key, seed)
        case "contrast":
            return contrast(pairs, sampling.lexical_weight)
        case _:
            return dense


def fused(pairs: Pairs) -> np.ndarray:
    """What the sources that retrieve place highest: the sum of 1 / (10 + rank) over them.

    Reciprocal rank fusion (Cormack et al., SIGIR 2009), whose constant of 60 is for long lists;
    with 10 the head counts for more. A source that did not return the pair adds nothing. Words
    and vectors err on different documents, and a student learns from both: measured in
    docs/gain.md.
    """
    found = np.zeros(len(pairs.query))
    for source in RETRIEVING:
        rank = pairs.ranks[source].astype(np.float64)
        found += np.where(rank > 0, 1 / (_FUSION + rank), 0.0)
    return found


def _counted(pairs: Pairs) -> np.ndarray:
    """(n,) bool: pairs that say what is usual for their query."""
    return pairs.retrieved & ~np.isnan(pairs.dense)


def gumbel(pair_key: np.ndarray, seed: int) -> np.ndarray:
    """Standard Gumbel noise of each pair, (n,) float64, by keyed hash."""
    uniform = (mix(seed, pair_key) >> np.uint64(11)).astype(np.float64) + 0.5
    return np.asarray(-np.log(-np.log(uniform * 2.0**-53)))


def simans(dense: np.ndarray, positive: np.ndarray, a: float, b: float) -> np.ndarray:
    """Log weights of SimANS, -a (s- - s+ + b)^2 (Zhou et al., arXiv 2210.11899, equation 4).

    Its scores are unbounded dot products; here both are z-scores within the query, which gives the
    same `a` a meaning under any encoder. `b` is how far below the positive the target lies.
    """
    return np.asarray(-a * (dense - positive + b) ** 2)


def trisampler(cosine: np.ndarray, positive: np.ndarray, to_positive: np.ndarray) -> np.ndarray:
    """Log weights after TriSampler (arXiv 2402.11855): the triangle of query, positive, negative.

    exp(-(s- - s+)^2 / 4) times ReLU(cos(d+, n) - cos(q, n)), never where the angles of query to
    positive and query to negative differ by more than 60 degrees.
    """
    angles = [np.arccos(np.clip(side, -1, 1)) for side in (cosine, positive)]
    apart = np.abs(angles[0] - angles[1]) > _LARGEST_ANGLE
    triangle = np.log(np.maximum(to_positive.astype(np.float64) - cosine, 1e-6))
    return np.asarray(-((cosine - positive) ** 2) / 4 + triangle + np.where(apart, _NEVER, 0.0))


def contrast(pairs: Pairs, lexical_weight: float) -> np.ndarray:
    """Hard for the student, yet not what lies around the positive.

    -z(2 cos(d+, n) - r(n)) + lexical_weight z(BM25), where r(n) is the mean cosine of n to its 5
    nearest among the query's candidates. The first term is CSLS (Conneau et al., arXiv 1710.04087,
    section 2.3) between negative and positive, without the positive's own constant: a document
    much nearer to the positive than its neighbourhood explains is likely a positive that nobody
    labelled. The second keeps word overlap from telling negatives from positives, a shortcut that
    a model would learn. Measured in docs/sampling.md.
    """
    # Two candidates at cosine .7 to the positive: one in a crowd whose mean cosine is .6 has local
    # 1.4 - .6 = .8, one that stands alone at .2 has 1.2. The second is suspiciously near: it is
    # tried later.
    local = 2.0 * pairs.positive_cosine.astype(np.float64) - pairs.neighbour_cosine
    standard = z_scores(local, pairs.query, _counted(pairs))
    if not lexical_weight:
        return -standard
    return lexical_weight * z_scores(pairs.bm25, pairs.query, _counted(pairs)) - standard
