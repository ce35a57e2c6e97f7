"""Lazy judging: waves of exactly the pairs that the choice of negatives depends on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from negmine.schemas.selection import Selection
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.choosing.policies import decide
from negmine.transforms.kernels.choosing.tiers import choose


def judge_needed(
    pairs: Pairs,
    selection: Selection,
    documents: DocumentArrays,
    score: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Judge scores of the positives and of the pairs that must be known, NaN for the rest.

    Each wave chooses as if every pair not judged yet were safe, and judges the ones chosen; it ends
    when all chosen are judged and safe. The choice then equals that of judging everything: every
    step of choosing takes the first of an order, or the best given what was taken before, and a
    step whose winner is safe among more candidates has the same winner among fewer. Confirmed
    negatives are safe whatever the judge says: no wave waits for them, and those that end up chosen
    are judged after the last, so that no negative lacks a score.

    Args:
        pairs: a block's pairs; their `judge` is not looked at.
        selection: calibrated policies, tiers and sampling.
        documents: what choosing compares chosen negatives by.
        score: from row numbers (m,) to their judge scores (m,) float32, without NaN. It is asked
            for each row once, in waves pooled over the block's queries.

    Returns:
        (n,) float32.
    """
    # Two negatives wanted, tried in the order a b c d. The first wave judges the positives, the
    # second a and b. If b is dropped, the choice is now a and c: the third judges c alone. Where c
    # is safe nothing is left to judge, and d never is.
    judge = np.full(len(pairs.query), np.nan, dtype=np.float32)
    unscored = np.zeros(len(judge), dtype=bool)
    wanted = np.flatnonzero(pairs.is_positive)
    while len(wanted):
        judge[wanted] = score(wanted)
        known = replace(pairs, judge=judge)
        eligible = decide(known, selection.policies).policy < 0
        chosen = choose(known, eligible, selection, documents).tier >= 0
        unscored = chosen & np.isnan(judge)
        wanted = np.flatnonzero(unscored & ~pairs.confirmed_negative)
    if unscored.any():
        judge[unscored] = score(np.flatnonzero(unscored))
    return judge
