"""Every pipeline of a run, as it is submitted."""

import copy
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as api

from negmine.jobs.mining import publish
from negmine.jobs.runner import pipeline as running
from negmine.jobs.runner.pipeline import Chain
from negmine.pipelines.retrieve import MeasureIndexRecall
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.sources.dense import DenseIndex
from negmine.transforms.vectors.files import VectorFiles
from negmine.transforms.vectors.place import PlaceVectors
from tests.jobs.collections import (
    cross_encoder,
    negmine,
    static_student,
    write_collection,
    write_config,
)

Job = tuple[list[Chain], Chain]
"""The chains of a pipeline, and the stages after all of them."""


def fresh(job: Job) -> Job:
    """The same stages for another pipeline."""
    return [[(n, copy.copy(s)) for n, s in chain] for chain in job[0]], [
        (n, copy.copy(s)) for n, s in job[1]
    ]


def stages_of(job: Job) -> list[tuple[str, beam.PTransform]]:
    chains, after = job
    return [stage for chain in [*chains, after] for stage in chain]


def every_job(folder: Path) -> dict[str, Job]:
    """Every pipeline of a run with all sources, by the names of its stages.

    A collection this small is searched exactly, so the stage that checks an index is made here, and
    so is the one for vectors that are given.
    """
    given = folder / "given.jsonl"
    rows = ({"query_id": f"q{i:04}", "doc_id": "d0050", "rank": 1} for i in range(12))
    given.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = write_config(
        folder / "run.yaml",
        input={"format": "beir", "path": str(write_collection(folder / "c")), "split": "train"},
        student={"model": str(static_student(folder / "student"))},
        sources={
            "bm25": {"depth": 10, "shards": 3},
            "dense": {
                "depth": 10,
                "shards": 3,
                "index": "ivf",
                "nlist": 2,
                "nprobe": 1,
                "min_recall": 0.01,
            },
            "random": {"count": 5},
            "given": {"path": str(given)},
        },
        judge={"kind": "cross_encoder", "model": str(cross_encoder(folder / "judge"))},
        runner={"block_size": 5},
    )
    found = _submitted(config, folder)
    made = {name: stage for job in found.values() for name, stage in stages_of(job)}
    searcher, fill = made["retrieve dense"].searcher, made["index dense"].transform
    sets = (searcher.document_vectors, searcher.query_vectors)
    index = DenseIndex(fill.source.config, fill.trained, Dataset(fill.directory))
    recall = MeasureIndexRecall(
        index, *sets, sets[0].rows, (0, 5), str(folder / "recall"), (Block(0, 2),)
    )
    documents = made["embed documents"].transform.texts
    vectors = VectorFiles((str(folder / "vectors.parquet"),), "id", "vector", "documents")
    place = PlaceVectors(
        documents, "documents", vectors, 8, True, str(folder / "placed"), (Block(0, 9),)
    )
    found["recall of index"] = ([[("recall of index", recall)]], ())
    found["place documents"] = ([[("place documents", place)]], ())
    return found


def jobs_of_other_sources(folder: Path) -> dict[str, Job]:
    """Pipelines of a run that cuts documents, draws from parts of the collection, edits and lists.

    In a folder of `every_job`.
    """
    return _submitted(_of_other_sources(folder), folder)


def _submitted(config: str, folder: Path) -> dict[str, Job]:
    """Pipelines of a run, by the names of their stages."""
    found: dict[str, Job] = {}
    real = running.run_pipeline

    def note(chains: Any, options: Any = (), after: Any = (), workers: int = 1) -> Any:
        job = fresh((chains, after))
        found[", ".join(name for name, _ in stages_of(job))] = job
        return real(chains, options, after, workers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "run_pipeline", note)
        patch.setattr(publish, "run_pipeline", note)
        ended = negmine("mine", config, "--output", str(folder / "out"))
    assert ended.code == 0, ended.err
    return found


def _of_other_sources(folder: Path) -> str:
    """A config of the sources that read texts or draw from parts of the collection, and lists."""
    return write_config(
        folder / "others.yaml",
        input={
            "format": "beir",
            "path": str(folder / "c"),
            "split": "train",
            "passages": {"words": 20, "overlap": 4, "labels": "all"},
        },
        student={"model": str(folder / "student")},
        sources={
            "bm25": {"depth": 10},
            "same_document": {"count": 3},
            "cluster": {"count": 3, "clusters": 2},
            "edited": {},
        },
        tiers={"edited": {"quota": 1, "source": "edited"}},
        lists={"size": 8},
        judge={"kind": "cross_encoder", "model": str(folder / "judge")},
        runner={"block_size": 5},
    )


def proto(job: Job, *options: str) -> api.Pipeline:
    """What a cluster gets; the pipelines that the local runner gets are run by `jobs`."""
    pipeline = beam.Pipeline(runner="PortableRunner", options=PipelineOptions(list(options)))
    running.add_stages(pipeline, *fresh(job))
    found: api.Pipeline = pipeline.to_runner_api()
    return found
