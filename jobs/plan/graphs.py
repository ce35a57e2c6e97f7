"""Every job of a run that is known beforehand, built as it would be submitted, and looked at."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.plan.reuse import Asked, NotMade, asked_by
from negmine.jobs.runner.doctor.checks import Check, ok, unknown, wrong
from negmine.jobs.runner.graph_rules import MOST_GRAPH, graph_faults
from negmine.jobs.runner.pipeline import add_stages
from negmine.pipelines.graph import STAGES
from negmine.schemas.config import Config
from negmine.schemas.errors import NegmineError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import Dataset


def graph_checks(config: Config, options: Sequence[str], remote: bool) -> Iterator[Check]:
    """One check: the graphs of the stages after ingest, whose sizes an ingested collection tells.

    Args:
        config: of the run.
        options: Beam's, resolved.
        remote: whether workers are in containers, as on Dataflow.

    Nothing is made, not even the work directory.
    """
    output = config.output
    root = storage.local_path(output.workdir or f"{output.path.rstrip('/')}/work")
    do = "negmine ingest, then look again; each job is looked at before Dataflow is given it"
    try:
        run = MiningRun(config, options) if storage.is_dir(root) else None
        if run is None or not _ingested(run):
            yield unknown("graphs", "their sizes follow the collection, which is not ingested", do)
            return
        hints = [option for option in options if option.startswith("--model_")]
        yield _looked_at(run, asked_by(run), hints, remote)
    except NegmineError as error:
        yield wrong("graphs", f"cannot be built: {error}", "")


def _ingested(run: MiningRun) -> bool:
    directory, _ = run.work.path("ingest", {"input": run.input_fingerprint})
    return all(Dataset(str(directory / name)).finished for name in STAGES["ingest"].writes)


def _looked_at(run: MiningRun, asked: list[Asked], hints: Sequence[str], remote: bool) -> Check:
    sizes, faults = {}, []
    with tempfile.TemporaryDirectory(prefix="negmine-doctor-") as folder:
        for each in asked:
            # What a stage reads beforehand may not be made yet.
            with suppress(NotMade, StorageError):
                name, size, found = _graph(run, each, folder, hints, remote)
                sizes[name] = size
                faults += [f"{name}: {fault}" for fault in found]
    if faults:
        return wrong("graphs", "; ".join(faults), "")
    largest = max(sizes, key=lambda name: sizes[name])
    return ok(
        "graphs",
        f"{len(sizes)} looked at; the largest, {largest}, has {sizes[largest]:,} of fewer than "
        f"{MOST_GRAPH:,} bytes",
    )


def _graph(
    run: MiningRun, asked: Asked, folder: str, hints: Sequence[str], remote: bool
) -> tuple[str, int, list[str]]:
    """Name of a stage, bytes of its graph, and what is wrong with it.

    Some stages note beside their parts what they are made of: in `folder`, and not in the run's.
    """
    artifact = asked.artifact
    name = artifact.label or artifact.stage
    size = artifact.block_size or run.work.block_size
    blocks = () if artifact.several else tuple(plan_blocks(artifact.rows, size))
    stage = artifact.make(f"{folder}/{artifact.stage}", blocks)
    pipeline = beam.Pipeline(runner="PortableRunner", options=PipelineOptions(list(hints)))
    add_stages(pipeline, [[(name, stage)]])
    graph = pipeline.to_runner_api()
    return name, graph.ByteSize(), graph_faults(graph, remote)
