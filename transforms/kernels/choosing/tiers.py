"""Tiers: which safe candidates are chosen, in which band, and how short queries are backfilled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from negmine.schemas.config import Sampling, Tier
from negmine.schemas.selection import Selection
from negmine.schemas.sources import IN_OWN_ORDER, MADE
from negmine.transforms.kernels.choosing.language_mix import quotas_of
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.picking import DocumentArrays, Picker
from negmine.transforms.kernels.choosing.sampling import preference
from negmine.transforms.kernels.groups import position_in_group


@dataclass(frozen=True)
class Choice:
    """What became of each pair, all arrays (n,).

    `band` is the tier whose band takes the pair, `tier` the tier it was chosen for (both numbers,
    -1 for none), `rank` from 1 in its tier (0 unless chosen). `duplicate` marks a safe pair whose
    text a chosen one has, `near` one skipped as a near-duplicate of a chosen one, with what was
    compared in `near_value` and `near_threshold`.
    """

    band: np.ndarray
    tier: np.ndarray
    rank: np.ndarray
    duplicate: np.ndarray
    near: np.ndarray
    near_value: np.ndarray
    near_threshold: np.ndarray


def positives_in_order(pairs: Pairs) -> np.ndarray:
    """Rows of the positives by query: its own, then judge score, similarity (falling), position.

    The first of a query is the one that is served. Returns (positives,) int64.
    """
    rows = np.flatnonzero(pairs.is_positive)
    judge = np.nan_to_num(pairs.judge[rows], nan=-np.inf)
    other = ~pairs.own_positive[rows]
    keys = (pairs.doc_ix[rows], -pairs.dense[rows], -judge, other, pairs.query[rows])
    return rows[np.lexsort(keys)]


def served_positive(pairs: Pairs) -> np.ndarray:
    """Row of each query's served positive, the first of `positives_in_order`.

    Returns (queries,) int64; -1 for a query without a positive.
    """
    rows = positives_in_order(pairs)
    queries, first = np.unique(pairs.query[rows], return_index=True)
    served = np.full(pairs.queries, -1, dtype=np.int64)
    served[queries] = rows[first]
    return served


def similarity_ratio(negative: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """s-/s+ for s+ > 0, and 1 - (s+ - s-)/|s+| throughout, which is the same and sign-safe.

    NaN where either is not known, as for a zero vector.
    """
    # s+ = .5 and s- = .4: 1 - .1/.5 = .8, as s-/s+. With s+ = -.5 and s- = -.6 it is .8 too, where
    # the quotient would be 1.2 and call the worse one closer.
    positive = positive.astype(np.float64)
    scale = np.maximum(np.abs(positive), 1e-6)
    return 1.0 - (positive - negative.astype(np.float64)) / scale


def _bands(pairs: Pairs, ratio: np.ndarray, tiers: Sequence[Tier]) -> np.ndarray:
    band = np.full(len(pairs.query), -1, dtype=np.int64)
    made = pairs.made
    for number, tier in reversed(list(enumerate(tiers))):
        inside = ~np.isnan(ratio)
        if tier.min_ratio is not None:
            inside &= ratio >= tier.min_ratio
        if tier.max_ratio is not None:
            inside &= ratio < tier.max_ratio
        if tier.source is not None:
            inside &= pairs.ranks[tier.source] > 0
        if tier.source not in MADE:
            inside &= ~made
        band[inside] = number
    return band


def _donors(tier: int, tiers: int) -> list[int]:
    return [*range(tier + 1, tiers), *range(tier - 1, -1, -1)]


def _orders(
    pairs: Pairs, band: np.ndarray, served: np.ndarray, selection: Selection
) -> list[np.ndarray]:
    """Rows of each tier's band, sorted by query and then by the order in which they are tried."""
    preferences: dict[Sampling, np.ndarray] = {}
    orders = []
    for number, (_, spec) in enumerate(selection.tiers):
        sampling = spec.sampling or selection.sampling
        rows = np.flatnonzero(band == number)
        if spec.source in IN_OWN_ORDER and spec.sampling is None:
            first = pairs.ranks[spec.source][rows].astype(np.float64)
        else:
            if sampling not in preferences:
                preferences[sampling] = preference(pairs, served, sampling, selection.seed)
            first = -preferences[sampling][rows]
        orders.append(rows[np.lexsort((pairs.doc_ix[rows], first, pairs.query[rows]))])
    return orders


def choose(
    pairs: Pairs, eligible: np.ndarray, selection: Selection, documents: DocumentArrays
) -> Choice:
    """Choose each query's negatives among the eligible pairs.

    A pair belongs to the first tier whose band takes it, one that was made by an edit to a tier of
    that source alone; one without a similarity, its own or the served positive's, to none. Within a
    band candidates are tried in the order of the tier's sampling (a tier of source `random` or
    `given` without its own takes them in the order of their ranks); each tier takes its quota, and
    none that has the text of, or is near to, one that the query already has. A tier that is short
    then takes what the next tiers left, and then the ones before it; what was made fills no other
    tier, and a tier of what is made stays short.

    Args:
        pairs: a block's judged pairs.
        eligible: (n,) bool, pairs that no policy dropped.
        selection: tiers, sampling, seed, and the limits of `near_duplicate_of_negative`.
        documents: vectors, MinHash values and languages; only near-duplicates, mmr, log_det and a
            language mix read them.
    """
    specs = [spec for _, spec in selection.tiers]
    samplings = [spec.sampling or selection.sampling for spec in specs]
    served = served_positive(pairs)
    ratio = similarity_ratio(pairs.dense, pairs.dense[served[pairs.query]])
    band = np.where(eligible, _bands(pairs, ratio, specs), -1)
    orders = _orders(pairs, band, served, selection)
    near = selection.policy("near_duplicate_of_negative")
    picker = Picker(pairs, sum(spec.quota for spec in specs), near, documents)
    quotas = quotas_of(pairs, served, selection.seed, selection.language_mix, documents.languages)
    # What was made of a positive is in its language, so a tier of that is not parted.
    parted = [spec.source not in MADE for spec in specs]
    short = [
        quotas.of(spec.quota, number) if parted[number] else np.full((pairs.queries, 1), spec.quota)
        for number, spec in enumerate(specs)
    ]

    def take(number: int, rows: np.ndarray, sampling: Sampling) -> None:
        for group in range(short[number].shape[1]):
            some = rows[quotas.group[rows] == group] if parted[number] else rows
            short[number][:, group] = picker.take(some, short[number][:, group], number, sampling)

    for number in range(len(specs)):
        take(number, orders[number], samplings[number])
    ordinary = [number for number, spec in enumerate(specs) if spec.source not in MADE]
    for number in ordinary:
        for donor in _donors(number, len(specs)):
            if donor not in ordinary:
                continue
            left = orders[donor][(picker.tier[orders[donor]] < 0) & ~picker.near[orders[donor]]]
            take(number, left, samplings[donor])
    rank = _ranks(pairs, picker.tier, len(specs))
    duplicate = _same_text(pairs, picker.tier >= 0) & eligible & ~picker.near
    return Choice(band, picker.tier, rank, duplicate, picker.near, picker.value, picker.threshold)


def _ranks(pairs: Pairs, tier: np.ndarray, tiers: int) -> np.ndarray:
    rank = np.zeros(len(tier), dtype=np.int32)
    chosen = np.flatnonzero(tier >= 0)
    order = (pairs.doc_ix[chosen], -pairs.dense[chosen], tier[chosen], pairs.query[chosen])
    chosen = chosen[np.lexsort(order)]
    rank[chosen] = position_in_group(pairs.query[chosen] * tiers + tier[chosen]) + 1
    return rank


def _same_text(pairs: Pairs, chosen: np.ndarray) -> np.ndarray:
    """Rows not chosen whose text a chosen row of the query has, (n,) bool."""
    _, text = np.unique(pairs.text_key, return_inverse=True)
    key = pairs.query * (int(text.max(initial=0)) + 1) + text
    return np.isin(key, key[chosen]) & ~chosen
