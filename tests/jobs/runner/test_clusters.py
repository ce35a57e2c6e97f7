"""Runs on clusters of bare processes: the same bytes as in this process.

They need an engine at hand: NEGMINE_CLUSTER_CACHE names the folder `cache` of clusters that
`python benchmarks/cluster/cluster.py up FOLDER --engine NAME` started once.
"""

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
from benchmarks.cluster.engines import engine
from benchmarks.cluster.processes import HOST, Cluster, stop
from benchmarks.cluster.versions import VERSIONS
from negmine.transforms import storage
from negmine.transforms.storage.places import local_path
from tests.jobs.collections import (
    digest,
    leftovers,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.transforms.storage.servers import running as store_running
from tests.transforms.storage.servers import using

CACHE = os.environ.get("NEGMINE_CLUSTER_CACHE", "")


def missing(name: str) -> str:
    """Why an engine cannot be started here; empty where it can."""
    version = VERSIONS[name]
    made = version.server.jar if version.server else f"{name}-{version.number}"
    if not CACHE or not Path(CACHE, made).exists():
        return f"NEGMINE_CLUSTER_CACHE names no folder with {made}"
    return "" if shutil.which("java") or not version.server else "needs Java"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.skipif(bool(missing(name)), reason=missing(name)))
        for name in VERSIONS
    ],
)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="module")
def cluster(name: str, folder: Path) -> Iterator[Cluster]:
    started = engine(name).up(folder, Path(CACHE), version=name)
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


def test_a_stage_gives_the_bytes_of_this_process(
    cluster: Cluster, config: str, folder: Path
) -> None:
    here, there = folder / "stage_here", folder / "stage_there"
    assert negmine("ingest", config, "--output", str(here)).code == 0
    ended = negmine("ingest", config, "--output", str(there), "--", *options(cluster, folder, 2))
    assert ended.code == 0, ended.err
    expected = digest(here, "work")
    assert expected and digest(there, "work") == expected


@pytest.mark.long
def test_two_workers_give_the_bytes_of_this_process(
    cluster: Cluster, config: str, folder: Path, name: str
) -> None:
    here, there = folder / "here", folder / "there"
    assert negmine("mine", config, "--output", str(here)).code == 0
    ended = negmine("mine", config, "--output", str(there), "--", *options(cluster, folder, 2))
    assert ended.code == 0, ended.err
    for part in ("negatives", "positives", "ledger", "sets"):
        expected = digest(here / "runs" / "r", part)
        assert expected and digest(there / "runs" / "r", part) == expected
    assert leftovers(there) == []
    done = engine(name).done(cluster, folder)
    worked = {worker for job in done for worker, count in job.read.items() if count}
    assert len(worked) == (0 if name == "prism" else 2), "Prism does not say who worked"


@pytest.mark.long
def test_what_two_workers_counted_is_counted_by_stage(cluster: Cluster, folder: Path) -> None:
    here, there = (
        json.loads((folder / side / "runs" / "r" / "manifest.json").read_text())["counters"]
        for side in ("here", "there")
    )
    assert here == there


@pytest.mark.long
def test_control_c_ends_flinks_job_and_the_same_command_goes_on(
    cluster: Cluster, config: str, folder: Path, name: str
) -> None:
    if not name.startswith("flink"):
        pytest.skip("no address of its own is asked to end a job")
    output = folder / "interrupted"
    master = f"--flink_master={HOST}:{cluster.ports['rest']}"
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


@pytest.mark.long
def test_what_a_worker_raised_reaches_the_user(cluster: Cluster, config: str, folder: Path) -> None:
    model = static_student(folder / "nan", broken=True)
    words = ("--output", str(folder / "broken"), "--set", f"student.model={model}")
    ended = negmine("mine", config, *words, "--", *options(cluster, folder, 2))
    assert ended.code == 4
    assert f"error: the encoder in {model} gave a vector that is not a number" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.long
def test_machines_that_share_a_store_alone_give_the_bytes_of_this_process(
    config: str, tmp_path: Path, name: str
) -> None:
    assert negmine("mine", config, "--output", str(tmp_path / "here")).code == 0
    with store_running("s3", tmp_path / "mirror") as store:
        # Task managers hand their variables on to workers, whose mirror is not this process's.
        with using({"NEGMINE_CACHE": str(tmp_path / "mirror_there")}):
            cluster = engine(name).up(tmp_path, Path(CACHE), version=name)
        try:
            output = ("--output", f"{store.url}/out")
            ended = negmine("mine", config, *output, "--", *options(cluster, tmp_path, 2))
        finally:
            stop(list(cluster.processes.values()))
        assert ended.code == 0, ended.err
        run = storage.fetch_tree(local_path(f"{store.url}/out/runs/r"))
        for part in ("negatives", "positives", "ledger", "sets"):
            expected = digest(tmp_path / "here" / "runs" / "r", part)
            assert expected and digest(run, part) == expected
    assert any((tmp_path / "mirror_there").rglob("part-*")), "the workers used the store"
