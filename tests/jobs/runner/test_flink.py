"""A run on a Flink cluster of bare processes: the same bytes as in this process."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cluster import flink
from benchmarks.cluster.cluster import options
from benchmarks.cluster.processes import Cluster, stop
from tests.jobs.collections import (
    digest,
    leftovers,
    negmine,
    static_student,
    write_collection,
    write_config,
)

CACHE = os.environ.get("NEGMINE_CLUSTER_CACHE", "")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not Path(CACHE, f"beam-runners-flink-1.19-{flink.BEAM}-with-dependencies.jar").is_file()
        or shutil.which("java") is None,
        reason="no Flink: needs Java, and in NEGMINE_CLUSTER_CACHE the folder cache of a cluster "
        "that `python benchmarks/cluster/cluster.py up` started once",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flink")


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    started = flink.up(folder, Path(CACHE))
    try:
        yield started
    finally:
        stop(list(started.processes.values()))


@pytest.fixture(scope="module")
def config(folder: Path) -> str:
    return write_config(
        folder / "run.yaml",
        input={"format": "beir", "path": str(write_collection(folder / "c")), "split": "train"},
        student={"model": str(static_student(folder / "student"))},
        judge={"kind": "none"},
        runner={"block_size": 5},
        output={"run_id": "r"},
    )


def test_two_task_managers_give_the_bytes_of_this_process(
    cluster: Cluster, config: str, folder: Path
) -> None:
    here, there = folder / "here", folder / "there"
    assert negmine("mine", config, "--output", str(here)).code == 0
    ended = negmine("mine", config, "--output", str(there), "--", *options(cluster, folder, 2))
    assert ended.code == 0, ended.err
    for name in ("negatives", "positives", "ledger", "sets"):
        expected = digest(here / "runs" / "r", name)
        assert expected and digest(there / "runs" / "r", name) == expected
    assert leftovers(there) == []
    read = [flink.records(cluster, job["jid"]) for job in flink.jobs(cluster)]
    assert {name for each in read for name, count in each.items() if count} == {"tm1", "tm2"}


def test_what_a_worker_raised_reaches_the_user(cluster: Cluster, config: str, folder: Path) -> None:
    model = static_student(folder / "nan", broken=True)
    words = ("--output", str(folder / "broken"), "--set", f"student.model={model}")
    ended = negmine("mine", config, *words, "--", *options(cluster, folder, 2))
    assert ended.code == 4
    assert f"error: the encoder in {model} gave a vector that is not a number" in ended.err
    assert "Traceback" not in ended.err


def test_a_job_server_that_dies_is_named(cluster: Cluster, config: str, folder: Path) -> None:
    cluster.processes["job_server"].kill(signal.SIGKILL)
    given = options(cluster, folder, 2)
    ended = negmine("mine", config, "--output", str(folder / "dead"), "--", *given)
    assert ended.code == 2
    assert f"nothing answers at 127.0.0.1:{cluster.ports['jobs']}" in ended.err
