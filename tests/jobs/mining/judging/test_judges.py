"""Whole runs judged by a cross-encoder: one that works, and three that cannot be a judge."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import (
    Ended,
    cross_encoder,
    leftovers,
    negmine,
    published,
    small_run,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judges")


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    return small_run(base, judge={"kind": "cross_encoder", "device": "cpu"}, output={})


@pytest.fixture(scope="module")
def good(base: Path) -> Path:
    return cross_encoder(base / "good")


def judged_by(config: str, model: Path | str, output: Path) -> Ended:
    setting = f"judge.model={model}"
    return negmine("mine", config, "--output", str(output), "--set", setting)


def refused(ended: Ended, output: Path, *words: str) -> None:
    assert ended.code == 4, ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("error: ") == 1
    for word in words:
        assert word in ended.err
    assert not published(output)
    assert not leftovers(output)


def test_a_cross_encoder_judges_a_whole_run(config: str, good: Path, tmp_path: Path) -> None:
    ended = judged_by(config, good, tmp_path)
    assert ended.code == 0, ended.err
    run = tmp_path / "runs" / published(tmp_path)["current"].strip()
    assert json.loads((run / "manifest.json").read_text())["models"]["judge"]
    table = pq.read_table(run / "ledger", columns=["judge_score"])
    scores = [score for score in table.column("judge_score").to_pylist() if score is not None]
    assert scores
    assert all(0 <= score <= 1 for score in scores)
    negatives = pq.read_table(run / "negatives", columns=["judge_score", "positive_judge_score"])
    assert negatives.num_rows
    assert not negatives.column("positive_judge_score").null_count


def test_weights_that_are_not_numbers_are_told(config: str, base: Path, tmp_path: Path) -> None:
    model = cross_encoder(base / "nan", broken=True)
    refused(judged_by(config, model, tmp_path), tmp_path, str(model), "not numbers", "damaged")


def test_three_labels_are_not_a_score(config: str, base: Path, tmp_path: Path) -> None:
    model = cross_encoder(base / "three", labels=3)
    refused(judged_by(config, model, tmp_path), tmp_path, "3 labels", "judge.kind: fusion")


def test_weights_cut_off_are_told(config: str, good: Path, base: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(good, base / "cut"))
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    refused(judged_by(config, model, tmp_path), tmp_path, str(model), "cannot be loaded", "again")


def test_a_judge_that_is_not_there_is_told_before_any_work(config: str, tmp_path: Path) -> None:
    ended = judged_by(config, "./nowhere", tmp_path)
    refused(ended, tmp_path, "'./nowhere'", "judge.kind: fusion")
    assert not list((tmp_path / "work").iterdir())
