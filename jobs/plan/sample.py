"""A sample of a collection, mined for real in a directory of its own, and what that took."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.jobs.mining.publish import publish
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.given_vectors import GivenStudent
from negmine.jobs.plan.reuse import unknown
from negmine.jobs.workdir.artifacts import Artifact
from negmine.jobs.workdir.directory import WorkDirectory
from negmine.schemas import JsonObject, tables
from negmine.schemas.config import Config, Vectors
from negmine.schemas.judges import EncoderJudge, Judge, NoJudge
from negmine.schemas.policies import needs_judge
from negmine.schemas.sources import SOURCES, Random
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.ingesting.ingest import COUNTS, KEYS
from negmine.transforms.kernels.hashing import mix

SIZES = ((8, 3), (64, 48), (512, 96))
"""Documents and queries of the samples, positives apart. The first pays for what a process loads,
the last is mined without models unless they took little time for the one before."""
_LITTLE = 2.0
_POSITIVES = 4

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Sample:
    """Rows of a collection with positions of their own, as `ingest` writes them."""

    documents: pa.Table
    queries: pa.Table
    positives: pa.Table

    def head(self, documents: int, queries: int) -> "Sample":
        """The first rows, with all positives of the queries among them."""
        table = self.positives.filter(pc.less(self.positives["query_ix"], queries))
        doc_ix = table["doc_ix"].to_numpy()
        rows = np.unique(np.append(np.arange(min(documents, self.documents.num_rows)), doc_ix))
        positives = table.set_column(
            1, tables.POSITIVES.field(1), pa.array(np.searchsorted(rows, doc_ix))
        )
        chosen = self.documents.take(pa.array(rows)).set_column(
            0, tables.DOCUMENTS.field(0), pa.array(np.arange(len(rows)))
        )
        return Sample(chosen, self.queries.slice(0, queries), positives)

    def write(self, folder: Path) -> dict[str, Dataset]:
        """The ingested data sets of the sample."""
        told = "language" in self.documents.column_names
        of_texts = tables.with_language if told else pa.schema
        sets = {
            "documents": (self.documents, of_texts(tables.DOCUMENTS), self.documents.num_rows),
            "queries": (self.queries, of_texts(tables.QUERIES), self.queries.num_rows),
            "positives": (self.positives, tables.POSITIVES, self.queries.num_rows),
            "dead_letters": (tables.DEAD_LETTERS.empty_table(), tables.DEAD_LETTERS, 0),
        }
        for name, (table, schema, rows) in sets.items():
            write_part(str(folder / name), Block(0, rows).part, table, schema)
            Dataset(str(folder / name)).finish(fingerprint=name, stage="ingest")
        return {name: Dataset(str(folder / name)) for name in sets}


def _scan(dataset: Dataset, wanted: np.ndarray) -> tuple[np.ndarray, pa.Table]:
    """Characters of each text, and the wanted rows in their order: one pass over the parts."""
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    lengths, pieces, start = [np.empty(0, dtype=np.int64)], [], 0
    for table in dataset.tables():
        lengths.append(pc.utf8_length(table.column("text")).to_numpy())
        low, high = np.searchsorted(ascending, [start, start + table.num_rows])
        pieces.append(table.take(pa.array(ascending[low:high] - start)))
        start += table.num_rows
    rows = pa.concat_tables(pieces).take(pa.array(np.argsort(order))).combine_chunks()
    numbers = pa.array(np.arange(rows.num_rows))
    return np.concatenate(lengths), rows.set_column(0, rows.schema.field(0), numbers)


def take_sample(run: MiningRun) -> tuple[Sample, dict[str, np.ndarray]]:
    """The largest sample, drawn by the run's seed, and the characters of all texts by data set."""

    def first(name: str, key: str, count: int) -> np.ndarray:
        keys = run.ingested[name].read([key]).column(key).to_numpy()
        return np.argsort(mix(run.config.seed, keys), kind="stable")[:count]

    drawn = first("documents", "doc_key", SIZES[-1][0])
    queries = first("queries", "query_key", SIZES[-1][1])
    table = run.ingested["positives"].read(["query_ix", "doc_ix"])
    query_ix, doc_ix = (column.to_numpy() for column in table.columns)
    low, high = (np.searchsorted(query_ix, queries, side=side) for side in ("left", "right"))
    counts = np.minimum(high - low, _POSITIVES)
    own = np.concatenate([doc_ix[a : a + n] for a, n in zip(low, counts, strict=True)])
    documents = np.concatenate([drawn, np.setdiff1d(own, drawn)])
    place = {int(document): row for row, document in enumerate(documents)}
    pairs = np.array([np.repeat(np.arange(len(queries)), counts), [place[int(d)] for d in own]])
    pairs = pairs[:, np.lexsort(pairs[::-1])].astype(np.int64)
    columns = [*pairs, pa.nulls(len(own), pa.float32()), np.ones(len(own), dtype=bool)]
    document_lengths, document_rows = _scan(run.ingested["documents"], documents)
    query_lengths, query_rows = _scan(run.ingested["queries"], queries)
    sample = Sample(document_rows, query_rows, pa.table(columns, schema=tables.POSITIVES))
    return sample, {"documents": document_lengths, "queries": query_lengths}


@dataclass(frozen=True)
class Size:
    """What costs grow with, of a sample or of the whole collection.

    `candidates` are those of a query, by source; `characters` those of each text, by data set.
    """

    documents: int
    queries: int
    pairs: int
    candidates: dict[str, float]
    characters: dict[str, np.ndarray]

    @property
    def text(self) -> float:
        """Characters of all documents."""
        return float(self.characters["documents"].sum())


@dataclass(frozen=True)
class Taken:
    """What it took to make an artifact of a sample; `bytes` with the mapped copies."""

    artifact: Artifact
    folder: Path
    seconds: float

    @property
    def bytes(self) -> int:
        return tree_bytes(self.folder)


def tree_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; 0 where there is none."""
    return sum(storage.state(file)[0] for file in storage.files(folder))


def artifact_name(artifact: Artifact) -> str:
    """By what the same step of another collection is found."""
    name = artifact.label or artifact.stage
    if artifact.stage == "judge" and artifact.key:
        return f"{name} {artifact.key['judge']['kind']}"
    return f"{name} {artifact.key.get('encoder', {}).get('weights', '')}".rstrip()


def timed(step: Callable[[], _Made]) -> tuple[float, _Made]:
    """Seconds that a call took, and what it returned."""
    started = time.perf_counter()
    found = step()
    return time.perf_counter() - started, found


@dataclass
class TimedWork(WorkDirectory):
    """A work directory that makes one artifact at a time, and keeps what each took, by name."""

    taken: dict[str, Taken] = field(default_factory=dict)

    def make_together(self, *artifacts: Artifact) -> list[Dataset]:
        return [self._timed(artifact) for artifact in artifacts]

    def _timed(self, artifact: Artifact) -> Dataset:
        seconds, (dataset,) = timed(partial(super().make_together, artifact))
        folder = self.path(artifact.stage, artifact.key)[0]
        self.taken.setdefault(artifact_name(artifact), Taken(artifact, folder, seconds))
        return dataset


@dataclass(frozen=True)
class Mined:
    """A sample with the run over it and what its artifacts took, by name."""

    sample: Sample
    run: MiningRun
    taken: dict[str, Taken]

    @cached_property
    def size(self) -> Size:
        """The size of the sample."""
        run, queries = self.run, self.run.rows("queries")
        characters = {
            name: pc.utf8_length(getattr(self.sample, name)["text"]).to_numpy()
            for name in ("documents", "queries")
        }
        candidates = {n: d.rows / max(queries, 1) for n, d in run.candidates.items()}
        return Size(run.rows("documents"), queries, run.judged.rows, candidates, characters)

    @cached_property
    def width(self) -> int:
        """Numbers in a vector."""
        return int(array_column(self.run.document_vectors, "vector").shape[1])

    @property
    def models(self) -> float:
        """Seconds of the stages that run a model."""
        stages = {"embed", "check_judge", "judge"}
        return sum(t.seconds for t in self.taken.values() if t.artifact.stage in stages)


def mine_samples(run: MiningRun, sample: Sample, each: int, folder: Path) -> list[Mined]:
    """Mine samples of growing size, each by an ordinary run on this machine.

    `each` random documents a query stand in for candidates that only files tell, random vectors for
    given ones. A cross-encoder reads the pairs by which judges are checked, no others.
    """
    mined: list[Mined] = []
    for documents, queries in SIZES:
        part, place = sample.head(documents, queries), folder / str(len(mined))
        if len(mined) > 1 and part.queries.num_rows == mined[-1].sample.queries.num_rows:
            break
        sets = part.write(place / "ingest")
        for name in (COUNTS, KEYS):
            beside = run.ingested["documents"].directory.parent / name
            shutil.copy(storage.fetch(beside), place / "ingest" / name)
        config, judges = _bounded(run.config, each, place), run.config.judge.flat()
        width = run.student.width if isinstance(run.student, GivenStudent) else None
        if len(mined) > 1 and mined[-1].models > _LITTLE:
            judges, width = [], mined[-1].width
        if width is not None:
            student = config.student.model_copy(update={"vectors": _vectors(part, width, place)})
            config = config.model_copy(update={"student": student})
        work = TimedWork(place, run.work.block_size)
        main, *readers = (_sample_run(run, c, sets, work) for c in _judged(config, judges))
        _ = main.sets
        seconds, _ = timed(partial(publish, main, "sample"))
        artifact = Artifact("publish", {}, queries, unknown)
        work.taken["publish"] = Taken(artifact, place / "runs", seconds)
        for reader in readers:
            _ = reader.judge_checks
        mined.append(Mined(part, main, work.taken))
    return mined


def _sample_run(
    run: MiningRun, config: Config, sets: dict[str, Dataset], work: WorkDirectory
) -> MiningRun:
    sampled = MiningRun(config)
    sampled.options, sampled.until, sampled.models = (), "score", run.models
    sampled.input_fingerprint, sampled.ingested, sampled.work = {}, sets, work
    return sampled


def _bounded(config: Config, each: int, place: Path) -> Config:
    """The run's config with an output of its own, and sources that read no files."""
    output = {"path": str(place), "workdir": None, "run_id": "sample"}
    sources = config.sources
    from_files: JsonObject = {str(s): None for s in sources.on() if SOURCES[s].bound is None}
    if from_files:
        count = each + (sources.random.count if sources.random else 0)
        sources = sources.model_copy(update={**from_files, "random": Random(count=max(1, count))})
    changed: JsonObject = {"output": config.output.model_copy(update=output), "sources": sources}
    changed["lists"] = None  # which only a judge fills that a sample may not ask
    return config.model_copy(update=changed)


def _vectors(sample: Sample, width: int, place: Path) -> Vectors:
    """Files of random vectors of length 1, for the texts of a sample."""
    files = {texts: str(place / f"{texts}.parquet") for texts in ("documents", "queries")}
    for texts, file in files.items():
        ids = getattr(sample, texts).column(1)
        drawn = np.random.default_rng(0).standard_normal((len(ids), width), dtype=np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        pq.write_table(pa.table({"id": ids, "vector": list(drawn)}), file)
    return Vectors(**files)


def _judged(config: Config, judges: Sequence[Judge]) -> Iterator[Config]:
    """The config with a judge that reads no pairs one by one; behind it one for each that does."""
    cheap = [judge for judge in judges if isinstance(judge, EncoderJudge)]
    policies = [p for p in config.policies or () if cheap or not needs_judge(p)]
    judge = cheap[0] if cheap else NoJudge()
    yield config.model_copy(update={"judge": judge, "policies": tuple(policies)})
    for reader in judges:
        if reader.kind == "cross_encoder":
            yield config.model_copy(update={"judge": reader})
