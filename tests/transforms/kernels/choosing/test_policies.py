"""Policies: each fires where its definition says, and the first that fires decides."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.policies import PARAMETERS, Policy
from negmine.schemas.verdicts import Verdict
from negmine.transforms.kernels.choosing.policies import decide
from tests.transforms.kernels.pairs import pairs_of


def policy(name: str, **parameters: Any) -> Policy:
    return Policy.model_validate({name: parameters})


def verdicts(rows: list[dict[str, Any]], *policies: Policy) -> list[Any]:
    return list(decide(pairs_of(rows), policies).verdict)


def test_known_positives_and_same_texts_are_named_as_such() -> None:
    rows = [{"is_positive": True}, {"same_text_as_positive": True}, {}]
    assert verdicts(rows, policy("known_positive"), policy("same_text")) == [
        Verdict.KNOWN_POSITIVE,
        Verdict.SAME_TEXT_AS_POSITIVE,
        None,
    ]


def test_the_query_itself_is_known_by_identifier_text_and_near_duplicate() -> None:
    rows: list[dict[str, Any]] = [
        {"same_id_as_query": True},
        {"same_text_as_query": True},
        {"query_jaccard": 0.8},
        {"query_jaccard": 0.79},
    ]
    assert verdicts(rows, policy("query_itself")) == [Verdict.QUERY_ITSELF] * 3 + [None]
    strict = verdicts(rows, policy("query_itself", jaccard=1.0))
    assert strict == [Verdict.QUERY_ITSELF] * 2 + [None, None]


def test_near_duplicates_fire_on_either_limit() -> None:
    rows = [{"positive_jaccard": 0.8}, {"positive_cosine": 0.98}, {"positive_jaccard": 0.79}]
    found = verdicts(rows, policy("near_duplicate_of_positive", jaccard=0.8, cosine=0.97))
    assert found == [Verdict.NEAR_DUPLICATE_OF_POSITIVE] * 2 + [None]


def test_the_rank_window_counts_raw_ranks_and_spares_other_sources() -> None:
    rows = [{"bm25_rank": 1}, {"bm25_rank": 3}, {"bm25_rank": 9}, {"bm25_rank": 0}]
    found = verdicts(rows, policy("rank_window", source="bm25", min=2, max=5))
    assert found == [Verdict.OUTSIDE_RANK_WINDOW, None, Verdict.OUTSIDE_RANK_WINDOW, None]


def test_limits_of_the_students_similarity_are_inclusive() -> None:
    rows = [{"dense": 0.25}, {"dense": 0.24}, {"dense": 0.75}, {"dense": 0.76}, {"dense": np.nan}]
    found = verdicts(rows, policy("student_score", min=0.25, max=0.75))
    assert found == [None, Verdict.STUDENT_SCORE, None, Verdict.STUDENT_SCORE, None]


@pytest.mark.parametrize(("against", "limit"), [("min", 0.25), ("mean", 0.5), ("max", 0.75)])
def test_the_students_margins_keep_what_is_as_far_as_the_margin(against: str, limit: float) -> None:
    known = [{"is_positive": True, "dense": 0.5}, {"is_positive": True, "dense": 1.0}]
    rows = [*known, {"dense": limit}, {"dense": np.nextafter(np.float32(limit), np.float32(1))}]
    margin = policy("student_absolute_margin", margin=0.25, against=against)
    found = verdicts(rows, policy("known_positive"), margin)
    assert found[2:] == [None, Verdict.STUDENT_ABSOLUTE_MARGIN]


@given(
    st.lists(st.integers(-8, 8), min_size=1, max_size=4),
    st.lists(st.integers(-8, 8), max_size=6),
    st.sampled_from([0.0, 0.25, 0.5]),
)
def test_the_students_relative_margin_is_a_share_of_the_least_similar_positive(
    positives: list[int], candidates: list[int], margin: float
) -> None:
    """In eighths, which float32 holds exactly."""
    rows = [{"is_positive": True, "dense": value / 8} for value in positives]
    rows += [{"dense": value / 8} for value in candidates]
    found = verdicts(
        rows, policy("known_positive"), policy("student_relative_margin", margin=margin)
    )
    least = min(positives) / 8
    for value, verdict in zip(candidates, found[len(positives) :], strict=True):
        assert (verdict is None) is (value / 8 <= least - margin * abs(least))


def test_a_positive_without_a_similarity_does_not_open_the_margin() -> None:
    rows = [{"is_positive": True, "dense": np.nan}, {"is_positive": True, "dense": 0.5}]
    found = verdicts([*rows, {"dense": 0.5}], policy("student_absolute_margin", margin=0.1))
    assert found[2] is Verdict.STUDENT_ABSOLUTE_MARGIN


row_of_a_range = st.fixed_dictionaries(
    {
        "query": st.integers(0, 2),
        "dense": st.integers(0, 6).map(lambda value: value / 8),
        "text_key": st.integers(0, 4),
        "is_positive": st.booleans(),
    }
)


@given(
    st.lists(row_of_a_range, max_size=16),
    st.integers(0, 4),
    st.one_of(st.none(), st.integers(5, 8)),
    st.sampled_from([0.5, 0.75]),
)
def test_the_students_range_counts_what_earlier_policies_leave(
    rows: list[dict[str, Any]], skipped: int, last: int | None, highest: float
) -> None:
    rows = sorted(rows, key=lambda row: int(row["query"]))
    earlier = [policy("known_positive"), policy("student_score", max=highest)]
    found = verdicts(rows, *earlier, policy("student_range", min=skipped, max=last))
    for query in {row["query"] for row in rows}:
        left = [
            (-row["dense"], at)
            for at, row in enumerate(rows)
            if row["query"] == query and not row["is_positive"] and row["dense"] <= highest
        ]
        texts: list[int] = []
        for _, at in sorted(left):
            if rows[at]["text_key"] not in texts:
                texts.append(rows[at]["text_key"])
            place = texts.index(rows[at]["text_key"]) + 1
            kept = skipped < place <= (last or len(rows))
            assert found[at] is (None if kept else Verdict.OUTSIDE_STUDENT_RANGE)


@pytest.mark.parametrize(
    ("positive", "negative", "dropped"),
    [(1.0, 0.96, True), (1.0, 0.94, False), (-1.0, -1.04, True), (-1.0, -1.06, False)],
)
def test_the_relative_margin_is_safe_for_negative_scores(
    positive: float, negative: float, dropped: bool
) -> None:
    """A factor alone, as other miners have it, is sign-wrong below 0."""
    rows = [{"is_positive": True, "judge": positive}, {"judge": negative}]
    found = verdicts(rows, policy("judge_relative_margin", keep_below=0.95))
    assert (found[1] is Verdict.JUDGE_RELATIVE_MARGIN) is dropped


@given(st.floats(-20, 20, width=32), st.floats(0.5, 1.0), st.floats(0, 20, width=32))
def test_no_negative_at_or_above_the_positive_survives_a_relative_margin(
    positive: float, keep_below: float, above: float
) -> None:
    rows = [{"is_positive": True, "judge": positive}, {"judge": positive + above}]
    found = verdicts(rows, policy("judge_relative_margin", keep_below=keep_below))
    assert found[1] is Verdict.JUDGE_RELATIVE_MARGIN


@pytest.mark.parametrize(("against", "limit"), [("min", 0.3), ("mean", 0.5), ("max", 0.7)])
def test_margins_are_measured_against_the_named_positive(against: str, limit: float) -> None:
    rows = [
        {"is_positive": True, "judge": 0.4},
        {"is_positive": True, "judge": 0.8},
        {"judge": 0.35},
    ]
    margin = policy("judge_absolute_margin", margin=0.1, against=against)
    decisions = decide(pairs_of(rows), [policy("known_positive"), margin])
    assert (decisions.verdict[2] is Verdict.JUDGE_ABSOLUTE_MARGIN) is (limit <= 0.35)


def test_thresholds_stay_aligned_when_queries_differ_in_positives() -> None:
    """Another miner shifts its thresholds where positive counts vary between queries."""
    rows = [
        {"query": 0, "is_positive": True, "judge": 0.9},
        {"query": 0, "is_positive": True, "judge": 0.9},
        {"query": 0, "judge": 0.5},
        {"query": 1, "is_positive": True, "judge": 0.4},
        {"query": 1, "judge": 0.5},
        {"query": 2, "is_positive": True, "judge": 0.9},
        {"query": 2, "judge": 0.5},
    ]
    found = verdicts(rows, policy("known_positive"), policy("judge_relative_margin"))
    assert [found[2], found[4], found[6]] == [None, Verdict.JUDGE_RELATIVE_MARGIN, None]


def test_the_first_policy_that_fires_decides_and_leaves_its_numbers() -> None:
    rows = [{"is_positive": True, "judge": 1.0}, {"judge": 0.99, "positive_jaccard": 0.9}]
    first, second = policy("near_duplicate_of_positive"), policy("judge_relative_margin")
    decisions = decide(pairs_of(rows), [policy("known_positive"), first, second])
    assert decisions.verdict[1] is Verdict.NEAR_DUPLICATE_OF_POSITIVE
    assert decisions.policy[1] == 1
    assert decisions.value[1] == np.float32(0.9)
    assert decisions.threshold[1] == np.float32(0.8)


def test_judge_score_limits_are_inclusive() -> None:
    rows = [{"judge": 0.1}, {"judge": 0.05}, {"judge": 0.9}, {"judge": 0.95}]
    found = verdicts(rows, policy("judge_score", min=0.1, max=0.9))
    assert found == [None, Verdict.JUDGE_SCORE, None, Verdict.JUDGE_SCORE]


@given(
    st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=5),
    st.floats(-5, 5, width=32),
    st.sampled_from(["judge_relative_margin", "judge_absolute_margin"]),
)
def test_below_the_lowest_positives_limit_is_below_each_positives_limit(
    positives: list[float], score: float, name: str
) -> None:
    def dropped(against: str, known: list[float]) -> bool:
        rows = [{"is_positive": True, "judge": value} for value in known] + [{"judge": score}]
        found = verdicts(rows, policy("known_positive"), policy(name, against=against))
        return found[-1] is not None

    each = [dropped("max", [positive]) for positive in positives]
    assert dropped("each", positives) == dropped("min", positives) == any(each)


def test_documents_of_the_evaluation_split_are_dropped_and_named() -> None:
    found = verdicts([{"in_evaluation": True}, {}], policy("evaluation_document"))
    assert found == [Verdict.EVALUATION_DOCUMENT, None]


def test_a_hub_is_left_to_the_queries_that_rank_it_best() -> None:
    rows = [{"hub_place": place} for place in (0, 1, 2, 3)]
    assert verdicts(rows, policy("hub_cap", max_queries=2)) == [None, None, None, Verdict.HUB]


def test_a_suspected_positive_reaches_its_querys_positive_and_the_threshold() -> None:
    rows = [
        {"query": 0, "is_positive": True, "judge": 0.2},
        {"query": 0, "judge": 0.4},
        {"query": 0, "judge": 0.6},
        {"query": 1, "is_positive": True, "judge": 0.9},
        {"query": 1, "judge": 0.8},
        {"query": 1, "judge": 0.9},
    ]
    found = verdicts(rows, policy("known_positive"), policy("suspected_positive", threshold=0.5))
    assert found[1:3] == [None, Verdict.SUSPECTED_POSITIVE]
    assert found[4:] == [None, Verdict.SUSPECTED_POSITIVE]


def test_a_calibrated_threshold_drops_at_or_above_it_and_must_be_known() -> None:
    rows = [{"judge": 0.49}, {"judge": 0.5}, {"judge": np.nan}]
    found = verdicts(rows, policy("judge_calibrated_threshold", threshold=0.5))
    assert found == [None, Verdict.JUDGE_CALIBRATED_THRESHOLD, None]
    with pytest.raises(ValueError, match="calibrate the selection first"):
        verdicts(rows, policy("judge_calibrated_threshold"))


JUDGED = {
    "suspected_positive": {"threshold": 0.5},
    "judge_calibrated_threshold": {"threshold": 0.5},
    "judge_score": {"min": 0.95, "max": 0.5},
    "judge_absolute_margin": {},
    "judge_relative_margin": {},
}


def test_every_policy_that_compares_judge_scores_is_tested_here() -> None:
    assert set(JUDGED) == {name for name, parameters in PARAMETERS.items() if parameters.judged}


@pytest.mark.parametrize("name", JUDGED)
def test_no_judges_policy_drops_a_confirmed_negative(name: str) -> None:
    rows = [{"is_positive": True, "judge": 0.6}, {"judge": 0.9}]
    rows.append({"judge": 0.9, "confirmed_negative": True})
    found = verdicts(rows, policy("known_positive"), policy(name, **JUDGED[name]))
    assert found[1] == name
    assert found[2] is None


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("known_positive", {"is_positive": True}),
        ("query_itself", {"same_id_as_query": True}),
        ("query_itself", {"same_text_as_query": True}),
        ("query_itself", {"query_jaccard": 0.9}),
        ("same_text", {"same_text_as_positive": True}),
        ("near_duplicate_of_positive", {"positive_jaccard": 0.9}),
        ("evaluation_document", {"in_evaluation": True}),
    ],
)
def test_every_other_policy_drops_a_confirmed_negative_too(name: str, row: dict[str, Any]) -> None:
    assert verdicts([{**row, "confirmed_negative": True}], policy(name)) != [None]
