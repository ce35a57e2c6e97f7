"""Lazy judging: waves of exactly the pairs that the choice of negatives depends on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from schemas.config import Tier
from schemas.policies import Policy
from transforms.kernels.policies import Pairs, decide
from transforms.kernels.tiers import choose


def judge_needed(
    pairs: Pairs,
    policies: Sequence[Policy],
    tiers: Mapping[str, Tier],
    score: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Judge scores of the positives and of the pairs that must be known, NaN for the rest.

    Each wave chooses as if every pair not judged yet were safe, and judges the ones chosen; it ends
    when all chosen are judged and safe. The choice then equals that of judging everything, for a
    pair that was not chosen never changes a choice that takes the first of an order.

    Args:
        pairs: a block's pairs; their `judge` is not looked at.
        policies, tiers: from the config.
        score: from row numbers (m,) to their judge scores (m,) float32, without NaN. It is asked
            for each row once, in waves pooled over the block's queries.

    Returns:
        (n,) float32.
    """
    judge = np.full(len(pairs.query), np.nan, dtype=np.float32)
    wanted = np.flatnonzero(pairs.is_positive)
    while len(wanted):
        judge[wanted] = score(wanted)
        known = replace(pairs, judge=judge)
        chosen = choose(known, decide(known, policies).policy < 0, tiers).tier >= 0
        wanted = np.flatnonzero(chosen & np.isnan(judge))
    return judge
