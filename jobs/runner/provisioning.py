"""What an engine tells the worker that it started, and what Beam's worker reads of it."""

import argparse
import json

import grpc
from apache_beam.portability.api import beam_provision_api_pb2 as messages
from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
from apache_beam.portability.api import endpoints_pb2
from google.protobuf import json_format, text_format

from negmine.schemas.errors import ConfigError

_SECONDS = 60.0
_MESSAGE_LIMIT = -1
"""Of a message in bytes: none, as for Beam's own channels."""


def provision(endpoint: str, worker: str, seconds: float = _SECONDS) -> messages.ProvisionInfo:
    """What the engine says of the job to the worker that it started under this name."""
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


def variables(
    info: messages.ProvisionInfo, given: argparse.Namespace, folder: str
) -> dict[str, str]:
    """The environment that Beam's worker reads, of what the engine says and what it was given."""
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
