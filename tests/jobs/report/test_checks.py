"""What the report warns of: nothing in a good run, and each bad number by its own finding."""

from typing import Any

import pytest

from negmine.jobs.report.checks.check import CHECKS, check
from negmine.jobs.report.checks.facts import Facts
from negmine.jobs.report.metrics import Metrics
from tests.jobs.report.a_run import TIERS, a_manifest, good_metrics, row

QUERIES = 1_000


def facts(*changed: dict[str, Any], manifest: dict[str, Any] | None = None) -> Facts:
    """A good run but for the changed rows."""
    places = ("metric", "tier", "source", "key", "bin")
    new = {tuple(r.get(name) for name in places) for r in changed}
    kept = [r for r in good_metrics(QUERIES) if tuple(r.get(n) for n in places) not in new]
    return Facts(Metrics([*kept, *changed]), {**a_manifest(QUERIES), **(manifest or {})}, TIERS)


def test_a_good_run_has_no_finding_and_every_check_could_look() -> None:
    findings, passed, unmeasured = check(facts())
    assert findings == []
    assert passed == list(CHECKS)
    assert unmeasured == []


@pytest.mark.parametrize(
    ("changed", "title", "advice", "serious"),
    [
        (row("queries_short", 12), "12 queries are short", "sources.bm25.depth", False),
        (row("queries_short", 80), "80 queries are short", "short_queries", True),
        (row("backfilled", 300, tier="hard"), "tier hard", "tiers.hard.quota", False),
        (
            row("leak", 0.15, 0.01, key="0.5"),
            "Leak: 15.0\u00a0% [14.0\u00a0%, 16.0\u00a0%] of 807 hidden positives",
            "positives_above",
            True,
        ),
        (row("judge_fn_rate", 0.12, 0.01), "of 807 negatives", "judge_relative_margin", False),
        (row("ratio_above_one", 0.2), "nearer", "max_ratio", False),
        (
            row("shortcut_auc", 0.74, 0.02, tier="hard"),
            "AUC 0.740 [0.720, 0.760], hard",
            "lexical_weight",
            False,
        ),
        (row("length_ratio", 2.0), "2.00 times as long", "passages", False),
        (row("length_ratio", 0.5), "0.50 times as long", "passages", False),
        (
            row("length_bias_auc", 0.7, 0.02),
            "longer documents: AUC 0.700",
            "passages",
            False,
        ),
        (row("length_bias_auc", 0.3, 0.02), "prefers shorter documents", "weighting.method", False),
        (row("hub", 42, key="d1"), "4.2\u00a0% of the queries", "hub_cap", False),
        (row("evaluation_documents", 3), "3 negatives", "evaluation_splits", True),
        (row("near_duplicate_positive", 0.02), "a positive", "near_duplicate_of_positive", True),
        (
            row("near_duplicate_negative", 0.1),
            "another negative",
            "near_duplicate_of_negative",
            False,
        ),
        (row("anisotropy", 0.8), "cosine 0.800", "min_ratio", False),
        (row("verdict", 4, key="suspected_positive"), "4 suspected", "negmine relabel", False),
    ],
)
def test_a_bad_number_is_one_finding_that_says_what_to_do(
    changed: dict[str, Any], title: str, advice: str, serious: bool
) -> None:
    (finding,), passed, _ = check(facts(changed))
    assert title in finding.title
    assert advice in finding.advice
    assert finding.serious is serious
    assert len(passed) == len(CHECKS) - 1


def test_crowded_vectors_are_told_with_what_fewer_dimensions_would_find() -> None:
    recalls = [
        row("first_pass_recall", share, key=kind)
        for kind, share in (("prefix", 0.7), ("pca", 0.95), ("whitening", 0.99))
    ]
    (finding,), _, _ = check(facts(row("anisotropy", 0.8), *recalls))
    assert "prefix 0.700, pca 0.950, whitening 0.990" in finding.fact
    assert "first_pass.kind whitening loses least" in finding.advice
    assert check(facts(*recalls))[0] == []


def few(metric: str, hits: int, over: int, **place: Any) -> dict[str, Any]:
    """A share of few, with the interval that a bootstrap gives where all are alike."""
    share = hits / over
    half = 0.0 if hits in (0, over) else None
    return {**row(metric, share, half, **place), "count": over}


@pytest.mark.parametrize(("metric", "hits"), [("leak", 4), ("near_duplicate_positive", 1)])
def test_a_few_of_thirty_are_worth_a_look_and_not_serious(metric: str, hits: int) -> None:
    place = {"key": "0.5"} if metric == "leak" else {}
    found = check(facts(few(metric, hits, 30, **place)))[0]
    assert [finding.serious for finding in found] == [False]
    assert "of 30 " in found[0].title and "Too few to be certain" in found[0].fact
    found = check(facts(few(metric, 20, 30, **place)))[0]
    assert [finding.serious for finding in found] == [True]


@pytest.mark.parametrize("metric", ["leak", "judge_fn_rate", "near_duplicate_positive"])
def test_none_of_three_is_not_in_order(metric: str) -> None:
    place = {"key": "0.5"} if metric == "leak" else {}
    findings, passed, unmeasured = check(facts(few(metric, 0, 3, **place)))
    assert findings == []
    assert len(passed) == len(CHECKS) - 1
    assert [name.partition("(")[2] for name in unmeasured] == ["0 of 3: too few to tell)"]
    assert check(facts(few(metric, 0, 3_000, **place)))[2] == []


def test_two_short_queries_of_thirty_are_not_serious() -> None:
    summary = {**a_manifest(QUERIES)["summary"], "queries": 30}
    short = row("queries_short", 2)
    (finding, *_), _, _ = check(facts(short, manifest={"summary": summary}))
    assert finding.title.startswith("2 queries are short") and not finding.serious


def test_random_tiers_may_give_themselves_away() -> None:
    assert check(facts(row("shortcut_auc", 0.99, tier="random")))[0] == []


def test_the_leak_that_counts_is_that_of_the_runs_own_setting() -> None:
    assert check(facts(row("leak", 0.5, key="0.8")))[0] == []
    policies = [{"judge_calibrated_threshold": {"positives_above": 0.8}}]
    (finding,), _, _ = check(facts(row("leak", 0.5, key="0.8"), manifest={"policies": policies}))
    assert "hidden positives" in finding.title


def test_no_judge_and_bad_input_rows_come_from_the_manifest() -> None:
    config = {**a_manifest(QUERIES)["config"], "judge": {"kind": "none"}}
    summary = {**a_manifest(QUERIES)["summary"], "dead_letters": 7}
    findings, _, _ = check(facts(manifest={"config": config, "summary": summary}))
    assert [f.title.partition(" ")[0] for f in findings] == ["No", "7"]
    assert [f.serious for f in findings] == [True, False]


def test_a_leak_without_a_judge_is_not_answered_by_a_judges_setting() -> None:
    config = {**a_manifest(QUERIES)["config"], "judge": {"kind": "none"}}
    leak = row("leak", 0.3, 0.05)
    metrics = Metrics([leak])
    found, _, _ = check(Facts(metrics, {"config": config}, TIERS))
    (advice,) = [f.advice for f in found if f.title.startswith("Leak")]
    assert "student_relative_margin" in advice and "judge_calibrated" not in advice


def test_an_empty_run_is_not_measured_and_raises_nothing() -> None:
    findings, passed, unmeasured = check(Facts(Metrics([]), {}, ()))
    assert (findings, passed, unmeasured) == ([], [], list(CHECKS))
