"""The verdict: a difference is claimed only where its interval shows one."""

import re
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.compare import compare
from negmine.jobs.compare.result import Measured
from negmine.schemas.errors import ConfigError, StorageError
from tests.jobs.compare.a_pair import Pair, a_manifest, metric, write_run


def verdict(output: Path, a: Any, b: Any, **changed: Any) -> str:
    """Of runs with 20 queries; sides give dense and judge scores, and metrics."""
    runs = []
    for name, (dense, judge, metrics) in (("a", a), ("b", b)):
        pairs = [
            Pair(f"q{at}", f"d{name}", dense=score + at / 1e5, judge=judge)
            for at in range(20)
            for score in dense
        ]
        pairs = [Pair(**{**vars(p), "document": f"{p.document}{n}"}) for n, p in enumerate(pairs)]
        values = changed if name == "b" else {}
        runs.append(write_run(output, name, pairs, metrics=metrics, **values))
    return compare(*runs).verdict.replace("\u00a0", " ")


def leak(value: float, half: float | None) -> list[dict[str, Any]]:
    return [metric("leak", value, half)]


def test_safer_as_hard_with_fewer_hard_negatives(tmp_path: Path) -> None:
    a = ([0.7, 0.7, 0.1, 0.1], 1.0, leak(0.062, 0.02))
    b = ([0.7, 0.6, 0.3, 0.0], 1.0, leak(0.007, 0.005))
    assert verdict(tmp_path, a, b) == (
        "B is safer (leak 0.7 % vs 6.2 % in A, intervals do not meet), as hard (S 0.400 vs 0.400 "
        "in A, difference +0.000 [+0.000, +0.000]), with 50.0 % fewer hard negatives (20 vs 40 in "
        "A)"
    )


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (leak(0.01, 0.005), leak(0.09, 0.005), "B is less safe (leak 9.0 % vs 1.0 % in A, "),
        (leak(0.01, 0.02), leak(0.03, 0.02), "B is not shown to be safer or less safe (leak 3.0"),
        (leak(0.01, None), leak(0.9, None), "B is not shown to be safer or less safe (leak 90.0"),
        (
            [metric("judge_fn_rate", 0.2, 0.01)],
            [metric("judge_fn_rate", 0.1, 0.01)],
            "B is safer (negatives that the judge prefers to the positive 10.0 % vs 20.0 % in A",
        ),
        (None, leak(0.1, 0.1), "B is safer by its own judge (judge margin 2.500 vs 2.000 in A"),
        (None, None, "B is safer by its own judge (judge margin 2.500 vs 2.000 in A, difference"),
    ],
)
def test_safety_is_told_by_the_best_that_both_runs_have(
    tmp_path: Path, a: Any, b: Any, words: str
) -> None:
    assert verdict(tmp_path, ([0.5], 1.0, a), ([0.5], 0.5, b)).startswith(words)


def test_another_judge_does_not_make_a_run_safer(tmp_path: Path) -> None:
    rates = ([metric("judge_fn_rate", value, 0.01)] for value in (0.2, 0.1))
    a, b = (([0.5], 1.0, rate) for rate in rates)
    config = {**a_manifest("b")["config"], "judge": {"kind": "late_interaction"}}
    told = verdict(tmp_path, a, b, config=config)
    assert told.startswith("B is not comparable in safety (no leak and no common judge in both)")


@pytest.mark.parametrize(
    ("b", "words"),
    [
        ([0.60, 0.60], "harder (S 0.600 vs 0.500 in A, difference +0.100 [+0.100, +0.100])"),
        ([0.40, 0.40], "easier (S 0.400 vs 0.500 in A"),
        ([0.505, 0.50], "as hard (S 0.50"),
        ([0.80, 0.70], "with hard negatives in one run only (40 vs 0 in A)"),
    ],
)
def test_hardness_is_the_paired_difference_of_the_signal(
    tmp_path: Path, b: list[float], words: str
) -> None:
    assert words in verdict(tmp_path, ([0.5, 0.5], 1.0, None), (b, 1.0, None))


def test_another_student_does_not_make_a_run_harder(tmp_path: Path) -> None:
    told = verdict(tmp_path, ([0.5], 1.0, None), ([0.9], 1.0, None), models={"student": "another"})
    assert told.endswith("not comparable in hardness (the students differ)")


def test_few_queries_that_disagree_show_nothing(tmp_path: Path) -> None:
    a = [Pair(f"q{at}", "d", dense=0.5) for at in range(6)]
    b = [Pair(f"q{at}", "e", dense=0.5 + 0.2 * (-1) ** at) for at in range(6)]
    told = compare(write_run(tmp_path, "a", a), write_run(tmp_path, "b", b)).verdict
    assert "not shown to be harder or easier" in told
    assert "B is not shown to be safer or less safe (judge margin" in told


def test_the_same_negatives_are_told_as_such(tmp_path: Path) -> None:
    pairs = [Pair("q", "d"), Pair("q", "e")]
    a = write_run(tmp_path, "a", pairs)
    b = write_run(tmp_path, "b", [*pairs, Pair("r", "d")])
    moved = write_run(tmp_path, "c", [pairs[0], Pair("q", "e", tier="random")])
    assert compare(a, b).verdict == "Both runs chose the same 2 negatives for the 1 queries of both"
    assert compare(a, moved).verdict.endswith("the same 2 negatives, 1 of them in another tier")
    empty = [write_run(tmp_path, name, [], ["q"]) for name in "de"]
    assert compare(*empty).verdict == "Neither run has a negative of a query that both have"


def test_metrics_have_both_values_their_intervals_and_the_difference(tmp_path: Path) -> None:
    calibrated = [{"judge_calibrated_threshold": {"positives_above": 0.9}}]
    curve = [metric("leak", 0.01, 0.01, key="0.9"), metric("leak", 0.2, 0.01, key="0.3")]
    shared = [metric("hub", 3, key="d"), metric("negatives", 9), metric("eci", 0.5, 0.1)]
    a = write_run(
        tmp_path, "a", [], ["q"], [*shared, metric("gini", 0.5), metric("leak", 0.1, 0.02)]
    )
    b = write_run(tmp_path, "b", [], ["q"], [*shared, *curve], policies=calibrated)
    own, gini, unkeyed, *rest = compare(a, b).metrics
    assert (own.metric, own.key, own.a, own.b) == ("leak", "own", 0.1, 0.01)
    assert own.difference == pytest.approx(-0.09)
    assert own.intervals_meet is False
    assert gini == Measured("gini", *[None] * 4, 0.5, *[None] * 5)
    assert (gini.difference, gini.intervals_meet) == (None, None)
    assert (unkeyed.metric, unkeyed.key) == ("leak", None)
    assert [(row.metric, row.key) for row in rest] == [("leak", "0.9"), ("leak", "0.3")]


def test_the_same_run_twice_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a", [Pair("q", "d")])
    with pytest.raises(ConfigError, match=re.escape(f"both are run a ({run.path}); give two")):
        compare(run, run)


def test_a_run_that_is_damaged_is_named(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path, name, [Pair("q", "d")]) for name in "ab")
    (b.path / "negatives" / "tier=hard" / "part-000.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match=r"runs/b cannot be read: .* Mine the run again"):
        compare(a, b)
