"""Starts one Beam worker without a container: what an engine runs where processes are all it has.

    python -m negmine.jobs.runner.worker --id=1-1 --provision_endpoint=host:port

An engine whose environment is PROCESS (a task manager of Flink, an executor of Spark) calls
jobs/templates/worker.sh, which runs this. It asks the engine where its services are, and then is
Beam's own worker in this process, with the packages of this Python.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from negmine.schemas.errors import ConfigError

if TYPE_CHECKING:
    from apache_beam.portability.api.beam_provision_api_pb2 import ProvisionInfo

_SECONDS = 60.0
_EVERY = 1.0
_MESSAGE_LIMIT = -1
"""Of a message in bytes: none, as for Beam's own channels."""


def main(arguments: Sequence[str]) -> None:
    """Run a worker until the engine has no more work for it, or is gone.

    Raises ConfigError where the engine's provisioning service does not answer.
    """
    given = _arguments(arguments)
    _end_with(os.getppid())
    info = provision(given.provision_endpoint, given.id)
    with tempfile.TemporaryDirectory(prefix="negmine-worker-") as folder:
        os.environ.update(variables(info, given, folder))
        from apache_beam.runners.worker import sdk_worker_main

        for artifact in info.dependencies:
            logging.getLogger(__name__).debug("not installed: %s", artifact.role_urn)
        sdk_worker_main.main([])


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    # Prism writes the quotes of a shell round the name, and no shell takes them off.
    parser.add_argument("--id", required=True, type=_bare, help="chosen by the engine")
    parser.add_argument("--provision_endpoint", required=True, help="host:port of the engine")
    for service in ("control", "logging", "artifact"):
        parser.add_argument(f"--{service}_endpoint", help="where provisioning names none")
    return parser.parse_known_args(list(arguments))[0]


def _bare(name: str) -> str:
    return name.strip("'")


def provision(endpoint: str, worker: str, seconds: float = _SECONDS) -> "ProvisionInfo":
    """What the engine says of the job to the worker that it started under this name."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2 as messages
    from apache_beam.portability.api import beam_provision_api_pb2_grpc as services

    options = [("grpc.max_receive_message_length", _MESSAGE_LIMIT)]
    try:
        with grpc.insecure_channel(endpoint, options=options) as channel:
            answer = services.ProvisionServiceStub(channel).GetProvisionInfo(
                messages.GetProvisionInfoRequest(),
                metadata=[("worker_id", worker)],
                timeout=seconds,
                wait_for_ready=True,
            )
    except grpc.RpcError as error:
        raise ConfigError(
            f"worker {worker}: the engine's provisioning service at {endpoint} does not answer "
            f"({error.code().name}); an engine gives that address, it is not for people to choose"
        ) from error
    return answer.info


def variables(info: "ProvisionInfo", given: argparse.Namespace, folder: str) -> dict[str, str]:
    """The environment that Beam's worker reads, of what the engine says and what it was given."""
    from apache_beam.portability.api import endpoints_pb2
    from google.protobuf import json_format, text_format

    found = {
        "WORKER_ID": given.id,
        "PIPELINE_OPTIONS": json.dumps(json_format.MessageToDict(info.pipeline_options)),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
        "SEMI_PERSISTENT_DIRECTORY": folder,
    }
    addresses = {
        "CONTROL": info.control_endpoint.url or given.control_endpoint,
        "LOGGING": info.logging_endpoint.url or given.logging_endpoint,
        "STATUS": info.status_endpoint.url,
    }
    for service, url in addresses.items():
        if url:
            message = endpoints_pb2.ApiServiceDescriptor(url=url)
            name = f"{service}_API_SERVICE_DESCRIPTOR"
            found[name] = text_format.MessageToString(message, as_one_line=True)
    if not addresses["CONTROL"]:
        raise ConfigError(f"worker {given.id}: {given.provision_endpoint} names no control service")
    return found


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, as after a kill -9 of the engine."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"error: {error}")
