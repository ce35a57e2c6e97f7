"""The estimates of a run, against what is published: expected gain, and positives unlabelled."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import Run
from negmine.jobs.sweep.run import sweep
from negmine.transforms.kernels.choosing.calibration import Calibration
from tests.jobs.collections import negmine, small_run
from tests.jobs.mining.measured.test_metrics import ask, metric


def columns(run: Path, sql: str) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*ask(run, sql), strict=True)]


def test_the_expected_gain_is_that_of_the_published_negatives(
    first: tuple[Path, MiningRun],
) -> None:
    run, miner = first
    query, score = columns(run, "SELECT query_id, judge_score FROM ledger WHERE is_positive")
    _, number = np.unique(query, return_inverse=True)
    calibration = Calibration.of(number, score)
    tier, document, near, far, judge = columns(
        run,
        "SELECT tier, negative_id, dense_score, positive_dense_score, judge_score FROM negatives",
    )
    below = calibration.share_below(judge).astype(np.float64)
    hard = 1 / (1 + np.exp(-(near.astype(np.float64) - far) / 0.2))
    _, at, uses = np.unique(document, return_inverse=True, return_counts=True)
    worth = hard * (1 - 1.25 * below**2) / np.sqrt(uses[at])
    queries = miner.rows("queries")
    found = metric(run, "expected_gain", "tier")
    assert found[None] == pytest.approx(worth.sum() / queries, rel=1e-5)
    for name in ("hard", "semi_hard", "random"):
        assert found[name] == pytest.approx(worth[tier == name].sum() / queries, rel=1e-5)
    assert found[None] == pytest.approx(sum(v for k, v in found.items() if k), rel=1e-9)
    low, high = ask(run, "SELECT low, high FROM metrics WHERE metric = 'expected_gain' "
                    "AND tier IS NULL")[0]  # fmt: skip
    assert low < found[None] < high


def test_the_manifest_and_a_sweep_at_the_runs_own_setting_have_the_same(
    first: tuple[Path, MiningRun],
) -> None:
    run, _ = first
    known = metric(run, "expected_gain", "tier")[None]
    summary = Run(run).manifest["summary"]
    assert summary["expected_gain"]["value"] == known
    (own,) = sweep(Run(run), [{"sampling.method": "fused"}])
    assert own["expected_gain"] == pytest.approx(known, rel=1e-6)


def test_without_a_judge_neither_the_metric_nor_a_sweep_promises_anything(tmp_path: Path) -> None:
    ended = negmine("mine", small_run(tmp_path), "--set", "output.run_id=one")
    assert ended.code == 0, ended.err
    run = Run(tmp_path / "out" / "runs" / "one")
    assert metric(run.path, "expected_gain", "tier") == {}
    assert run.manifest["summary"]["expected_gain"] is None
    assert [row["expected_gain"] for row in sweep(run, [{"sampling.method": "top"}])] == [None]


def test_harder_negatives_promise_more_and_random_ones_less(
    first: tuple[Path, MiningRun],
) -> None:
    run, _ = first
    found = metric(run, "expected_gain", "tier")
    count = dict(duckdb.connect().sql(
        f"SELECT tier, count(*) FROM read_parquet('{run}/negatives/**/*.parquet', "
        "hive_partitioning = true) GROUP BY tier").fetchall())  # fmt: skip
    each = {tier: found[tier] / count[tier] for tier in count}
    assert each["hard"] > each["semi_hard"] > each["random"] > 0


def test_unlabelled_positives_are_the_least_quotient_of_the_tails(
    first: tuple[Path, MiningRun],
) -> None:
    run, miner = first
    query, positive, retrieved, judge = columns(
        run,
        "SELECT query_id, is_positive, dense_rank IS NOT NULL OR bm25_rank IS NOT NULL, "
        "judge_score FROM ledger",
    )
    known = judge[positive]
    _, number = np.unique(query[positive], return_inverse=True)
    calibration, queries = Calibration.of(number, known), miner.rows("queries")
    weight = 1 / np.bincount(number)[number]
    quotients = []
    for share in (0.05, 0.1, 0.2, 0.3):
        limit = calibration.threshold(share)
        above = (judge >= limit) & retrieved & ~positive
        quotients.append(above.sum() / (weight * (known >= limit)).sum())
    assert metric(run, "unlabelled_positives", "tier")[None] == pytest.approx(min(quotients))
    assert min(quotients) < 5 and queries == 120
