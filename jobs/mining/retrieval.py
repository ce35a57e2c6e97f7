"""The candidates of a run: the BM25 index, and one candidate set for each source."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import apache_beam as beam
import numpy as np

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.vectors.dense_index import dense_index, search_key, vectors_key
from negmine.jobs.mining.vectors.embedding import Vectors
from negmine.jobs.workdir.artifacts import Artifact, Blocks, Make
from negmine.pipelines.graph import STAGES
from negmine.pipelines.retrieve import Retrieve
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.schemas.sources import Bm25, Dense, Random
from negmine.schemas.verdicts import Source
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import QueryTable
from negmine.transforms.pairs.hub_places import FillPlaces
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer, IndexDocuments
from negmine.transforms.sources.given import FillGiven, GivenFiles
from negmine.transforms.sources.search import Bm25Searcher, DenseSearcher, DrawRandom


def bm25_artifact(run: RunContext, language: str | None) -> Artifact:
    """The index of the corpus for a language; k1, b and method play no part."""

    def make(directory: str, _: Blocks) -> beam.PTransform:
        documents = run.ingested["documents"]
        blocks = tuple(documents.blocks())
        return IndexDocuments(documents, language, blocks, Bm25Index(directory))

    key = {"documents": run.key("documents"), "language": language}
    several = STAGES["bm25_index"].writes
    return Artifact("bm25_index", key, 0, make, label="index bm25", several=several)


def bm25_index(run: RunContext, language: str | None) -> Bm25Index:
    """That index, made or reused."""
    first = run.work.make_or_reuse(bm25_artifact(run, language))
    return Bm25Index(str(first.directory.parent))


def bm25_scorer(run: RunContext) -> Bm25Scorer:
    """BM25 scores of given pairs, with the source's settings or, where it is off, the defaults."""
    config = run.config.sources.bm25 or Bm25()
    return Bm25Scorer(bm25_index(run, config.language), config)


def queries_found(candidates: Dataset) -> dict[str, int]:
    """`queries_found`: how many queries have a candidate; goes into the artifact's manifest."""
    parts = (table.column("query_ix").to_numpy() for table in candidates.tables(["query_ix"]))
    return {"queries_found": sum(int((np.diff(ix) != 0).sum()) + 1 for ix in parts if len(ix))}


def _candidates(
    run: RunContext, source: Source, key: JsonObject, make: Make, **more: Any
) -> Artifact:
    return Artifact(
        "retrieve",
        {"source": str(source), **key},
        run.rows("queries"),
        make,
        label=more.pop("label", f"retrieve {source}"),
        details=queries_found,
        **more,
    )


def _bm25(run: RunContext, vectors: Vectors) -> Artifact:
    config = run.config.sources.bm25 or Bm25()
    index = bm25_index(run, config.language)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        documents = run.rows("documents")
        cut = run.budget.bm25(config, documents, index.postings.rows)
        searcher = Bm25Searcher(index, run.ingested["queries"], cut)
        return Retrieve(searcher, documents, cut, directory, blocks)

    settings = {"config": config.model_dump(exclude={"shards"})}
    at_once = run.budget.blocks_at_once(config.depth, run.rows("documents"))
    key = {**settings, **run.key("documents", "queries")}
    return _candidates(run, Source.BM25, key, make, at_once=at_once)


def _dense(run: RunContext, vectors: Vectors) -> Artifact:
    config = run.config.sources.dense or Dense()
    documents, queries = vectors.documents, vectors.queries
    index = dense_index(run, config, vectors)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        width = array_column(documents, "vector").shape[1]
        cut = run.budget.dense(config, documents.rows, width)
        searcher = DenseSearcher(documents, queries, index)
        return Retrieve(searcher, documents.rows, cut, directory, blocks)

    settings = config.model_dump(include={"depth", "index"})
    key: JsonObject = {"config": settings, **vectors_key(vectors)}
    if index is not None:
        key |= search_key(index)
    at_once = run.budget.blocks_at_once(config.depth, documents.rows)
    return _candidates(run, Source.DENSE, key, make, at_once=at_once)


def random_artifact(run: RunContext) -> Artifact:
    """Random documents for every query; they need no vectors and no index."""
    config, seed = run.config.sources.random or Random(), run.config.seed

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        draw = DrawRandom(run.ingested["queries"], run.rows("documents"), config.count, seed)
        return BlockStage("DrawRandom", draw, directory, blocks, tables.CANDIDATES)

    settings = {"config": config.model_dump(exclude={"shards"}), "seed": seed}
    key = {**settings, **run.key("documents", "queries")}
    return _candidates(run, Source.RANDOM, key, make)


def fill_given(run: RunContext) -> FillGiven:
    """What reads the given candidates of a run. Raises DataError where there are no files."""
    config = run.config.sources.given
    assert config is not None
    sets, found = run.ingested, GivenFiles.of(config)
    found = replace(found, digests=tuple(file_digests(found.files, run.work.sums)))
    return FillGiven(**vars(found), queries=sets["queries"], documents=sets["documents"])


def _given(run: RunContext, vectors: Vectors) -> Artifact:
    fill = fill_given(run)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        return QueryTable(fill, tables.CANDIDATES, directory, blocks)

    key = {
        "version": 2,
        "files": [digest.sha256 for digest in fill.digests],
        "columns": [fill.query_column, fill.document_column, fill.rank_column],
        **run.key("documents", "queries"),
    }
    return _candidates(run, Source.GIVEN, key, make, label="read given")


SOURCES: dict[Source, Callable[[RunContext, Vectors], Artifact]] = {
    Source.BM25: _bm25,
    Source.DENSE: _dense,
    Source.RANDOM: lambda run, _: random_artifact(run),
    Source.GIVEN: _given,
}
"""The candidates of each source; what their artifact needs beforehand is made or reused."""


def source_artifacts(run: RunContext, vectors: Vectors) -> dict[str, Artifact]:
    """Candidates of each source that is on."""
    return {str(name): SOURCES[Source(name)](run, vectors) for name in run.config.sources.on()}


def hub_places(run: RunContext, candidates: dict[str, Dataset]) -> Dataset | None:
    """Place of each query among those that got a document, where a policy caps hubs."""
    if not any(policy.name == "hub_cap" for policy in run.config.policies or ()):
        return None

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        fill = FillPlaces(tuple(candidates.items()))
        return QueryTable(fill, tables.PAIR_PLACES, directory, blocks)

    found = {name: dataset.manifest()["fingerprint"] for name, dataset in candidates.items()}
    key = {"places": found, "version": 2}
    label = "retrieve places"
    return run.work.make_or_reuse(Artifact("retrieve", key, run.rows("queries"), make, label))
