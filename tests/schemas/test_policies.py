"""The `policies` of a config: promises come first, a list replaces, a mapping changes by name."""

from itertools import permutations
from typing import Any

import pytest

from negmine.schemas.config import Config
from negmine.schemas.config.policy_list import PROMISES
from negmine.schemas.policies import Policy

NEAR = ["near_duplicate_of_positive", "near_duplicate_of_negative"]
JUDGED = ["suspected_positive", "judge_calibrated_threshold", "judge_relative_margin"]


def policies(asked: Any, judge: str = "fusion") -> tuple[Policy, ...]:
    values = {"input": {"format": "stdlib"}, "judge": {"kind": judge}, "policies": asked}
    return Config.model_validate(values).policies or ()


def names(asked: Any, judge: str = "fusion") -> list[str]:
    return [policy.name for policy in policies(asked, judge)]


@pytest.mark.parametrize(
    ("asked", "rest"),
    [
        (None, NEAR + JUDGED),
        ([], []),
        (["hub_cap"], ["hub_cap"]),
        ([{"hub_cap": {}}, "same_text", {"evaluation_document": None}], ["hub_cap"]),
        ([*JUDGED, *reversed(PROMISES)], JUDGED),
    ],
)
def test_the_promises_come_first_whatever_the_list_says(asked: Any, rest: list[str]) -> None:
    assert names(asked) == [*PROMISES, *rest]


def test_no_order_of_the_list_moves_a_promise() -> None:
    for order in permutations([*PROMISES, "hub_cap"]):
        assert names(list(order)) == [*PROMISES, "hub_cap"]


def test_a_promise_keeps_the_parameters_that_the_list_gives_it() -> None:
    _, own, *_ = policies(["hub_cap", {"query_itself": {"jaccard": 0.6}}])
    assert (own.name, own.parameters.jaccard) == ("query_itself", 0.6)
    with pytest.raises(ValueError, match="query_itself stands twice with different parameters"):
        policies([{"query_itself": {"jaccard": 0.6}}, "query_itself"])


def test_a_promise_has_no_parameter_that_makes_it_a_promise_of_nothing() -> None:
    with pytest.raises(ValueError, match="less than or equal to 1"):
        policies([{"query_itself": {"jaccard": 1.5}}])


@pytest.mark.parametrize(
    ("asked", "rest"),
    [
        ({"near_duplicate_of_positive": False}, [NEAR[1], *JUDGED]),
        ({"near_duplicate_of_positive": "off", "suspected_positive": None}, [NEAR[1], *JUDGED[1:]]),
        ({"hub_cap": {"max_queries": 3}}, [*NEAR, *JUDGED, "hub_cap"]),
        ({"hub_cap": False}, NEAR + JUDGED),
        (
            {"student_score": {"min": 0.1}, "student_range": {"min": 5}},
            [*NEAR, "student_score", "student_range", *JUDGED],
        ),
    ],
)
def test_a_mapping_changes_the_defaults_by_name(asked: dict[str, Any], rest: list[str]) -> None:
    assert names(asked) == [*PROMISES, *rest]


def test_a_mapping_sets_parameters_of_a_default_in_its_place() -> None:
    found = policies({"near_duplicate_of_positive": {"jaccard": 0.5}}, judge="none")
    assert [policy.name for policy in found] == [*PROMISES, *NEAR]
    assert found[len(PROMISES)].parameters.jaccard == 0.5


def test_a_judges_policy_may_be_off_where_there_is_no_judge() -> None:
    assert names({"suspected_positive": False}, judge="none") == [*PROMISES, *NEAR]


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("off", [False, "off"])
def test_a_promise_cannot_be_switched_off(promise: str, off: Any) -> None:
    for asked in ({promise: off}, [{promise: off}]):
        with pytest.raises(ValueError, match=f"policies.{promise} cannot be switched off"):
            policies(asked)
    with pytest.raises(ValueError, match=f"policies.{promise} cannot be switched off"):
        policies({promise: None})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([{"near_duplicate_of_positive": False}], "a list replaces the default policies"),
        ({"hub_cap": None}, "null says too little"),
        ({"hub_kap": False}, "unknown policy 'hub_kap'"),
        ({"student_range": {"min": 5, "max": 5}}, "min 5 is not below max 5, so nothing is kept"),
        (
            [{"judge_score": {"max": 1}}, {"student_range": {"min": 5}}],
            "student_range counts what the policies before it leave, and judge_score before it",
        ),
        ({"rank_window": {"source": "random"}}, "'random' is no source that ranks; there are"),
    ],
)
def test_what_would_be_guessed_is_refused(asked: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        policies(asked)
