"""The retrieve stage of a run: the BM25 index, and one candidate set for each source."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from negmine.jobs.mining.dense_index import dense_index, search_key, vectors_key
from negmine.jobs.mining.scores import table_files
from negmine.jobs.workdir.artifacts import making
from negmine.schemas import tables
from negmine.schemas.config import Bm25, Dense, Given, Random
from negmine.schemas.verdicts import Source
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner
    from negmine.transforms.sources.given import FillGiven, GivenFiles


def bm25_index(miner: "Miner", language: str | None) -> Bm25Index:
    """The index of the corpus for a language, made or reused; k1, b and method play no part."""
    key = {"documents": miner.key("documents"), "language": language}
    directory, found = miner.work.path("bm25_index", key)
    index = Bm25Index(str(directory))
    sets = (index.postings, index.lengths, index.statistics)
    reused = all(dataset.finished for dataset in sets)
    with miner.work.timed("retrieve", reused):
        if not reused:
            with making(directory):
                if not all(dataset.finished for dataset in sets):
                    _build_index(miner, language, index)
                    for dataset in sets:
                        name = Path(dataset.path).name
                        dataset.finish(fingerprint=f"{found}/{name}", stage="bm25_index")
    return index


def _build_index(miner: "Miner", language: str | None, index: Bm25Index) -> None:
    from negmine.jobs.runner.pipeline import run_pipeline
    from negmine.jobs.runner.progress import progress
    from negmine.pipelines.retrieve import Bm25IndexTask, build_bm25_index

    documents = miner.ingested["documents"]
    blocks = tuple(documents.blocks())
    with progress("index bm25", index.lengths.path, blocks):
        task = Bm25IndexTask(documents, language, index.path, blocks)
        run_pipeline(build_bm25_index, task, miner.options)


def bm25_scorer(miner: "Miner") -> Bm25Scorer:
    """BM25 scores of given pairs, with the source's settings or, where it is off, the defaults."""
    config = miner.config.sources.bm25 or Bm25()
    return Bm25Scorer(bm25_index(miner, config.language), config)


def queries_found(candidates: Dataset) -> dict[str, int]:
    """`queries_found`: how many queries have a candidate; goes into the artifact's manifest."""
    parts = (table.column("query_ix").to_numpy() for table in candidates.tables(["query_ix"]))
    return {"queries_found": sum(int((np.diff(ix) != 0).sum()) + 1 for ix in parts if len(ix))}


def _bm25(miner: "Miner") -> Dataset:
    from negmine.pipelines.retrieve import Bm25Task, build_bm25

    config = miner.config.sources.bm25 or Bm25()
    index = bm25_index(miner, config.language)

    def make(directory: str, blocks: Any) -> Any:
        sets = miner.ingested
        cut = miner.budget.bm25(config, sets["documents"].rows, index.postings.rows)
        task = Bm25Task(cut, index.path, sets["documents"], sets["queries"], directory, blocks)
        return build_bm25, task

    return _ensure(miner, "bm25", config, miner.key("documents", "queries"), make, config.depth)


def _dense(miner: "Miner") -> Dataset:
    from negmine.pipelines.retrieve import DenseTask, build_dense

    config = miner.config.sources.dense or Dense()
    documents, queries = miner.document_vectors, miner.query_vectors
    index = dense_index(miner, config)

    def make(directory: str, blocks: Any) -> Any:
        width = array_column(documents, "vector").shape[1]
        cut = miner.budget.dense(config, documents.rows, width)
        return build_dense, DenseTask(cut, documents, queries, directory, blocks, index)

    settings = config.model_dump(include={"depth", "index"})
    key = {"source": "dense", "config": settings, **vectors_key(documents, queries)}
    if index is not None:
        key |= search_key(index)
    rows = miner.rows("queries")
    at_once = miner.budget.blocks_at_once(config.depth, documents.rows)
    more: dict[str, Any] = {"at_once": at_once, "details": queries_found}
    return miner.work.ensure("retrieve", key, rows, make, label="retrieve dense", **more)


def _random(miner: "Miner") -> Dataset:
    from negmine.pipelines.retrieve import RandomTask, build_random

    config, seed = miner.config.sources.random or Random(), miner.config.seed
    sets = miner.ingested

    def make(directory: str, blocks: Any) -> Any:
        task = RandomTask(config, seed, sets["documents"], sets["queries"], directory, blocks)
        return build_random, task

    return _ensure(
        miner, "random", config, {**miner.key("documents", "queries"), "seed": seed}, make
    )


def given_files(config: Given) -> "GivenFiles":
    """The files of `sources.given`. Raises DataError where there are none."""
    from negmine.transforms.sources.given import GivenFiles

    files = table_files(config.path, "sources.given.path", "candidates")
    return GivenFiles(tuple(files), config.query_column, config.document_column, config.rank_column)


def fill_given(miner: "Miner") -> "FillGiven":
    """What reads the given candidates of a run. Raises DataError where there are no files."""
    from negmine.transforms.sources.given import FillGiven

    config = miner.config.sources.given
    assert config is not None
    sets, found = miner.ingested, given_files(config)
    found = replace(found, digests=tuple(file_digests(found.files, miner.work.sums)))
    return FillGiven(**vars(found), queries=sets["queries"], documents=sets["documents"])


def _given(miner: "Miner") -> Dataset:
    from negmine.pipelines.query_table import build
    from negmine.transforms.data.query_tables import QueryTable

    fill = fill_given(miner)

    def make(directory: str, blocks: Any) -> Any:
        return build, QueryTable(fill, tables.CANDIDATES, directory, blocks)

    key = {
        "source": "given",
        "version": 2,
        "files": [digest.sha256 for digest in fill.digests],
        "columns": [fill.query_column, fill.document_column, fill.rank_column],
        **miner.key("documents", "queries"),
    }
    rows = miner.rows("queries")
    return miner.work.ensure("retrieve", key, rows, make, label="read given", details=queries_found)


def _ensure(
    miner: "Miner",
    source: str,
    config: Any,
    key: dict[str, Any],
    make: Callable[..., Any],
    depth: int | None = None,
) -> Dataset:
    settings = config.model_dump(exclude={"shards"})
    full = {"source": source, "config": settings, **key}
    label = f"retrieve {source}"
    at_once = miner.budget.blocks_at_once(depth, miner.rows("documents")) if depth else None
    more: dict[str, Any] = {"at_once": at_once, "details": queries_found}
    return miner.work.ensure("retrieve", full, miner.rows("queries"), make, label=label, **more)


def hub_places(miner: "Miner") -> Dataset | None:
    """Place of each query among those that got a document, where a policy caps hubs."""
    if not any(policy.name == "hub_cap" for policy in miner.config.policies or ()):
        return None
    candidates = tuple(miner.candidates.items())

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.query_table import build
        from negmine.transforms.data.query_tables import QueryTable
        from negmine.transforms.pairs.hub_places import FillPlaces

        return build, QueryTable(FillPlaces(candidates), tables.PAIR_PLACES, directory, blocks)

    found = {name: dataset.manifest()["fingerprint"] for name, dataset in candidates}
    key = {"places": found, "version": 2}
    rows = miner.rows("queries")
    return miner.work.ensure("retrieve", key, rows, make, label="retrieve places")


_STEPS: dict[Source, Callable[["Miner"], Dataset]] = {
    Source.BM25: _bm25,
    Source.DENSE: _dense,
    Source.RANDOM: _random,
    Source.GIVEN: _given,
}


def retrieve_source(miner: "Miner", name: str) -> Dataset:
    """Candidates of one source, made or reused."""
    return _STEPS[Source(name)](miner)


def retrieve(miner: "Miner") -> dict[str, Dataset]:
    """Candidates of each source that is on, made or reused; each by itself."""
    return {str(name): retrieve_source(miner, name) for name in miner.config.sources.on()}
