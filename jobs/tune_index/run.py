"""`negmine tune-index`: index types and settings measured on a collection's own vectors."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import faiss
import numpy as np
import yaml

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.dense_index import describe
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.limits import MOST_CANDIDATES, MOST_ROWS
from negmine.schemas.retrieval import Dense, FirstPass
from negmine.transforms.data.columns import array_column
from negmine.transforms.kernels.search import ann
from negmine.transforms.kernels.search.dense import exact_top_k, largest_norm
from negmine.transforms.kernels.search.reduction import Reduced, Reduction
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.sources.search import plan_shards

_PROBES = (32, 16, 8, 4)
_BEAMS = (1, 2, 4)
_SHARES = (4, 2)
_SAMPLE = 65_536
_WARM = 8


@dataclass(frozen=True)
class Choice:
    """An index measured on one shard; `total_seconds` is for all shards and all queries.

    `bytes` counts what is written beside the vectors.
    """

    name: str
    settings: JsonObject
    recall: float
    seconds_per_1000_queries: float
    build_seconds: float
    bytes: int
    total_seconds: float


@dataclass(frozen=True)
class Tuning:
    """All choices, and the one of least total seconds that reaches the recall asked for."""

    choices: tuple[Choice, ...]
    best: Choice
    asked: float
    k: int
    sampled_queries: int
    queries: int
    shard_documents: int
    shards: int
    gpus: int

    @property
    def yaml(self) -> str:
        """The section of the config to set."""
        return str(yaml.safe_dump({"sources": {"dense": self.best.settings}}, sort_keys=False))

    def as_json(self) -> JsonObject:
        """The tuning as JSON values."""
        return {**asdict(self), "yaml": self.yaml}


@dataclass(frozen=True)
class Vectors:
    """A shard, a sample to train on, and sampled queries with their exact neighbours."""

    documents: np.ndarray
    sample: np.ndarray
    queries: np.ndarray
    exact: TopK
    k: int


Find = Callable[[np.ndarray], TopK]


def tune_index(
    config: Config, recall: float, k: int, queries: int, options: Sequence[str] = ()
) -> Tuning:
    """Measure a grid of index types on the first shard, with queries drawn by the run's seed.

    Ingests and embeds first where that is not done. Raises DataError for an empty collection.
    """
    run = MiningRun(config, options)
    run.until = "embed"
    run.check()
    total, documents = run.query_vectors.rows, run.document_vectors.rows
    if not total or not documents:
        raise DataError(f"there are {documents} documents and {total} queries; nothing to measure")
    dense = config.sources.dense or Dense()
    k = min(k, documents)
    shards = plan_shards(documents, dense.shards)
    vectors = _vectors(run, shards[0].stop, k, queries)
    norm = largest_norm(vectors.documents)
    flat = Dense(depth=k)
    choices = [
        _measured(flat, vectors, lambda q: exact_top_k(q, vectors.documents, k, norm), 0.0, 0)
    ]
    if shards[0].stop >= ann.SMALLEST_SHARD:
        choices += [*_first_passes(vectors), *_indexes(vectors)]
    choices = [_with_total(choice, len(shards), total) for choice in choices]
    return Tuning(
        choices=tuple(choices),
        best=min((c for c in choices if c.recall >= recall), key=lambda c: c.total_seconds),
        asked=recall,
        k=k,
        sampled_queries=len(vectors.queries),
        queries=total,
        shard_documents=shards[0].stop,
        shards=len(shards),
        gpus=faiss.get_num_gpus(),
    )


def _vectors(run: MiningRun, stop: int, k: int, count: int) -> Vectors:
    seed, every = run.config.seed, array_column(run.document_vectors, "vector")

    def drawn(name: str, column: str, rows: int) -> np.ndarray:
        keys = run.ingested[name].read([column])[column].to_numpy()
        return ann.sample_rows(keys, seed, rows)

    documents = every[:stop]
    queries = np.asarray(
        array_column(run.query_vectors, "vector")[drawn("queries", "query_key", count)]
    )
    sample = np.asarray(every[drawn("documents", "doc_key", _SAMPLE)])
    return Vectors(documents, sample, queries, exact_top_k(queries, documents, k), k)


def _measured(
    config: Dense, vectors: Vectors, find: Find, build_seconds: float, size: int
) -> Choice:
    find(vectors.queries[:_WARM])
    started = time.perf_counter()
    found = find(vectors.queries)
    seconds = time.perf_counter() - started
    return Choice(
        name=describe(config),
        settings=config.model_dump(mode="json", exclude_defaults=True) or {"index": "flat"},
        recall=float(ann.recall(found.ids, vectors.exact.ids).mean()),
        seconds_per_1000_queries=1000 * seconds / len(vectors.queries),
        build_seconds=build_seconds,
        bytes=size,
        total_seconds=0.0,
    )


def _with_total(choice: Choice, shards: int, queries: int) -> Choice:
    searching = choice.seconds_per_1000_queries * queries / 1000
    total = shards * (choice.build_seconds + searching)
    return Choice(**{**asdict(choice), "total_seconds": total})


def _first_passes(vectors: Vectors) -> Iterator[Choice]:
    width = vectors.documents.shape[1]
    for kind in ("prefix", "pca", "whitening"):
        for share in _SHARES:
            if width < 2 * share:
                continue
            config = Dense(
                depth=vectors.k, first_pass=FirstPass(kind=kind, dimension=width // share)
            )
            try:
                yield _first_pass(config, vectors)
            except ValueError:  # the vectors vary in fewer dimensions
                continue


def _first_pass(config: Dense, vectors: Vectors) -> Choice:
    assert config.first_pass is not None
    started = time.perf_counter()
    given = config.first_pass
    reduction = Reduction.fit(given.kind, given.dimension, vectors.sample)
    reduced = Reduced.of(reduction.documents(vectors.documents))
    seconds = time.perf_counter() - started

    def find(queries: np.ndarray) -> TopK:
        return reduced.find(reduction, queries, vectors.documents, config.depth, config.over_fetch)

    return _measured(config, vectors, find, seconds, reduced.vectors.nbytes)


def _indexes(vectors: Vectors) -> Iterator[Choice]:
    rows, width = vectors.documents.shape
    for kind in ("ivf", "ivfpq", "hnsw"):
        name = ann.factory(Dense(index=kind), rows, width)
        started = time.perf_counter()
        sample = vectors.sample[: ann.sample_size(name, width)]
        index = ann.fill(ann.train(name, sample), vectors.documents)
        seconds = time.perf_counter() - started
        size = len(faiss.serialize_index(index))
        for config in _settings(kind, index, vectors.k):
            yield _measured(config, vectors, _finder(config, index, vectors), seconds, size)


def _finder(config: Dense, index: faiss.Index, vectors: Vectors) -> Find:
    return lambda queries: ann.find(config, index, queries, vectors.documents, vectors.k)


def _settings(kind: str, index: faiss.Index, k: int) -> Iterator[Dense]:
    lists = faiss.try_extract_index_ivf(index)
    if lists is None:
        for beam in _BEAMS:
            yield Dense(depth=k, index=kind, ef_search=beam * k)
        return
    for share in _PROBES:
        yield Dense(depth=k, index=kind, nprobe=max(1, lists.nlist // share))


def check_arguments(recall: float, k: int, queries: int) -> None:
    """Raise ConfigError for a recall outside 0..1 or a count below 1 or over its limit."""
    if not 0 <= recall <= 1:
        raise ConfigError(f"--recall {recall:g}: give a share from 0 to 1")
    for name, value, most in (("--k", k, MOST_CANDIDATES), ("--queries", queries, MOST_ROWS)):
        if not 1 <= value <= most:
            raise ConfigError(f"{name} {value}: give 1 to {most:,}")
