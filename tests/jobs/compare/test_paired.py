"""Metrics paired by query: means against a slow calculation, intervals against known cases."""

from pathlib import Path

import numpy as np
import pytest

from negmine.jobs.compare import compare
from negmine.jobs.compare.paired import PAIRED
from negmine.jobs.compare.result import Comparison, Paired
from negmine.jobs.runs.published import Run
from negmine.transforms.kernels.eci import eci, harmonic_mean
from tests.jobs.compare.a_pair import Pair, float32, write_run


def random_pairs(seed: int, queries: int = 40, each: int = 4) -> list[Pair]:
    draw = np.random.default_rng(seed)
    return [
        float32(
            Pair(
                f"q{query:03d}",
                f"d{draw.integers(1e6)}",
                tier=["hard", "semi_hard"][at % 2],
                dense=draw.uniform(-0.2, 1.0),
                positive=0.4 + query / 100,
                judge=None if query % 5 == seed else float(at + query % 3),
            )
        )
        for query in range(queries)
        for at in range(draw.integers(0 if query else 1, each))
    ]


def by_name(found: Comparison, tier: str | None = None) -> dict[str, Paired]:
    return {row.metric: row for row in found.paired if row.tier == tier}


def slow(pairs: list[Pair], query: str, tier: str | None) -> dict[str, float]:
    mine = [p for p in pairs if p.query == query and tier in (None, p.tier)]
    ratio = [1 - (p.positive - p.dense) / max(abs(p.positive), 1e-6) for p in mine]
    found = {"size": float(len(mine)), "hard_negatives": float(sum(r >= 0.8 for r in ratio))}
    judged = [p.positive_judge - p.judge for p in mine if p.judge is not None]  # type: ignore[operator]
    if judged:
        found["judge_margin"] = min(judged)
    if mine:
        signal = float(np.mean([p.dense for p in mine]))
        safety = float(np.mean([max(0.0, p.positive - p.dense) for p in mine]))
        mean = harmonic_mean(signal, safety)
        parts = {"signal": signal, "safety": safety, "harmonic_mean": mean}
        found |= {**parts, "eci": eci(len(mine), signal, safety)}
    return found


@pytest.mark.parametrize("tier", [None, "hard", "semi_hard"])
def test_means_are_those_of_a_slow_calculation(tmp_path: Path, tier: str | None) -> None:
    a, b = random_pairs(1), random_pairs(2)
    names = [f"q{at:03d}" for at in range(40)]
    runs = [write_run(tmp_path, n, p, [*names, f"only {n}"]) for n, p in (("a", a), ("b", b))]
    found = by_name(compare(*runs), tier)
    assert set(found) == set(PAIRED)
    terms = [(slow(a, name, tier), slow(b, name, tier)) for name in names]
    for metric, row in found.items():
        both = [(x[metric], y[metric]) for x, y in terms if metric in x and metric in y]
        assert row.queries == len(both)
        in_a, in_b = np.mean(both, axis=0)
        assert (row.a, row.b) == pytest.approx((in_a, in_b), abs=1e-9)
        assert row.difference == pytest.approx(in_b - in_a, abs=1e-9)
        assert row.low <= row.difference <= row.high


def shifted(output: Path, shift: np.ndarray) -> tuple[Run, Run]:
    pairs = [Pair(f"q{at:04d}", "d", dense=0.25) for at in range(len(shift))]
    moved = [Pair(p.query, "d", dense=0.25 + by) for p, by in zip(pairs, shift, strict=True)]
    return write_run(output, "a", pairs), write_run(output, "b", moved)


def test_a_difference_that_is_the_same_for_every_query_is_certain(tmp_path: Path) -> None:
    row = by_name(compare(*shifted(tmp_path, np.full(30, 0.125))))["signal"]
    assert (row.a, row.b, row.queries) == (0.25, 0.375, 30)
    assert row.difference == row.low == row.high == 0.125


def test_the_interval_is_that_of_the_normal_approximation(tmp_path: Path) -> None:
    shift = np.random.default_rng(7).normal(0.02, 0.05, 400)
    row = by_name(compare(*shifted(tmp_path, shift)))["signal"]
    half = 1.96 * shift.std(ddof=1) / np.sqrt(len(shift))
    assert row.difference == pytest.approx(shift.mean(), abs=1e-6)
    assert row.low == pytest.approx(shift.mean() - half, abs=0.1 * half)
    assert row.high == pytest.approx(shift.mean() + half, abs=0.1 * half)


def test_the_other_way_round_every_sign_turns(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, n, random_pairs(s)) for n, s in (("a", 1), ("b", 2))]
    there, back = compare(*runs), compare(*reversed(runs))
    assert there.left == back.entered
    assert there.entered == back.left
    for one, other in zip(there.paired, back.paired, strict=True):
        assert (one.metric, one.tier, one.a, one.b) == (
            *(other.metric, other.tier, other.b, other.a),
        )
        assert one.difference == -other.difference
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


def test_scores_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    odd = [Pair("q", "d", dense=float("nan"), judge=float("inf")), Pair("q", "e", dense=0.5)]
    found = by_name(
        compare(write_run(tmp_path, "a", odd), write_run(tmp_path, "b", [Pair("q", "e")]))
    )
    assert (found["signal"].a, found["signal"].b) == (0.5, 0.5)
    assert found["judge_margin"].a == found["judge_margin"].b == 2.0
    assert found["size"].difference == -1.0


def test_without_a_common_query_nothing_is_paired(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path, n, [Pair(f"q{n}", "d")]) for n in "ab")
    found = compare(a, b)
    assert (found.paired, found.overlap, found.left) == ([], [], [])
    assert found.verdict.startswith("The runs have no query in common")
