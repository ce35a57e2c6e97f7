"""Lazy judging: the same choice as judging everything, with fewer pairs judged, each once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.config import Tier
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.policies import decide
from negmine.transforms.kernels.choosing.tiers import choose
from negmine.transforms.kernels.choosing.waves import judge_needed
from tests.transforms.kernels.pairs import distinct_documents, pairs_of, selection_of

TIERS = {
    "hard": Tier(quota=2, min_ratio=0.7),
    "semi_hard": Tier(quota=1, min_ratio=0.3, max_ratio=0.7),
    "random": Tier(quota=1, source="random"),
}
POLICIES = (
    "known_positive",
    "same_text",
    {"near_duplicate_of_negative": {"jaccard": 2.0, "cosine": 0.6}},
    {"suspected_positive": {"threshold": 0.7}},
    "judge_relative_margin",
    {"judge_score": {"max": 0.8}},
)
OF_STUDENT = (
    {"student_score": {"min": 0.1}},
    {"student_relative_margin": {"margin": 0.05, "against": "max"}},
    {"student_range": {"min": 1, "max": 6}},
)
METHODS = [
    "fused",
    "top",
    "uniform",
    "softmax",
    "simans",
    "trisampler",
    "contrast",
    "mmr",
    "log_det",
]
candidate = st.fixed_dictionaries(
    {
        "dense": st.integers(0, 10).map(lambda value: value / 10),
        "judge": st.integers(-5, 10).map(lambda value: value / 10),
        "random_rank": st.integers(0, 1),
        "is_positive": st.sampled_from([True, False, False, False]),
        "text": st.integers(0, 5),
        "confirmed_negative": st.sampled_from([True, False, False]),
    }
)


def block_of(queries: list[list[dict[str, Any]]]) -> tuple[Pairs, np.ndarray]:
    """Pairs of a block, and every judge score; equal texts have equal scores."""
    rows: list[dict[str, Any]] = []
    for number, candidates in enumerate(queries):
        score_of: dict[int, dict[str, Any]] = {}
        rows.append({"query": number, "is_positive": True, "dense": 1.0, "judge": 0.9})
        for row in candidates:
            first = score_of.setdefault(row["text"], row)
            shared = {"dense": first["dense"], "judge": first["judge"]}
            rows.append({**row, **shared, "query": number, "text_key": row["text"]})
    pairs = pairs_of(rows)
    return pairs, pairs.judge


@given(
    st.lists(st.lists(candidate, max_size=10), min_size=1, max_size=4),
    st.sampled_from(METHODS),
    st.sampled_from([POLICIES, ("known_positive", *OF_STUDENT, *POLICIES[1:])]),
)
def test_the_choice_equals_that_of_judging_everything(
    queries: list[list[dict[str, Any]]], method: str, policies: Sequence[Any]
) -> None:
    pairs, everything = block_of(queries)
    documents = distinct_documents(len(everything), dimension=3)
    selection = selection_of(TIERS, policies, method=method)
    asked: list[int] = []

    def score(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return everything[rows]

    judge = judge_needed(pairs, selection, documents, score)
    lazily = replace(pairs, judge=judge)
    lazy, full = (
        choose(known, decide(known, selection.policies).policy < 0, selection, documents)
        for known in (lazily, pairs)
    )
    assert lazy.tier.tolist() == full.tier.tolist()
    assert lazy.rank.tolist() == full.rank.tolist()
    assert len(asked) == len(set(asked))
    spared = pairs.confirmed_negative & ~pairs.is_positive & (lazy.tier < 0)
    assert np.isnan(judge[spared]).all()
    assert not np.isnan(judge[lazy.tier >= 0]).any()


def test_no_judge_reads_what_the_students_scores_drop() -> None:
    rows: list[dict[str, Any]] = [{"is_positive": True, "dense": 1.0, "judge": 1.0}]
    rows += [{"dense": value, "judge": 0.1} for value in (0.97, 0.8, 0.7, 0.6, 0.05)]
    pairs = pairs_of(rows)
    judged_first = [
        "judge_relative_margin",
        "student_relative_margin",
        {"student_score": {"min": 0.1}},
    ]
    counted = [{"student_relative_margin": {}}, {"student_range": {"min": 1, "max": 2}}]
    for policies, read in ((judged_first, [0, 2, 3, 4]), (counted, [0, 3])):
        selection = selection_of({"hard": Tier(quota=9)}, ["known_positive", *policies])
        documents = distinct_documents(len(rows))
        judge = judge_needed(pairs, selection, documents, lambda asked: pairs.judge[asked])
        assert np.flatnonzero(~np.isnan(judge)).tolist() == read


def test_candidates_beyond_the_quota_are_never_judged() -> None:
    rows = [{"is_positive": True, "dense": 1.0, "judge": 1.0}]
    rows += [{"dense": 0.99 - i / 1000, "judge": 0.1} for i in range(100)]
    pairs = pairs_of(rows)
    selection = selection_of({"hard": Tier(quota=3, min_ratio=0.5)}, ["known_positive"])
    documents = distinct_documents(len(rows))
    judge = judge_needed(pairs, selection, documents, lambda rows: pairs.judge[rows])
    assert np.flatnonzero(~np.isnan(judge)).tolist() == [0, 1, 2, 3]


def test_a_confirmed_negative_is_chosen_whatever_its_score_and_no_wave_waits_for_it() -> None:
    rows: list[dict[str, Any]] = [{"is_positive": True, "dense": 1.0, "judge": 0.5}]
    rows += [{"dense": 0.9, "judge": 0.7, "confirmed_negative": True}]
    rows += [{"dense": 0.8, "judge": 0.7}, {"dense": 0.7, "judge": 0.1}]
    pairs = pairs_of(rows)
    selection = selection_of({"hard": Tier(quota=2, min_ratio=0.5)}, POLICIES)
    waves: list[list[int]] = []

    def score(asked: np.ndarray) -> np.ndarray:
        waves.append(asked.tolist())
        return pairs.judge[asked]

    judge = judge_needed(pairs, selection, distinct_documents(len(rows)), score)
    assert waves == [[0], [2], [3], [1]]
    assert judge.tolist() == pairs.judge.tolist()
