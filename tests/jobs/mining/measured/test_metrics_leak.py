"""The leak curve of a run whose queries have several positives."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from negmine.jobs.runs.published import Run
from negmine.jobs.sweep.run import sweep
from negmine.schemas.config import Config
from negmine.schemas.selection import Selection
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.metrics.leak import leak_rows
from negmine.transforms.pairs.features import Collection
from tests.jobs.sweep.test_sweep import QRELS, base, collection_run

__all__ = ["base"]


@pytest.fixture(scope="module")
def several(base: Path) -> Run:
    return collection_run(base, "metrics", QRELS)


def test_the_leak_curve_is_the_sweeps(several: Run) -> None:
    policies = ("suspected_positive", "judge_calibrated_threshold")
    shares = (0.3, 0.5, 0.7, 0.9)
    grid = [{f"{policy}.positives_above": share for policy in policies} for share in shares]
    rows = zip(shares, sweep(several, grid), strict=True)
    expected = {f"{share:g}": row["leak"] for share, row in rows}
    table = pq.read_table(several.path / "metrics.parquet").to_pylist()
    found = {row["key"]: row["value"] for row in table if row["metric"] == "leak"}
    assert found == expected
    assert len(set(expected.values())) > 1
    assert {row["count"] for row in table if row["metric"] == "leak"} == {len(QRELS) // 3}


def test_without_a_calibrated_policy_the_leak_is_that_of_the_run(several: Run) -> None:
    artifacts = several.artifacts()
    names = ("documents", "queries", "positives", "document_vectors", "query_vectors")
    collection = Collection(*(Dataset(str(artifacts[name])) for name in names))
    config = several.manifest["config"]
    policies = [{"known_positive": {}}, {"judge_relative_margin": {"keep_below": 100}}]
    selection = Selection.of(Config.model_validate({**config, "policies": policies}))
    leak, hard = leak_rows(collection, Dataset(str(artifacts["judged"])), selection)
    assert leak.key is None and hard.key is None
    assert leak.count == len(QRELS) // 3
    assert 0 < leak.low < leak.value < leak.high < 1
    assert 0 < hard.value <= hard.count
