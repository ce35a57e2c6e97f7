"""Tiers: bands, quotas, backfill and ranks, against a slow calculation query by query."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.config import Tier
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.tiers import (
    Choice,
    choose,
    served_positive,
    similarity_ratio,
)
from tests.transforms.kernels.pairs import distinct_documents, pairs_of, selection_of

TIERS = {
    "hard": Tier(quota=2, min_ratio=0.8),
    "semi_hard": Tier(quota=2, min_ratio=0.5, max_ratio=0.8),
    "random": Tier(quota=1, source="random"),
}
POSITIVE = {"is_positive": True, "dense": 1.0, "judge": 1.0}


def choice_of(pairs: Pairs, tiers: dict[str, Tier] = TIERS) -> Choice:
    documents = distinct_documents(len(pairs.doc_ix))
    return choose(pairs, ~pairs.is_positive, selection_of(tiers), documents)


def chosen(rows: list[dict[str, Any]], tiers: dict[str, Tier] = TIERS) -> list[Any]:
    pairs = pairs_of(rows)
    choice = choice_of(pairs, tiers)
    names = list(tiers)
    return [
        None if t < 0 else (names[t], int(r), bool(b != t))
        for t, r, b in zip(choice.tier, choice.rank, choice.band, strict=True)
    ]


def test_each_band_takes_its_most_similar_up_to_the_quota() -> None:
    rows = [POSITIVE] + [{"dense": s} for s in (0.81, 0.95, 0.9, 0.7, 0.6, 0.55)]
    assert chosen(rows, {k: TIERS[k] for k in ("hard", "semi_hard")})[1:] == [
        None,
        ("hard", 1, False),
        ("hard", 2, False),
        ("semi_hard", 1, False),
        ("semi_hard", 2, False),
        None,
    ]


def test_a_tier_of_edits_is_filled_by_none_and_fills_none() -> None:
    tiers = {"edited": Tier(quota=2, source="edited"), "hard": Tier(quota=3, min_ratio=0.8)}
    rows = [POSITIVE, {"dense": 0.9}, {"dense": 0.85}, *[{"dense": 0.95, "edited_rank": 1}] * 3]
    assert chosen(rows, tiers)[1:3] == [("hard", 1, False), ("hard", 2, False)]
    assert chosen(rows, tiers)[3:] == [("edited", 1, False), ("edited", 2, False), None]
    assert chosen([POSITIVE, *[{"dense": 0.9}] * 5], tiers)[1:] == [
        *(("hard", rank, False) for rank in (1, 2, 3)),
        None,
        None,
    ]


def test_a_short_tier_is_backfilled_from_the_next_and_flagged() -> None:
    rows = [POSITIVE] + [{"dense": s} for s in (0.9, 0.7, 0.6, 0.55)]
    assert chosen(rows, {k: TIERS[k] for k in ("hard", "semi_hard")})[1:] == [
        ("hard", 1, False),
        ("semi_hard", 1, False),
        ("semi_hard", 2, False),
        ("hard", 2, True),
    ]


def test_the_random_tier_takes_draws_in_their_order_not_the_hardest() -> None:
    rows = [POSITIVE, {"dense": 0.3, "random_rank": 2}, {"dense": 0.1, "random_rank": 1}]
    tiers = {"random": Tier(quota=1, source="random")}
    assert chosen(rows, tiers)[1:] == [None, ("random", 1, False)]


def test_equal_texts_are_chosen_once() -> None:
    """Another miner's refill serves the same negative twice."""
    rows = [POSITIVE, {"dense": 0.9, "text_key": 7}, {"dense": 0.85, "text_key": 7}]
    pairs = pairs_of(rows)
    choice = choice_of(pairs)
    assert choice.duplicate.tolist() == [False, False, True]
    assert (choice.tier >= 0).tolist() == [False, True, False]


def test_a_query_without_candidates_stays_empty() -> None:
    assert chosen([POSITIVE, {"query": 1, **POSITIVE}]) == [None, None]


def test_the_served_positive_is_the_judges_best() -> None:
    rows = [
        {"is_positive": True, "judge": 0.4, "dense": 0.9},
        {"is_positive": True, "judge": 0.8, "dense": 0.2},
        {"judge": 0.99},
        {"query": 1, "is_positive": True, "judge": np.nan, "dense": 0.1},
        {"query": 1, "is_positive": True, "judge": np.nan, "dense": 0.2},
    ]
    assert served_positive(pairs_of(rows)).tolist() == [1, 4]


@pytest.mark.parametrize(
    ("negative", "positive", "ratio"), [(0.4, 0.8, 0.5), (-0.4, -0.2, 0.0), (0.1, -0.1, 3.0)]
)
def test_the_ratio_is_the_quotient_and_stays_ordered_below_zero(
    negative: float, positive: float, ratio: float
) -> None:
    found = similarity_ratio(np.array([negative]), np.array([positive]))
    np.testing.assert_allclose(found, [ratio])


def slowly(rows: list[dict[str, Any]], tiers: dict[str, Tier]) -> dict[int, set[int]]:
    """Rows chosen for each tier of one query, by the definition."""
    order = sorted(
        (i for i, row in enumerate(rows) if not row.get("is_positive")),
        key=lambda i: (-rows[i]["dense"], i),
    )
    bands: dict[int, list[int]] = {number: [] for number in range(len(tiers))}
    for i in order:
        for number, tier in enumerate(tiers.values()):
            ratio = np.float64(np.float32(rows[i]["dense"]))
            if (
                (tier.min_ratio is None or ratio >= tier.min_ratio)
                and (tier.max_ratio is None or ratio < tier.max_ratio)
                and (tier.source is None or rows[i].get("random_rank", 0) > 0)
            ):
                bands[number].append(i)
                break
    specs = list(tiers.values())
    for number, spec in enumerate(specs):
        if spec.source:
            bands[number].sort(key=lambda i: rows[i]["random_rank"])
    taken = {number: bands[number][: spec.quota] for number, spec in enumerate(specs)}
    left = {number: bands[number][spec.quota :] for number, spec in enumerate(specs)}
    for number, spec in enumerate(specs):
        for donor in [*range(number + 1, len(specs)), *range(number - 1, -1, -1)]:
            while len(taken[number]) < spec.quota and left[donor]:
                taken[number].append(left[donor].pop(0))
    return {number: set(found) for number, found in taken.items()}


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_equals_the_definition_query_by_query(queries: list[list[tuple[int, bool]]]) -> None:
    rows: list[dict[str, Any]] = []
    expected: list[dict[int, set[int]]] = []
    for number, candidates in enumerate(queries):
        start = len(rows)
        of_query: list[dict[str, Any]] = [{"query": number, **POSITIVE}]
        for i, (similarity, drawn) in enumerate(candidates):
            rank = i + 1 if drawn else 0
            of_query.append({"query": number, "dense": similarity / 20, "random_rank": rank})
        found = slowly(of_query, TIERS)
        expected.append({t: {start + i for i in members} for t, members in found.items()})
        rows += of_query
    pairs = pairs_of(rows)
    choice = choice_of(pairs)
    for number, of_query_expected in enumerate(expected):
        for tier, members in of_query_expected.items():
            mine = np.flatnonzero((choice.tier == tier) & (pairs.query == number))
            assert set(mine) == members
            assert sorted(choice.rank[mine]) == list(range(1, len(mine) + 1))
