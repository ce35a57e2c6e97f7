"""What an engine asks of the graph that it is given; the one place where these rules stand."""

import re
from collections.abc import Iterator

from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as api
from apache_beam.runners.pipeline_context import PipelineContext
from apache_beam.runners.pipeline_utils import validate_pipeline_graph

MOST_GRAPH = 10_000_000
"""Bytes of a job's graph: Dataflow refuses more (cloud.google.com/dataflow/docs/request-quotas).
Python's graph is uploaded as a proto, so its bytes are what counts."""

MOST_REQUEST = 20_000_000
"""Bytes of the JSON request that makes a job (same page)."""

MOST_ELEMENT = 2_000_000_000
"""Bytes of one message between engine and worker: protobuf's limit is 2 GiB
(protobuf.dev/programming-guides/proto-limits). A step's code is part of one."""

_RAM = common_urns.resource_hints.MIN_RAM_BYTES.urn
_ACCELERATOR = common_urns.resource_hints.ACCELERATOR.urn
ACCELERATOR_FORM = r"type:[a-z0-9-]+;count:[1-9]\d*(;install-nvidia-driver(:[a-z0-9.-]+)?)?"
"""cloud.google.com/dataflow/docs/gpu/use-gpus; with `:5xx` the driver of that version."""

_PROCESSES = (common_urns.environments.PROCESS.urn, common_urns.environments.EXTERNAL.urn)
_LABEL = 1_000
"""Characters of a step's name: longer ones are cut in monitoring; ours have a tenth of it."""


def graph_faults(pipeline: api.Pipeline, remote: bool = True) -> list[str]:
    """What is wrong with a graph, a sentence each; empty for nothing.

    Args:
        pipeline: as `beam.Pipeline.to_runner_api` gives it.
        remote: whether its workers are in containers of their own, as on Dataflow.
    """
    rules = (_labels(pipeline), _sizes(pipeline), _coders(pipeline))
    return [fault for rule in (*rules, _environments(pipeline, remote)) for fault in rule]


def _steps(pipeline: api.Pipeline) -> Iterator[api.PTransform]:
    yield from pipeline.components.transforms.values()


def _labels(pipeline: api.Pipeline) -> Iterator[str]:
    """Names are unique: an engine tells steps by them (beam.apache.org, Pipeline.apply)."""
    seen: set[str] = set()
    for step in _steps(pipeline):
        name = step.unique_name
        if name in seen:
            yield f"two steps are named {name!r}"
        if len(name) > _LABEL:
            yield f"the name of step {name[:60]!r}... has {len(name):,} characters"
        seen.add(name)


def _sizes(pipeline: api.Pipeline) -> Iterator[str]:
    size = pipeline.ByteSize()
    if size >= MOST_GRAPH:
        steps = sorted(_steps(pipeline), key=lambda step: step.ByteSize(), reverse=True)
        largest = ", ".join(f"{s.unique_name} {s.ByteSize():,}" for s in steps[:3])
        yield (
            f"the graph has {size:,} bytes, and Dataflow takes fewer than {MOST_GRAPH:,}: raise "
            f"runner.block_size or lower the number of shards (largest: {largest})"
        )


def _coders(pipeline: api.Pipeline) -> Iterator[str]:
    """Keys that are grouped by have one encoding each, and the coders of a grouping agree.

    Both are rules of Beam's model (programming guide, "Data encoding and type safety").
    """
    try:
        validate_pipeline_graph(pipeline)
    except ValueError as error:
        yield " ".join(str(error).split())[:300]
    context = PipelineContext(pipeline.components)
    for step in _steps(pipeline):
        if step.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn:
            source = pipeline.components.pcollections[next(iter(step.inputs.values()))]
            coder = context.coders.get_by_id(source.coder_id)
            if not coder.key_coder().is_deterministic():
                yield f"step {step.unique_name} groups by keys of {coder.key_coder()}"


def _environments(pipeline: api.Pipeline, remote: bool) -> Iterator[str]:
    for environment in pipeline.components.environments.values():
        hints = dict(environment.resource_hints)
        ram, accelerator = (hints.get(urn, b"").decode() for urn in (_RAM, _ACCELERATOR))
        if ram and not ram.isdigit():
            yield f"the hint of memory is {ram!r}, and an engine takes a number of bytes"
        if remote and accelerator and not re.fullmatch(ACCELERATOR_FORM, accelerator):
            yield (
                f"the hint of an accelerator is {accelerator!r}; write "
                "type:nvidia-l4;count:1;install-nvidia-driver"
            )
        if remote and environment.urn in _PROCESSES:
            yield f"workers are asked for as {environment.urn}, and Dataflow has containers alone"
