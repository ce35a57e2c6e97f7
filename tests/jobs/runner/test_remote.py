"""Jobs with an engine: told of, cancelled by a signal, and what is left to do said."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import beam_job_api_pb2 as api
from apache_beam.portability.api import beam_job_api_pb2_grpc as services_api

from negmine.jobs.runner.engine import Engine
from negmine.jobs.runner.options import resolve
from negmine.jobs.runner.remote import RemoteJob, announced
from negmine.schemas.config import Runner
from tests.jobs.collections import digest, fill, leftovers, negmine, published, small_run
from tests.jobs.runner.job_service import ROOT, job_service
from tests.jobs.runner.test_engine import NOBODY, Rest, served

SECONDS = 300


class Result:
    """What Beam gives for a job; notes that it was cancelled."""

    _job_id = "a_0815"

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1
        raise RuntimeError("a job service that is gone")


def job(page: str | None = None, result: Any = None) -> RemoteJob:
    return RemoteJob(Engine("FlinkRunner", "host:8099", page), result or Result())


def test_the_job_service_and_flink_are_asked_to_end_a_job() -> None:
    rest, result = Rest(a1="RUNNING", b1="RUNNING"), Result()
    with served(rest) as flink:
        assert job(flink.address, result).end() == "job a was cancelled"
    assert result.cancelled == 1
    assert rest.states == {"a1": "CANCELED", "b1": "RUNNING"}


@pytest.mark.parametrize(
    ("page", "place"), [(None, "the engine behind host:8099"), (NOBODY, NOBODY)]
)
def test_what_cannot_be_ended_from_here_is_said_with_its_name_and_place(
    page: str | None, place: str
) -> None:
    said = job(page).end()
    assert said.startswith(f"job a may still run on {place}: see there, and cancel it")


def test_a_job_that_is_still_on_its_way_to_flink_is_waited_for_and_ended() -> None:
    """Beam's job server submits a job that it was asked to cancel before."""
    rest = Rest()
    arrives = threading.Timer(0.5, lambda: rest.states.update(a1="RUNNING"))
    with served(rest) as flink:
        arrives.start()
        assert job(flink.address).end() == "job a was cancelled"
    assert rest.states == {"a1": "CANCELED"}


def test_a_job_that_flink_never_shows_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("negmine.jobs.runner.remote._TAKEN", 0.1)
    with served(Rest(b1="RUNNING")) as flink:
        assert "job a may still run" in job(flink.address).end()


def test_of_two_jobs_of_one_name_none_is_ended() -> None:
    rest = Rest(a1="RUNNING", a2="RUNNING")
    with served(rest) as flink:
        assert "job a may still run" in job(flink.address).end()
    assert set(rest.states.values()) == {"RUNNING"}


def test_a_job_is_told_of_with_its_page_when_flink_has_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("negmine.jobs.runner.remote._LOOK", 0.05)
    rest = Rest()
    with served(rest) as flink, announced(job(flink.address)):
        time.sleep(0.2)
        assert capsys.readouterr().err == ""
        rest.states["a1"] = "RUNNING"
        time.sleep(0.5)
    assert capsys.readouterr().err == f"job a_0815, {flink.address}/#/job/running/a1\n"


def test_a_job_of_dataflow_has_a_page_from_the_start() -> None:
    engine = Engine("DataflowRunner", project="p", region="r")
    found = RemoteJob(engine, SimpleNamespace(job_id=lambda: "7", cancel=lambda: None))
    assert str(found) == "7, https://console.cloud.google.com/dataflow/jobs/r/7?project=p"
    assert found.end().startswith("Dataflow was asked to cancel job 7, see https://")


def wait_for_the_end(endpoint: str, job_id: str) -> None:
    """Until the service says that a job has ended; it streams a job's states and ends with it."""
    with grpc.insecure_channel(endpoint) as channel:
        stub = services_api.JobServiceStub(channel)
        states = stub.GetStateStream(api.GetJobStateRequest(job_id=job_id), timeout=SECONDS)
        assert [state.state for state in states]


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def test_a_run_that_is_interrupted_says_what_its_job_service_was_asked(
    tmp_path: Path, number: int
) -> None:
    """Beam's Python job service ends no job; the sentence says so, and a run beside it is right."""
    config = small_run(tmp_path, runner={"block_size": 5}, output={"run_id": "r"})
    with job_service(tmp_path) as services:
        runner = Runner.model_validate({"name": "portable", "options": services})
        output = tmp_path / "there"
        words = ["mine", config, "--output", str(output), "--", *resolve(runner)]
        run = subprocess.Popen(
            [sys.executable, "-m", "negmine", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert run.stderr is not None
        said = ""
        while "job job-" not in said:
            line = run.stderr.readline()
            assert line, said
            said += line
        run.send_signal(number)
        said += run.stderr.read()
        assert run.wait(SECONDS) == 130, said
        last = said.splitlines()[-1]
        assert last.startswith("interrupted; job job-"), said
        assert f"may still run on the engine behind {services['job_endpoint']}" in last
        assert "Traceback" not in said
        assert said.count("engine: PortableRunner") == 1
        assert published(output) == {}
        found = re.match(r"interrupted; job (\S+)", last)
        assert found is not None
        ended = negmine(*words)
        assert ended.code == 0, ended.err
        wait_for_the_end(services["job_endpoint"], found[1])
    assert negmine("mine", config, "--output", str(tmp_path / "here")).code == 0
    expected = digest(tmp_path / "here" / "runs" / "r", "ledger")
    assert expected and digest(output / "runs" / "r", "ledger") == expected
    assert leftovers(output) == []


@pytest.mark.slow
def test_a_shared_disk_that_fills_under_workers_is_named_and_the_same_command_goes_on(
    tmp_path: Path, small_disk: Path
) -> None:
    """It is full for the workers alone: what this process writes is done beforehand."""
    config = small_run(tmp_path, runner={"block_size": 5}, output={"run_id": "r"})
    output = small_disk / "out"
    assert negmine("retrieve", config, "--output", str(output)).code == 0
    assert negmine("mine", config, "--output", str(tmp_path / "here")).code == 0
    with job_service(tmp_path) as services:
        runner = Runner.model_validate({"name": "portable", "options": services})
        words = ("mine", config, "--output", str(output), "--", *resolve(runner))
        ballast = fill(small_disk, 8192)
        ended = negmine(*words)
        assert ended.code == 5, ended.err
        assert "\njob job-" in ended.progress, "it is a worker that found it full"
        assert ended.err.startswith("error: cannot ") and f" {output}/work/" in ended.err
        assert "No space left on device; free space there and run again" in ended.err
        assert "Traceback" not in ended.err
        assert published(output) == {}
        ballast.unlink()
        ended = negmine(*words)
    assert ended.code == 0, ended.err
    expected = digest(tmp_path / "here" / "runs" / "r", "ledger")
    assert expected and digest(output / "runs" / "r", "ledger") == expected
    assert leftovers(output) == []
