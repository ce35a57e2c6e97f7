"""Tiers: which safe candidates are chosen, in which band, and how short queries are backfilled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas.config import Tier
from transforms.kernels.policies import Pairs


@dataclass(frozen=True)
class Choice:
    """What became of each pair, all arrays (n,).

    `band` is the tier whose band takes the pair, `tier` the tier it was chosen for (both numbers,
    -1 for none), `rank` from 1 in its tier (0 unless chosen), `duplicate` marks a pair whose text
    an earlier eligible pair of the query has.
    """

    band: np.ndarray
    tier: np.ndarray
    rank: np.ndarray
    duplicate: np.ndarray


def served_positive(pairs: Pairs) -> np.ndarray:
    """Row of each query's served positive: highest judge score, then similarity, then position.

    Returns (queries,) int64; -1 for a query without a positive.
    """
    rows = np.flatnonzero(pairs.is_positive)
    judge = np.nan_to_num(pairs.judge[rows], nan=-np.inf)
    order = np.lexsort((pairs.doc_ix[rows], -pairs.dense[rows], -judge, pairs.query[rows]))
    queries, first = np.unique(pairs.query[rows][order], return_index=True)
    served = np.full(pairs.queries, -1, dtype=np.int64)
    served[queries] = rows[order][first]
    return served


def similarity_ratio(negative: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """s-/s+ for s+ > 0, and 1 - (s+ - s-)/|s+| throughout, which is the same and sign-safe."""
    positive = positive.astype(np.float64)
    scale = np.maximum(np.abs(positive), 1e-6)
    return 1.0 - (positive - negative.astype(np.float64)) / scale


def position_in_group(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal values of an array whose equal values adjoin."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    lengths = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups)) - np.repeat(starts, lengths)


def _bands(pairs: Pairs, ratio: np.ndarray, tiers: Sequence[Tier]) -> np.ndarray:
    band = np.full(len(pairs.query), -1, dtype=np.int64)
    for number, tier in reversed(list(enumerate(tiers))):
        inside = np.ones(len(band), dtype=bool)
        if tier.min_ratio is not None:
            inside &= ratio >= tier.min_ratio
        if tier.max_ratio is not None:
            inside &= ratio < tier.max_ratio
        if tier.source is not None:
            inside &= pairs.ranks[tier.source] > 0
        band[inside] = number
    return band


def _duplicates(pairs: Pairs, order: np.ndarray) -> np.ndarray:
    """Rows, among `order`, whose (query, text) came earlier in it."""
    found = np.zeros(len(pairs.query), dtype=bool)
    query, text = pairs.query[order], pairs.text_key[order]
    by_text = np.lexsort((np.arange(len(order)), text, query))
    same = np.r_[
        False,
        (query[by_text][1:] == query[by_text][:-1]) & (text[by_text][1:] == text[by_text][:-1]),
    ][: len(order)]
    found[order[by_text[same]]] = True
    return found


def _donors(tier: int, tiers: int) -> list[int]:
    return [*range(tier + 1, tiers), *range(tier - 1, -1, -1)]


def choose(pairs: Pairs, eligible: np.ndarray, tiers: Mapping[str, Tier]) -> Choice:
    """Choose each query's negatives among the eligible pairs.

    A pair belongs to the first tier whose band takes it. Within a band the student's most similar
    come first (a tier of source `random` takes its draws in their own order); each tier takes its
    quota. A tier that is short then takes what the next tiers left over, then the harder ones.
    Ranks run from the most similar down.

    Args:
        pairs: a block's judged pairs.
        eligible: (n,) bool, pairs that no policy dropped.
        tiers: name to tier, in order.
    """
    specs = list(tiers.values())
    served = served_positive(pairs)
    ratio = similarity_ratio(pairs.dense, pairs.dense[served[pairs.query]])
    preference = np.lexsort((pairs.doc_ix, -pairs.dense, pairs.query))
    duplicate = _duplicates(pairs, preference[eligible[preference]])
    eligible = eligible & ~duplicate
    band = np.where(eligible, _bands(pairs, ratio, specs), -1)
    tier = np.full(len(band), -1, dtype=np.int64)
    order: list[np.ndarray] = []
    short = np.zeros((len(specs), pairs.queries), dtype=np.int64)
    for number, spec in enumerate(specs):
        rows = preference[band[preference] == number]
        if spec.source == "random":
            rows = rows[np.lexsort((pairs.ranks["random"][rows], pairs.query[rows]))]
        taken = rows[position_in_group(pairs.query[rows]) < spec.quota]
        tier[taken] = number
        short[number] = spec.quota - np.bincount(pairs.query[taken], minlength=pairs.queries)
        order.append(rows)
    for number in range(len(specs)):
        for donor in _donors(number, len(specs)):
            rows = order[donor][tier[order[donor]] < 0]
            taken = rows[position_in_group(pairs.query[rows]) < short[number][pairs.query[rows]]]
            tier[taken] = number
            short[number] -= np.bincount(pairs.query[taken], minlength=pairs.queries)
    rank = np.zeros(len(band), dtype=np.int32)
    chosen = preference[tier[preference] >= 0]
    chosen = chosen[np.lexsort((np.arange(len(chosen)), tier[chosen], pairs.query[chosen]))]
    rank[chosen] = position_in_group(pairs.query[chosen] * len(specs) + tier[chosen]) + 1
    return Choice(band, tier, rank, duplicate)
