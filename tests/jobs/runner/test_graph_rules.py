"""The rules of engines for the graphs that they are given, and the graphs that Dataflow gets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as api
from apache_beam.runners.pipeline_context import PipelineContext

from negmine.jobs.runner import graph_rules
from negmine.jobs.runner import pipeline as running
from negmine.jobs.runner.graph_rules import MOST_GRAPH, MOST_REQUEST, graph_faults
from negmine.jobs.runner.options import resolve
from negmine.schemas.config import Runner
from negmine.schemas.errors import ConfigError
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.steps import map_step
from tests.pipelines.every_job import every_job, fresh

IMAGE = "us-central1-docker.pkg.dev/my-project/negmine/worker:beam2.77.0-py3.11"
DATAFLOW = (
    "--runner=DataflowRunner",
    "--project=my-project",
    "--region=us-central1",
    "--temp_location=gs://my-bucket/temp",
    f"--sdk_container_image={IMAGE}",
    "--model_min_ram=16GB",
    "--model_accelerator=type:nvidia-l4;count:1;install-nvidia-driver",
    "--labels=team=search",
    "--no_auth",
)


def grouped() -> api.Pipeline:
    pipeline = beam.Pipeline(runner="PortableRunner")
    pairs = map_step(lambda _: (1, 1)).with_output_types(tuple[int, int])
    _ = pipeline | beam.Impulse() | "Pair" >> pairs | "Group" >> beam.GroupByKey()
    found: api.Pipeline = pipeline.to_runner_api()
    return found


def changed(change: Callable[[api.Pipeline], object]) -> api.Pipeline:
    pipeline = grouped()
    change(pipeline)
    return pipeline


def a_label_twice(pipeline: api.Pipeline) -> None:
    first, second = list(pipeline.components.transforms.values())[:2]
    second.unique_name = first.unique_name


def hinted(urn: str, value: bytes) -> Callable[[api.Pipeline], None]:
    def change(pipeline: api.Pipeline) -> None:
        for environment in pipeline.components.environments.values():
            environment.resource_hints[urn] = value

    return change


def a_process(pipeline: api.Pipeline) -> None:
    for environment in pipeline.components.environments.values():
        environment.urn = common_urns.environments.PROCESS.urn


def other_values(pipeline: api.Pipeline) -> None:
    for step in pipeline.components.transforms.values():
        if step.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn:
            place = next(iter(step.outputs.values()))
            source = next(iter(step.inputs.values()))
            coder = pipeline.components.pcollections[source].coder_id
            pipeline.components.pcollections[place].coder_id = coder


def pickled_keys(pipeline: api.Pipeline) -> None:
    """Pickles differ from one process to the next, as far as an engine knows."""
    coders = pipeline.components.coders
    coders["pickle"].CopyFrom(PickleCoder().to_runner_api(PipelineContext()))
    for coder in coders.values():
        if coder.spec.urn == common_urns.coders.KV.urn:
            coder.component_coder_ids[0] = "pickle"


ACCELERATOR = common_urns.resource_hints.ACCELERATOR.urn
RAM = common_urns.resource_hints.MIN_RAM_BYTES.urn
PLANTED: dict[str, tuple[api.Pipeline, str]] = {
    "a label twice": (changed(a_label_twice), "two steps are named"),
    "keys of any kind": (changed(pickled_keys), "step Group groups by keys of"),
    "coders that disagree": (changed(other_values), "must be an iterable coder"),
    "memory in words": (changed(hinted(RAM, b"lots")), "the hint of memory is 'lots'"),
    "half an accelerator": (changed(hinted(ACCELERATOR, b"nvidia-l4")), "'nvidia-l4'; write type:"),
    "workers in processes": (changed(a_process), "Dataflow has containers alone"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_what_an_engine_would_refuse_is_found_and_said(case: str) -> None:
    pipeline, words = PLANTED[case]
    (fault,) = graph_faults(pipeline)
    assert words in fault


def test_workers_in_processes_are_fine_where_they_are_not_on_dataflow() -> None:
    assert graph_faults(changed(a_process), remote=False) == []


def test_a_graph_that_is_too_large_names_its_largest_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph_rules, "MOST_GRAPH", 2_000)
    (fault,) = graph_faults(grouped())
    assert "2,000" in fault
    assert "runner.block_size" in fault
    assert "Pair" in fault


def test_a_graph_names_its_blocks_in_few_bytes() -> None:
    """A billion documents are 122,071 blocks of 8,192: a tenth of what Dataflow takes."""
    pipeline = beam.Pipeline(runner="PortableRunner")
    _ = pipeline | CreateBlocks(plan_blocks(10**9, 8_192))
    assert pipeline.to_runner_api().ByteSize() < MOST_GRAPH / 10


def test_a_job_that_dataflow_would_refuse_is_not_submitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph_rules, "MOST_GRAPH", 100)
    stage: Any = CreateBlocks(plan_blocks(10, 5))
    with pytest.raises(ConfigError, match=r"Dataflow would not take this job: the graph has"):
        running.run_pipeline([[("blocks", stage)]], DATAFLOW)


@pytest.mark.slow
def test_dataflows_own_runner_makes_a_request_of_every_job(tmp_path: Path) -> None:
    """As far as it goes without the service: the graph it would upload and the JSON it would post.

    Run by hand with `pip install "negmine[gcp]"`.
    """
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="negmine[gcp] is not installed")
    from apache_beam.runners.dataflow.internal import apiclient

    jobs = every_job(tmp_path)
    assert len(jobs) >= 6
    for name, job in jobs.items():
        options = PipelineOptions([*resolve(Runner(), DATAFLOW), "--dry_run=True"])
        pipeline = beam.Pipeline(options=options)
        running.add_stages(pipeline, *fresh(job))
        made = pipeline.run().job
        graph = pipeline.runner.proto_pipeline
        assert graph_faults(graph) == [], name
        for environment in graph.components.environments.values():
            assert IMAGE.encode() in environment.payload, name
            staged = [file.role_payload for file in environment.dependencies]
            assert not any(b"main_session" in file for file in staged), name
        folder = options.view_as(GoogleCloudOptions).staging_location
        made.proto.environment = apiclient.Environment(
            [], options, "8", f"{folder}/pipeline.pb", graph, "0" * 64
        ).proto
        request = made.json()
        assert len(request) < MOST_REQUEST, name
        assert '"team": "search"' in request
        assert str(tmp_path) not in request, "what is local stays out of the request"
