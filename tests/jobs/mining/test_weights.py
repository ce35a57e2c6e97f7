"""`weighting`: what the run's negatives weigh, in its files, metrics and report."""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from pydantic import ValidationError

from negmine.jobs.mining.run import MiningRun
from negmine.schemas.config import Config
from tests.jobs.collections import negmine, static_student, write_collection, write_config
from tests.jobs.published_runs import mine, work_without
from tests.transforms.input_files import write_lines

METHODS = ("inverse_propensity", "focal", "true_negative")


def negatives(run: Path, columns: str) -> list[tuple[object, ...]]:
    files = f"{run}/negatives/**/*.parquet"
    return (
        duckdb.connect()
        .execute(
            f"SELECT {columns} FROM read_parquet(?, hive_partitioning = true) "
            "ORDER BY query_id, negative_id",
            [files],
        )
        .fetchall()
    )


def metrics(run: Path, name: str) -> dict[str, float]:
    rows = (
        duckdb.connect()
        .execute(
            f"SELECT key, value FROM '{run}/metrics.parquet' WHERE metric = ? AND tier IS NULL",
            [name],
        )
        .fetchall()
    )
    return {str(key): float(value) for key, value in rows}


def weighted(first: tuple[Path, MiningRun], method: str, *settings: str) -> Path:
    """The same run with weights; only publish is made anew."""
    output = first[0].parents[1]
    run, miner = mine(output, f"weighting.method={method}", f"output.run_id={method}", *settings)
    assert all(e["reused"] for name, e in miner.work.timings.items() if name != "publish")
    return run


def test_without_weighting_every_negative_weighs_one(first: tuple[Path, MiningRun]) -> None:
    assert set(negatives(first[0], "weight, surface_sim")) == {(1.0, None)}
    assert not metrics(first[0], "weight")
    assert 'id="weights"' not in (first[0] / "report.html").read_text()


@pytest.mark.slow
def test_inverse_propensity_evens_out_the_cells(first: tuple[Path, MiningRun]) -> None:
    run = weighted(first, "inverse_propensity")
    assert negatives(run, "query_id, negative_id") == negatives(first[0], "query_id, negative_id")
    weight, surface = np.array(negatives(run, "weight, surface_sim"), dtype=float).T
    assert ((surface >= 0) & (surface <= 1)).all()
    assert weight.mean() == pytest.approx(1.0, abs=1e-5)
    before, after = metrics(run, "weight_cell"), metrics(run, "weight_cell_after")
    assert before.keys() == after.keys()
    assert sum(before.values()) == pytest.approx(1) and sum(after.values()) == pytest.approx(1)
    assert np.std(list(after.values())) < np.std(list(before.values()))
    page = (run / "report.html").read_text()
    assert "inverse_propensity: rare kinds of negatives count more" in page
    assert "surface 1 of 5" in page


@pytest.mark.slow
def test_focal_weighs_by_how_wrong_the_student_is(first: tuple[Path, MiningRun]) -> None:
    run = weighted(first, "focal")
    rows = np.array(negatives(run, "weight, dense_score - positive_dense_score"), dtype=float)
    order = np.argsort(rows[:, 1], kind="stable")
    assert (np.diff(rows[order, 0]) >= -1e-6).all()
    assert rows[:, 0].mean() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_true_negative_weighs_less_what_the_judge_finds_likely(
    first: tuple[Path, MiningRun],
) -> None:
    run = weighted(first, "true_negative")
    rows = np.array(negatives(run, "weight, judge_score"), dtype=float)
    assert ((rows[:, 0] >= 0) & (rows[:, 0] <= 1)).all()
    order = np.argsort(rows[:, 1], kind="stable")
    assert (np.diff(rows[order, 0]) <= 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_weights_do_not_depend_on_the_blocks(
    first: tuple[Path, MiningRun], method: str, tmp_path: Path
) -> None:
    one = weighted(first, method, f"output.run_id={method}-one")
    work = work_without(first[1], tmp_path / "work", "retrieve", "select", "score")
    other, miner = mine(
        tmp_path / "other", f"weighting.method={method}", "runner.block_size=7", work
    )
    assert not miner.work.timings["select"]["reused"]
    columns = "query_id, negative_id, weight, surface_sim"
    assert negatives(one, columns) == negatives(other, columns)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    base = tmp_path_factory.mktemp("weights")
    scores = [
        {"query_id": f"q{q:04}", "doc_id": f"d{d:04}", "score": float(q == d)}
        for q in range(3)
        for d in range(12)
    ]
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(write_collection(base / "in", 12, 3))},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        sources={"dense": {"depth": 12}},
        judge={"kind": "precomputed", "path": str(write_lines(base / "scores.jsonl", scores))},
        policies=[{"judge_score": {"max": -1.0}}],
        tiers={"all": {"quota": 3}},
        output={"path": str(base / "out")},
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_run_without_negatives_has_nothing_to_weigh(small: str, method: str) -> None:
    ended = negmine("mine", small, "--set", f"weighting.method={method}")
    assert ended.code == 0, ended.err
    assert "the run holds no negatives" in ended.err


def test_true_negative_needs_a_judge() -> None:
    values = {
        "input": {"format": "beir", "path": "x", "split": "train"},
        "judge": {"kind": "none"},
        "weighting": {"method": "true_negative"},
    }
    with pytest.raises(ValidationError, match=r"true_negative is read off a judge's scores"):
        Config.model_validate(values)
