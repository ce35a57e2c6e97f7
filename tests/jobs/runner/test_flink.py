"""A run on a Flink cluster of bare processes: the same bytes as in this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks._whole_runs import ROOT
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


def test_what_two_task_managers_counted_is_counted_by_stage(
    cluster: Cluster, config: str, folder: Path
) -> None:
    here, there = (
        json.loads((folder / name / "runs" / "r" / "manifest.json").read_text())["counters"]
        for name in ("here", "there")
    )
    assert here == there


def test_control_c_ends_flinks_job_and_the_same_command_goes_on(
    cluster: Cluster, config: str, folder: Path
) -> None:
    output = folder / "interrupted"
    master = f"--flink_master={flink.HOST}:{cluster.ports['rest']}"
    words = ["mine", config, "--output", str(output), "--", *options(cluster, folder, 2), master]
    said = ""
    with subprocess.Popen(
        [sys.executable, "-m", "negmine", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        while "/#/job/running/" not in said:
            line = run.stderr.readline()
            assert line, said
            said += line
        run.send_signal(signal.SIGINT)
        said += run.stderr.read()
    assert run.returncode == 130, said
    assert "was cancelled; finished parts are kept" in said.splitlines()[-1]
    running = [j for j in flink.jobs(cluster) if j["state"] not in ("FINISHED", "CANCELED")]
    assert running == []
    ended = negmine(*words)
    assert ended.code == 0, ended.err
    assert digest(output / "runs" / "r", "ledger") == digest(folder / "here/runs/r", "ledger")


def test_what_a_worker_raised_reaches_the_user(cluster: Cluster, config: str, folder: Path) -> None:
    model = static_student(folder / "nan", broken=True)
    words = ("--output", str(folder / "broken"), "--set", f"student.model={model}")
    ended = negmine("mine", config, *words, "--", *options(cluster, folder, 2))
    assert ended.code == 4
    assert f"error: the encoder in {model} gave a vector that is not a number" in ended.err
    assert "Traceback" not in ended.err
