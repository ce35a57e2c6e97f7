"""The index of document vectors in the work directory, and the check of its recall."""

import apache_beam as beam
import numpy as np
import typer

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.vectors.embedding import Vectors
from negmine.jobs.workdir.artifacts import Artifact, Blocks, Make
from negmine.pipelines.retrieve import MeasureIndexRecall
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.schemas.sources import Dense
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.ann import sample_rows
from negmine.transforms.sources.dense import FILES, DenseIndex, FillShards, IndexSource, TrainIndex
from negmine.transforms.sources.search import plan_shards

SAMPLED_QUERIES = 200


def dense_index(run: RunContext, config: Dense, vectors: Vectors) -> DenseIndex | None:
    """The index that a config asks for, made or reused, its recall checked; None = exact search.

    Each shard is an artifact's part, so an interrupted build goes on with the missing shards.
    Raises ConfigError where the recall of sampled queries is below `min_recall`.
    """
    if config.exact:
        return None
    documents = vectors.documents
    source = IndexSource(config, run.ingested["documents"], documents, run.config.seed)
    shards = plan_shards(run.rows("documents"), config.shards)
    settings = config.model_dump(
        include={"index", "nlist", "m", "ef_construction", "first_pass"}, exclude_none=True
    )
    key = {
        "vectors": documents.manifest()["fingerprint"],
        "settings": settings,
        "documents_per_shard": shards[0].stop,
        "seed": run.config.seed,
    }

    def train(directory: str, blocks: Blocks) -> beam.PTransform:
        step = TrainIndex(source, shards, directory)
        return BlockStage("TrainIndex", step, directory, blocks, FILES)

    def fill(directory: str, blocks: Blocks) -> beam.PTransform:
        step = FillShards(source, trained, shards, directory)
        return BlockStage("FillShards", step, directory, blocks, FILES)

    def part(name: str, rows: int, make: Make, label: str) -> Dataset:
        # One shard is one block here, whatever the number of queries in a block of the run.
        artifact = Artifact("index", {**key, "part": name}, rows, make, label, block_size=1)
        return run.work.make_or_reuse(artifact)

    trained = part("trained", 1, train, "train index")
    filled = part("shards", len(shards), fill, "index dense")
    index = DenseIndex(config, trained, filled)
    if not (filled.finished and index.exact):
        _check_recall(run, index, vectors)
    return index


def _check_recall(run: RunContext, index: DenseIndex, vectors: Vectors) -> None:
    measured = _recall(run, index, vectors)
    if not measured.finished or not measured.rows:
        return
    config, queries = index.config, measured.rows
    reached = float(measured.read(["recall"])["recall"].to_numpy().mean(dtype=np.float64))
    least = config.min_recall
    if least is None:
        least = 0.99 if config.first_pass else 0.9
    told = f"recall@{config.depth} against exact search is {reached:.4f} on {queries} queries"
    if reached < least:
        raise ConfigError(
            f"sources.dense ({describe(config)}): {told}, and min_recall is {least:g}. "
            f"{_remedy(config)}, set sources.dense.min_recall lower, or search exactly with index: "
            "flat and no first_pass; negmine tune-index CONFIG measures the choices"
        )
    typer.echo(f"dense: {told} ({describe(config)})", err=True)


def describe(config: Dense) -> str:
    """The settings that decide how candidates are found, in a few words."""
    given = config.model_dump(
        include={"nlist", "nprobe", "m", "ef_construction", "ef_search", "over_fetch"},
        exclude_none=True,
    )
    name = f"index {config.index}"
    if config.first_pass is not None:
        name = f"first_pass {config.first_pass.kind}, dimension {config.first_pass.dimension}"
    return ", ".join([name, *(f"{key} {value:g}" for key, value in given.items())])


def _remedy(config: Dense) -> str:
    if config.first_pass is not None:
        return "Raise sources.dense.first_pass.dimension or sources.dense.over_fetch"
    wider = "ef_search" if "hnsw" in config.index.lower() else "nprobe"
    compressed = config.index not in {"ivf", "hnsw"}
    return f"Raise sources.dense.{wider}" + (" or sources.dense.over_fetch" if compressed else "")


def _recall(run: RunContext, index: DenseIndex, vectors: Vectors) -> Dataset:
    seed = run.config.seed
    keys = run.ingested["queries"].read(["query_key"])["query_key"].to_numpy()
    rows = tuple(sample_rows(keys, seed, SAMPLED_QUERIES).tolist())

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        corpus = run.rows("documents")
        return MeasureIndexRecall(
            index, vectors.documents, vectors.queries, corpus, rows, directory, blocks
        )

    key = {
        "part": "recall",
        "seed": seed,
        "queries": run.key("queries"),
        **vectors_key(vectors),
        **search_key(index),
    }
    artifact = Artifact("index", key, len(rows), make, label="recall of index")
    return run.work.make_or_reuse(artifact)


def vectors_key(vectors: Vectors) -> dict[str, str]:
    """Fingerprints of the vectors that are compared."""
    return dict(zip(("d", "q"), vectors.fingerprints, strict=True))


def search_key(index: DenseIndex) -> JsonObject:
    """What decides an index's answers."""
    searched = {"depth", "nprobe", "ef_search", "over_fetch"}
    return {
        "index": index.shards.manifest()["fingerprint"],
        "search": index.config.model_dump(include=searched, exclude_none=True),
    }
