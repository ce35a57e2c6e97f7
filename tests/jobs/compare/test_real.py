"""Two real runs that differ by one threshold: everything agrees with their own Parquet."""

from pathlib import Path

import duckdb
import pytest

from negmine.jobs.compare import compare
from negmine.jobs.compare.result import Comparison, Setting
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import Run
from negmine.transforms.data.sql import dataset_sql, partitioned_sql
from tests.jobs.published_runs import mine

STRICTER = "policies.judge_calibrated_threshold.positives_above=0.9"


@pytest.fixture(scope="module")
def runs(first: tuple[Path, MiningRun]) -> tuple[Run, Run]:
    output = first[0].parents[1]
    return Run(first[0]), Run(mine(output, "output.run_id=stricter", STRICTER)[0])


@pytest.fixture(scope="module")
def found(runs: tuple[Run, Run]) -> Comparison:
    return compare(*runs)


def negatives(run: Run) -> set[tuple[str, str]]:
    sql = partitioned_sql(run.path / "negatives", "tier")
    return set(duckdb.connect().sql(f"SELECT query_id, negative_id FROM ({sql})").fetchall())


def test_one_policy_is_all_that_differs(found: Comparison) -> None:
    assert (found.config, found.inputs, found.warnings) == ([], [], [])
    (change,) = found.policies
    assert change.name == "judge_calibrated_threshold"
    assert change.a is not None
    assert change.b is not None
    assert (change.a["positives_above"], change.b["positives_above"]) == (0.5, 0.9)
    assert change.b["threshold"] < change.a["threshold"]


def test_negatives_that_left_have_the_verdict_of_that_policy(
    runs: tuple[Run, Run], found: Comparison
) -> None:
    a, b = map(negatives, runs)
    overall = found.overlap[0]
    assert (overall.a, overall.b, overall.both) == (len(a), len(b), len(a & b))
    assert (overall.only_a, overall.only_b) == (len(a - b), len(b - a))
    assert sum(move.count for move in found.left) == len(a - b) > 0
    assert sum(move.count for move in found.entered) == len(b - a) > 0
    assert "judge_calibrated_threshold" in {move.verdict for move in found.left}
    assert "judge_calibrated_threshold" not in {move.verdict for move in found.entered}
    assert None not in {move.verdict for move in (*found.left, *found.entered)}


def test_paired_metrics_are_the_means_of_the_sets(runs: tuple[Run, Run], found: Comparison) -> None:
    rows = {row.metric: row for row in found.paired if row.tier is None}
    for name, column in (("size", "negatives"), *((n, n) for n in ("eci", "signal", "safety"))):
        for side, run in zip("ab", runs, strict=True):
            sql = f"SELECT avg({column}) FROM ({dataset_sql(run.path / 'sets')})"
            ((mean,),) = duckdb.connect().sql(sql).fetchall()
            assert getattr(rows[name], side) == pytest.approx(mean, abs=1e-6), name
        assert rows[name].queries == 120
    margin = rows["judge_margin"]
    assert 0 < margin.low < margin.difference < margin.high


def test_metrics_of_the_files_are_matched(found: Comparison) -> None:
    rows = {(r.metric, r.tier): r for r in found.metrics if r.key is None and r.source is None}
    for place in (("judge_fn_rate", None), ("shortcut_auc", "hard")):
        assert rows[place].intervals_meet is not None
    assert ("signal", None) not in rows
    assert found.verdict.startswith("B is ")


def test_a_run_beside_its_like_differs_in_nothing(
    runs: tuple[Run, Run], first: tuple[Path, MiningRun]
) -> None:
    again = Run(mine(first[0].parents[1], "output.run_id=first-again")[0])
    same = compare(runs[0], again)
    assert same.verdict == f"Both runs chose the same {same.overlap[0].both:,} negatives"
    assert same.overlap[0].identical == same.overlap[0].queries == 120
    assert {row.difference for row in same.counts} == {0}
    assert {row.difference for row in same.metrics} == {0.0}
    assert {(row.low, row.high) for row in same.paired} == {(0.0, 0.0)}


def test_a_setting_of_the_tiers_is_a_setting_that_differs(
    runs: tuple[Run, Run], first: tuple[Path, MiningRun]
) -> None:
    fewer = mine(first[0].parents[1], "output.run_id=fewer", "tiers.hard.quota=2")[0]
    found = compare(runs[0], Run(fewer))
    assert found.config == [Setting("tiers.hard.quota", 3, 2)]
    assert "fewer hard negatives" in found.verdict
