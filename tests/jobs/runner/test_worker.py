"""The launcher of workers for engines that have no containers."""

import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from apache_beam.portability.api import beam_provision_api_pb2 as messages
from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
from apache_beam.portability.api import endpoints_pb2
from google.protobuf import text_format

from negmine.jobs.runner.provisioning import provision, variables
from negmine.jobs.runner.worker import _arguments
from negmine.schemas.errors import ConfigError
from tests.jobs.runner.job_service import LAUNCHER, ROOT

NOBODY = "localhost:9"


class Provisioning(services.ProvisionServiceServicer):
    """An engine that tells every worker the same, and hears how it is called."""

    def __init__(self, info: messages.ProvisionInfo) -> None:
        self.info = info
        self.called: list[str] = []

    def GetProvisionInfo(
        self, request: object, context: grpc.ServicerContext
    ) -> messages.GetProvisionInfoResponse:
        self.called.append(str(dict(context.invocation_metadata())["worker_id"]))
        return messages.GetProvisionInfoResponse(info=self.info)


@contextmanager
def engine(info: messages.ProvisionInfo) -> Iterator[tuple[str, Provisioning]]:
    server = grpc.server(ThreadPoolExecutor(1))
    service = Provisioning(info)
    services.add_ProvisionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield f"localhost:{port}", service
    finally:
        server.stop(None)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "NEGMINE_PYTHON": sys.executable, "PYTHONPATH": str(ROOT), **more}


def info_of(control: str) -> messages.ProvisionInfo:
    info = messages.ProvisionInfo(control_endpoint=endpoints_pb2.ApiServiceDescriptor(url=control))
    info.pipeline_options.update({"beam:option:job_name:v1": "negmine"})
    return info


def test_quotes_that_no_shell_took_off_are_not_of_a_worker_s_name() -> None:
    assert _arguments(["--id='job-001_go'", "--provision_endpoint=x"]).id == "job-001_go"


def test_a_worker_learns_from_the_engine_where_its_services_are() -> None:
    with engine(info_of("localhost:1")) as (address, service):
        info = provision(address, "1-1")
    assert service.called == ["1-1"]
    given = Namespace(
        id="1-1",
        provision_endpoint=address,
        control_endpoint="not this one",
        logging_endpoint="localhost:2",
    )
    found = variables(info, given, "/folder")

    def url(service: str) -> str:
        said = endpoints_pb2.ApiServiceDescriptor()
        text_format.Parse(found[f"{service}_API_SERVICE_DESCRIPTOR"], said)
        return str(said.url)

    assert url("CONTROL") == "localhost:1", "what the engine says wins"
    assert url("LOGGING") == "localhost:2", "what it is silent of was given"
    assert "STATUS_API_SERVICE_DESCRIPTOR" not in found
    assert found["PIPELINE_OPTIONS"] == '{"beam:option:job_name:v1": "negmine"}'


def test_an_engine_that_names_no_control_service_is_an_error() -> None:
    given = Namespace(id="1", provision_endpoint="h:1", control_endpoint=None, logging_endpoint="")
    with pytest.raises(ConfigError, match="worker 1: h:1 names no control service"):
        variables(messages.ProvisionInfo(), given, "")


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(ConfigError, match=rf"worker 7: .*{NOBODY} does not answer \(DEADLINE"):
        provision(NOBODY, "7", seconds=0.2)


def test_the_launcher_keeps_what_a_worker_says_of_its_end(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    words = [str(LAUNCHER), "--id=1"]
    with_logs = environment(NEGMINE_WORKER_LOGS=str(logs))
    assert subprocess.run(words, env=with_logs).returncode != 0
    (log,) = logs.iterdir()
    assert "--provision_endpoint" in log.read_text()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see the worker")
def test_a_worker_does_not_outlive_the_engine_that_started_it(tmp_path: Path) -> None:
    # A server that accepts and is silent: the worker waits for its word.
    with engine(info_of(NOBODY)) as (address, service):
        script = f'"{LAUNCHER}" --id=1 --provision_endpoint={address} & echo $! >pid; wait'
        parent = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, env=environment())
        until = time.monotonic() + 60
        while not service.called and time.monotonic() < until:
            time.sleep(0.05)
        assert service.called == ["1"]
        worker = int((tmp_path / "pid").read_text())
        assert Path(f"/proc/{worker}").exists()
        parent.kill()
        parent.wait()
        until = time.monotonic() + 30
        while _lives(worker) and time.monotonic() < until:
            time.sleep(0.1)
        assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
