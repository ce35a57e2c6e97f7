"""A local run publishes the same bytes, and counts the same, whoever makes its blocks."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.load_config import load_config
from negmine.jobs.mining import choosing
from negmine.jobs.mining.judging import judgement
from negmine.jobs.mining.publish import mine
from negmine.jobs.runs.published import Run
from negmine.transforms import workers
from tests.jobs.collections import digest, static_student, write_collection, write_config

QUERIES, BLOCK = 40, 4


def _waiting(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three workers, the helpers ready to work."""
    monkeypatch.setattr(workers, "SOON", 0.0)
    with workers.working_with(3):
        deadline = time.monotonic() + 180
        while workers.helpers() < 2 and time.monotonic() < deadline:
            list(workers.made_by_workers(_waiting, range(12)))
    assert workers.helpers() == 2
    yield
    workers._team.end()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("workers")
    write_collection(base / "in", documents=60, queries=QUERIES)
    static_student(base / "student")
    return base


def run_with(base: Path, out: Path, count: int, block: int = BLOCK) -> Run:
    file = write_config(
        out / "run.yaml",
        input={"format": "beir", "path": str(base / "in"), "split": "train"},
        student={"model": str(base / "student")},
        judge={"kind": "none"},
        runner={"workers": count, "block_size": block},
        output={"path": str(out), "run_id": "run"},
    )
    return mine(load_config(file))


def counted(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.manifest["counters"]
    return found


def test_helpers_make_the_same_bytes_and_counts_as_one_process(
    base: Path, tmp_path: Path, helpers: None
) -> None:
    alone = run_with(base, tmp_path / "1", 1)
    assert workers.helpers() == 2
    made = workers._team.taken
    shared = run_with(base, tmp_path / "3", 3)
    assert workers._team.taken > made
    for name in ("negatives", "ledger", "sets", "positives"):
        assert digest(shared.path, name) == digest(alone.path, name) != {}
    assert counted(shared) == counted(alone)


@pytest.mark.parametrize(("count", "least", "blocks"), [(1, 2, 1), (2, 2, 10), (2, 10, 2)])
def test_blocks_are_cut_so_that_each_worker_has_several(
    base: Path,
    tmp_path: Path,
    count: int,
    least: int,
    blocks: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stage in (judgement, choosing):
        monkeypatch.setattr(stage, "SHARED", least)
    run_with(base, tmp_path, count, block=512)
    for stage in ("judge", "select", "score"):
        assert len(list((tmp_path / "work" / stage).glob("*/part-*.parquet"))) == blocks
