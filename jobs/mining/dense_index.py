"""The index of document vectors in the work directory, and the check of its recall."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from negmine.schemas.config import Dense
from negmine.schemas.errors import ConfigError
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.ann import sample_rows
from negmine.transforms.sources.dense import DenseIndex, IndexSource
from negmine.transforms.sources.search import plan_shards

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner

SAMPLED_QUERIES = 200


def vectors_key(documents: Dataset, queries: Dataset) -> dict[str, Any]:
    """Fingerprints of the vectors that are compared."""
    return {name: d.manifest()["fingerprint"] for name, d in (("d", documents), ("q", queries))}


def dense_index(miner: "Miner", config: Dense) -> DenseIndex | None:
    """The index that a config asks for, made or reused, its recall checked; None = exact search.

    Each shard is an artifact's part, so an interrupted build goes on with the missing shards.
    Raises ConfigError where the recall of sampled queries is below `min_recall`.
    """
    if config.exact:
        return None
    documents = miner.document_vectors
    source = IndexSource(config, miner.ingested["documents"], documents, miner.config.seed)
    shards = plan_shards(documents.rows, config.shards)
    # One shard is one block here, whatever the number of queries in a block of the run.
    work = replace(miner.work, block_size=1)
    settings = config.model_dump(
        include={"index", "nlist", "m", "ef_construction", "first_pass"}, exclude_none=True
    )
    key = {
        "vectors": documents.manifest()["fingerprint"],
        "settings": settings,
        "documents_per_shard": shards[0].stop,
        "seed": miner.config.seed,
    }

    def train(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.retrieve import TrainTask, build_training

        return build_training, TrainTask(source, directory, blocks)

    def fill(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.retrieve import FillTask, build_shards

        return build_shards, FillTask(source, trained, directory, blocks)

    trained = work.ensure("index", {**key, "part": "trained"}, 1, train, label="train index")
    filled = work.ensure("index", {**key, "part": "shards"}, len(shards), fill, label="index dense")
    index = DenseIndex(config, trained, filled)
    if not (filled.finished and index.exact):
        _check_recall(miner, index)
    return index


def _check_recall(miner: "Miner", index: DenseIndex) -> None:
    measured = _recall(miner, index)
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


def _recall(miner: "Miner", index: DenseIndex) -> Dataset:
    seed = miner.config.seed
    documents, queries = miner.document_vectors, miner.query_vectors
    keys = miner.ingested["queries"].read(["query_key"])["query_key"].to_numpy()
    rows = tuple(sample_rows(keys, seed, SAMPLED_QUERIES).tolist())

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.retrieve import RecallTask, build_recall

        return build_recall, RecallTask(index, documents, queries, rows, directory, blocks)

    key = {
        "part": "recall",
        "seed": seed,
        "queries": miner.key("queries"),
        **vectors_key(documents, queries),
        **search_key(index),
    }
    return miner.work.ensure("index", key, len(rows), make, label="recall of index")


def search_key(index: DenseIndex) -> dict[str, Any]:
    """What decides an index's answers."""
    searched = {"depth", "nprobe", "ef_search", "over_fetch"}
    return {
        "index": index.shards.manifest()["fingerprint"],
        "search": index.config.model_dump(include=searched, exclude_none=True),
    }
