"""What can be checked of Flink, Spark and any other engine that is behind a job service."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.jobs.runner.options import check_services
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

_LOCAL = ("localhost", "127.", "[::1]", "embed", "[local]", "local")
_MASTERS = {"FlinkRunner": "flink_master", "SparkRunner": "spark_master_url"}


def portable_checks(options: "PipelineOptions", runner: str) -> Iterator[Check]:
    """The checks of a job service and of the workers that it is to start.

    Args:
        options: Beam's.
        runner: Beam's name of it.
    """
    found = options.get_all_options()
    try:
        check_services(options, runner)
        yield ok("service", f"answers at {_address(found, runner)}")
    except ConfigError as error:
        yield wrong("service", error, "")
    yield from _job_server(found, runner)
    yield from _environment(found)


def is_here(options: JsonObject, runner: str) -> bool:
    """Whether the engine's service is on this machine."""
    return _address(options, runner).removeprefix("http://").startswith(_LOCAL)


def _address(options: JsonObject, runner: str) -> str:
    return str(options.get("job_endpoint") or options.get(_MASTERS.get(runner, ""), ""))


def _job_server(options: JsonObject, runner: str) -> Iterator[Check]:
    """Without a job endpoint Beam starts a job server of its own, from a jar and with Java."""
    if options.get("job_endpoint") or runner not in _MASTERS:
        return
    name = f"{runner.removesuffix('Runner').lower()}_job_server_jar"
    jar = options.get(name)
    if jar and not Path(str(jar)).is_file() and "://" not in str(jar):
        yield wrong(name, f"{jar} is not there", f"correct runner.options.{name}")
    elif jar:
        yield ok(name, jar)
    else:
        yield unknown(
            name,
            "not given, so Beam downloads one from Maven Central",
            f"set runner.options.{name}, or start a job server and set job_endpoint",
        )
    launcher = str(options.get("job_server_java_launcher") or "java")
    if shutil.which(launcher) is None:
        yield wrong("java", f"{launcher} is not on this machine", "install Java 17")


def _environment(options: JsonObject) -> Iterator[Check]:
    kind = str(options.get("environment_type") or "DOCKER").upper()
    config = options.get("environment_config")
    if kind == "PROCESS":
        yield from _process(config)
    elif kind == "EXTERNAL":
        yield _pool(str(config or ""))
    elif kind == "LOOPBACK":
        yield ok("workers", "in the process that submits (LOOPBACK)")
    else:
        image = config or options.get("sdk_container_image")
        said = f"in containers of {image}" if image else "in containers of Beam's own image"
        yield unknown(
            "workers",
            f"{said}; the engine's machines need Docker, and the image negmine",
            "without Docker set environment_type: PROCESS (docs/runners.md)",
        )


def _process(config: object) -> Iterator[Check]:
    try:
        given = json.loads(str(config))
        command, variables = str(given["command"]), dict(given.get("env") or {})
    except (ValueError, KeyError, TypeError, AttributeError):
        yield wrong(
            "workers",
            f"environment_config is {config!r}",
            'write \'{"command": "/shared/worker.sh", "env": {"NEGMINE_PYTHON": "..."}}\'',
        )
        return
    for name, file in (
        ("worker command", command),
        ("NEGMINE_PYTHON", variables.get("NEGMINE_PYTHON")),
    ):
        if file is None:
            said = "not given: python3 of each machine"
            yield unknown(name, said, "set it to the Python that has negmine")
        elif os.access(file, os.X_OK):
            yield ok(name, f"{file} is here; every machine needs it under this name")
        elif Path(file).exists():
            yield wrong(name, f"{file} cannot be executed", f"chmod +x {file}")
        else:
            yield unknown(name, f"{file} is not on this machine", "see that it is on every other")


def _pool(address: str) -> Check:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2.0).close()
    except (OSError, ValueError, OverflowError) as error:
        return wrong(
            "workers",
            f"no worker pool answers at {address!r} ({type(error).__name__})",
            "start apache_beam.runners.worker.worker_pool_main there",
        )
    return ok("workers", f"a worker pool answers at {address}")
