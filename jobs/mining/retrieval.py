"""The candidates of a run: one candidate set for each source."""

from collections.abc import Callable
from dataclasses import replace

import apache_beam as beam
import numpy as np

from negmine.jobs.mining.bm25 import bm25_index
from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.vectors.dense_index import dense_index, search_key, vectors_key
from negmine.jobs.mining.vectors.embedding import Vectors
from negmine.jobs.runs.published import find_run
from negmine.jobs.workdir.artifacts import Artifact, Blocks, Make
from negmine.pipelines.retrieve import Retrieve
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.schemas.sources import Bm25, Dense, Languages, Random
from negmine.schemas.verdicts import Source
from negmine.transforms import storage
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import QueryTable
from negmine.transforms.pairs.hub_places import FillPlaces
from negmine.transforms.readers.fingerprints import file_digests
from negmine.transforms.sources.by_language import ByLanguage
from negmine.transforms.sources.cluster import (
    CLUSTERS,
    DrawFromClusters,
    FindCentroids,
    PutIntoClusters,
    centroids,
    how_many,
)
from negmine.transforms.sources.edited import EditedCandidates
from negmine.transforms.sources.given import FillGiven, GivenFiles
from negmine.transforms.sources.memory import FillMemory
from negmine.transforms.sources.random_documents import DrawRandom
from negmine.transforms.sources.same_document import FromSameDocument
from negmine.transforms.sources.searchers import Bm25Searcher, DenseSearcher

SHARED = 256
"""Queries that BM25 searches for in some tenths of a second."""


def queries_found(candidates: Dataset) -> dict[str, int]:
    """`queries_found`: how many queries have a candidate; goes into the artifact's manifest."""
    parts = (table.column("query_ix").to_numpy() for table in candidates.tables(["query_ix"]))
    return {"queries_found": sum(int((np.diff(ix) != 0).sum()) + 1 for ix in parts if len(ix))}


def _candidates(
    run: RunContext,
    source: Source,
    key: JsonObject,
    make: Make,
    label: str = "",
    at_once: int | None = None,
    shared: int | None = None,
) -> Artifact:
    return Artifact(
        "retrieve",
        {"source": str(source), **key},
        run.rows("queries"),
        make,
        label=label or f"retrieve {source}",
        details=queries_found,
        at_once=at_once,
        shared=shared,
    )


def _settings(config: Bm25) -> JsonObject:
    """What decides a source's candidates; `languages` is left out at its default, as before it."""
    unused = {"shards", *(["languages"] if config.languages == "any" else [])}
    return config.model_dump(exclude=unused)


def _held(
    run: RunContext, searcher: Bm25Searcher | DenseSearcher, languages: Languages
) -> Bm25Searcher | DenseSearcher | ByLanguage:
    """The searcher, held to documents of some languages where the source's settings say so."""
    sets = run.ingested
    if languages == "any":
        return searcher
    return ByLanguage(searcher, sets["documents"], sets["queries"], languages)


def _bm25(run: RunContext, vectors: Vectors) -> Artifact:
    config = run.config.sources.bm25 or Bm25()
    index = bm25_index(run, config.language)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        documents = run.rows("documents")
        cut = run.budget.bm25(config, documents, index.postings.rows)
        searcher = _held(run, Bm25Searcher(index, run.ingested["queries"], cut), config.languages)
        return Retrieve(searcher, documents, cut, directory, blocks)

    settings = {"config": _settings(config)}
    at_once = run.budget.blocks_at_once(config.depth, run.rows("documents"))
    key = {**settings, **run.key("documents", "queries")}
    return _candidates(run, Source.BM25, key, make, at_once=at_once, shared=SHARED)


def _dense(run: RunContext, vectors: Vectors) -> Artifact:
    config = run.config.sources.dense or Dense()
    documents, queries = vectors.documents, vectors.queries
    corpus = run.rows("documents")
    index = dense_index(run, config, vectors)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        width = array_column(documents, "vector").shape[1]
        cut = run.budget.dense(config, corpus, width)
        searcher = _held(run, DenseSearcher(documents, queries, index), config.languages)
        return Retrieve(searcher, corpus, cut, directory, blocks)

    settings = config.model_dump(include={"depth", "index"})
    key: JsonObject = {"config": settings, **vectors_key(vectors)}
    if config.languages != "any":
        key |= {"languages": config.languages, **run.key("documents", "queries")}
    if index is not None:
        key |= search_key(index)
    at_once = run.budget.blocks_at_once(config.depth, corpus)
    return _candidates(run, Source.DENSE, key, make, at_once=at_once)


def random_artifact(run: RunContext, near: Dataset | None = None) -> Artifact:
    """Random documents for every query; without `near` they need no vectors and no index.

    `near` are the candidates that weights are counted in.
    """
    config, seed = run.config.sources.random or Random(), run.config.seed
    what = (run.ingested["queries"], run.rows("documents"), config.count, seed, near)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        draw = DrawRandom(
            *what,
            hubs=config.weight == "hubs",
            corpus=run.ingested["documents"],
            languages=config.languages,
        )
        return BlockStage("DrawRandom", draw, directory, blocks, tables.CANDIDATES)

    key: JsonObject = {"config": {"count": config.count}, "seed": seed}
    if config.languages != "any":
        key["languages"] = config.languages
    if near is not None:
        key |= {"weight": config.weight, "near": near.manifest()["fingerprint"]}
    return _candidates(run, Source.RANDOM, key | run.key("documents", "queries"), make)


def _random(run: RunContext, vectors: Vectors) -> Artifact:
    config = run.config.sources.random
    if config is None or config.weight == "uniform":
        return random_artifact(run)
    return random_artifact(run, run.work.make_or_reuse(_dense(run, vectors)))


def fill_given(run: RunContext) -> FillGiven:
    """What reads the given candidates of a run. Raises DataError where there are no files."""
    config = run.config.sources.given
    assert config is not None
    sets, found = run.ingested, GivenFiles.of(config)
    found = replace(found, digests=tuple(file_digests(found.files, run.work.sums)))
    return FillGiven(**vars(found), queries=sets["queries"], documents=sets["documents"])


def _edited(run: RunContext, _: Vectors) -> Artifact:
    edits = run.edits
    assert edits is not None

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        found = EditedCandidates(edits)
        return BlockStage("EditedCandidates", found, directory, blocks, tables.CANDIDATES)

    key = {"edits": edits.manifest()["fingerprint"]}
    return _candidates(run, Source.EDITED, key, make)


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


def _same_document(run: RunContext, _: Vectors) -> Artifact:
    config, seed, sets = run.config.sources.same_document, run.config.seed, run.ingested
    assert config is not None
    names = ("queries", "documents", "positives")
    draw = FromSameDocument(*(sets[name] for name in names), config.count, config.window, seed)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        return BlockStage("FromSameDocument", draw, directory, blocks, tables.CANDIDATES)

    key = {"config": config.model_dump(), "seed": seed, **run.key(*names)}
    return _candidates(run, Source.SAME_DOCUMENT, key, make)


def _cluster(run: RunContext, vectors: Vectors) -> Artifact:
    config, seed, sets = run.config.sources.cluster, run.config.seed, run.ingested
    assert config is not None
    documents, given = vectors.documents, vectors_key(vectors)["d"]
    count = how_many(config.clusters, run.rows("documents"))
    means_key = {"part": "centroids", "vectors": given, "clusters": count, "seed": seed}

    def means(directory: str, blocks: Blocks) -> beam.PTransform:
        found = FindCentroids(sets["documents"], documents, count, seed)
        width = array_column(documents, "vector").shape[1]
        return BlockStage("FindCentroids", found, directory, blocks, centroids(width))

    def place(directory: str, blocks: Blocks) -> beam.PTransform:
        step = PutIntoClusters(documents, centres)
        return BlockStage("PutIntoClusters", step, directory, blocks, CLUSTERS)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        of = (sets[name] for name in names)
        draw = DrawFromClusters(*of, centres, clusters, config.count, config.nearest, seed)
        return BlockStage("DrawFromClusters", draw, directory, blocks, tables.CANDIDATES)

    centres = run.work.make_or_reuse(Artifact("index", means_key, 1, means, "find clusters"))
    places_key = {**means_key, "part": "clusters"}
    placed = Artifact("index", places_key, run.rows("documents"), place, "put into clusters")
    clusters = run.work.make_or_reuse(placed)
    names = ("queries", "documents", "positives")
    drawn = config.model_dump(exclude={"clusters"})
    key = {"config": drawn, "seed": seed, "clusters": clusters.manifest()["fingerprint"]}
    return _candidates(run, Source.CLUSTER, key | run.key(*names), make)


def _memory(run: RunContext, _: Vectors) -> Artifact:
    config, seed, names = run.config.sources.memory, run.config.seed, ("queries", "documents")
    assert config is not None
    earlier = [storage.fetch_tree(find_run(name).path / "negatives") for name in config.runs]
    files = [tuple(sorted(map(str, folder.rglob("*.parquet")))) for folder in earlier]
    digests = [file_digests(of_run, run.work.sums) for of_run in files]
    queries, documents = (run.ingested[name] for name in names)
    fill = FillMemory(tuple(files), queries, documents, config.count, config.decay, seed)

    def make(directory: str, blocks: Blocks) -> beam.PTransform:
        return QueryTable(fill, tables.CANDIDATES, directory, blocks)

    sums = [[digest.sha256 for digest in of_run] for of_run in digests]
    drawn = config.model_dump(exclude={"runs"})
    key = {"config": drawn, "runs": sums, "seed": seed, **run.key(*names)}
    return _candidates(run, Source.MEMORY, key, make, label="read memory")


SOURCES: dict[Source, Callable[[RunContext, Vectors], Artifact]] = {
    Source.BM25: _bm25,
    Source.DENSE: _dense,
    Source.RANDOM: _random,
    Source.GIVEN: _given,
    Source.SAME_DOCUMENT: _same_document,
    Source.CLUSTER: _cluster,
    Source.MEMORY: _memory,
    Source.EDITED: _edited,
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
