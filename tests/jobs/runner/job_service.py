"""Beam's Python job service and a pool of worker processes, each in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
LAUNCHER = ROOT / "jobs" / "templates" / "worker.sh"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("localhost", 0))
        port: int = held.getsockname()[1]
    return port


def _wait_for(port: int, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < end, f"nothing listens on {port}"
            time.sleep(0.1)


@contextmanager
def job_service(
    folder: Path, variables: dict[str, str] | None = None, launcher: Path | None = None
) -> Iterator[dict[str, str]]:
    """The `runner.options` that lead to both, which run in `folder` with these variables.

    Workers are started by `launcher`, by Beam itself where there is none.
    """
    beam = "apache_beam.runners"
    service, pool = _free_port(), _free_port()
    commands = (
        (f"{beam}.portability.local_job_service_main", "--port", str(service)),
        (
            f"{beam}.worker.worker_pool_main",
            f"--container_executable={launcher or ''}",
            f"--service_port={pool}",
        ),
    )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **(variables or {})}
    with (folder / "log").open("w") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", *c], stdout=log, stderr=log, env=environment, cwd=folder
            )
            for c in commands
        ]
        try:
            for port in (service, pool):
                _wait_for(port)
            yield {
                "job_endpoint": f"localhost:{service}",
                "environment_type": "EXTERNAL",
                "environment_config": f"localhost:{pool}",
            }
        finally:
            for process in started:
                process.terminate()
                process.wait(600)
