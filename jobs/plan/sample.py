"""A sample of a collection, and a run over it in a directory of its own."""

import shutil
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.jobs.mining.given_vectors import GivenStudent
from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.mining.retrieval import fill_given, retrieve_source
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.plan.timing import (
    DOCUMENTS,
    ENCODED,
    QUERIES,
    Encoding,
    measure_encoder,
    spread,
    timed,
)
from negmine.jobs.workdir.artifacts import Work
from negmine.schemas import tables
from negmine.schemas.judges import Judge
from negmine.schemas.policies import needs_judge
from negmine.schemas.verdicts import Source
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.kernels.hashing import fingerprint, mix, text_keys

POSITIVES = 4


@dataclass(frozen=True)
class Sample:
    """Rows of a collection, chosen by keyed hash, and the lengths of all its texts.

    `documents`, `queries`, `positives` are tables with positions of their own; `characters` and
    `text_bytes` are of the whole collection, by data set.
    """

    documents: pa.Table
    queries: pa.Table
    positives: pa.Table
    characters: dict[str, np.ndarray]
    text_bytes: dict[str, int]

    def texts(self, name: str) -> list[str]:
        """Texts of the sampled `documents` or `queries`."""
        table = self.documents if name == "documents" else self.queries
        return list(table.column("text").to_pylist())

    def head(self, queries: int) -> "Sample":
        """The sample with its first queries only."""
        kept = pc.less(self.positives.column("query_ix"), queries)
        return replace(
            self, queries=self.queries.slice(0, queries), positives=self.positives.filter(kept)
        )


def _scan(dataset: Dataset, wanted: np.ndarray) -> tuple[np.ndarray, int, pa.Table]:
    """Characters of each text, bytes of all, and the wanted rows: one pass over the parts."""
    order = np.argsort(wanted, kind="stable")
    ascending = wanted[order]
    lengths, size, pieces, start = [np.empty(0, dtype=np.int64)], 0, [], 0
    for table in dataset.tables():
        text = table.column("text")
        lengths.append(pc.utf8_length(text).to_numpy())
        size += pc.sum(pc.binary_length(text)).as_py() or 0
        low, high = np.searchsorted(ascending, [start, start + table.num_rows])
        pieces.append(table.take(pa.array(ascending[low:high] - start)))
        start += table.num_rows
    rows = pa.concat_tables(pieces).take(pa.array(np.argsort(order)))
    return np.concatenate(lengths), size, rows.combine_chunks()


def _first(dataset: Dataset, column: str, seed: int, count: int) -> np.ndarray:
    keys = dataset.read([column]).column(column).to_numpy()
    return np.argsort(mix(seed, keys), kind="stable")[:count]


def _numbered(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.set_column(0, schema.field(0), pa.array(np.arange(table.num_rows)))


def take_sample(miner: MiningRun) -> Sample:
    """Sampled queries with their first positives, and documents drawn by the run's seed."""
    sets, seed = miner.ingested, miner.config.seed
    queries = _first(sets["queries"], "query_key", seed, QUERIES)
    drawn = _first(sets["documents"], "doc_key", seed, DOCUMENTS)
    table = sets["positives"].read()
    query_ix, doc_ix = (table.column(name).to_numpy() for name in ("query_ix", "doc_ix"))
    low = np.searchsorted(query_ix, queries)
    high = np.minimum(np.searchsorted(query_ix, queries, side="right"), low + POSITIVES)
    pairs = [
        (q, doc_ix[i]) for q, (a, b) in enumerate(zip(low, high, strict=True)) for i in range(a, b)
    ]
    own = np.array([document for _, document in pairs], dtype=np.int64)
    documents = np.concatenate([drawn, np.setdiff1d(own, drawn)])
    place = {int(document): row for row, document in enumerate(documents)}
    positives = sorted((q, place[int(document)]) for q, document in pairs)
    found = {"documents": _scan(sets["documents"], documents)}
    found["queries"] = _scan(sets["queries"], queries)
    return Sample(
        documents=_numbered(found["documents"][2], tables.DOCUMENTS),
        queries=_numbered(found["queries"][2], tables.QUERIES),
        positives=pa.table(
            [
                *(np.array(c, dtype=np.int64) for c in zip(*positives, strict=True)),
                pa.nulls(len(positives), pa.float32()),
                np.ones(len(positives), dtype=bool),
            ],
            schema=tables.POSITIVES,
        ),
        characters={name: entry[0] for name, entry in found.items()},
        text_bytes={name: entry[1] for name, entry in found.items()},
    )


Measured = dict[tuple[str, str], tuple[Encoding, Any]]
"""Cost and vectors by name of the texts and fingerprint of the encoder."""


@dataclass
class TimedWork(Work):
    """A work directory that keeps the seconds of each artifact, by its label."""

    seconds: dict[str, float] = field(default_factory=dict)

    def ensure(self, stage: str, key: dict[str, Any], rows: int, make: Any, **how: Any) -> Dataset:
        seconds, dataset = timed(
            lambda: super(TimedWork, self).ensure(stage, key, rows, make, **how)
        )
        label = how.get("label") or stage
        self.seconds[label] = self.seconds.get(label, 0.0) + seconds
        return dataset


class SampleMiner(MiningRun):
    """A run over a sample, in a directory of its own; a few texts are encoded, and repeated.

    It remarks on nothing and measures no judge: a sample's numbers are not the collection's.
    """

    judge_checks = ()  # type: ignore[assignment]

    def __init__(
        self, origin: MiningRun, sample: Sample, directory: Path, measured: "Measured | None" = None
    ) -> None:
        config = origin.config
        output = config.output.model_copy(
            update={"path": str(directory), "workdir": None, "run_id": "sample"}
        )
        judge = next(
            (j for j in config.judge.flat() if j.kind in {"fusion", "late_interaction"}), None
        )
        policies = config.policies or ()
        if judge is None:
            policies = tuple(policy for policy in policies if not needs_judge(policy))
        changed = {"output": output, "judge": judge or Judge(kind="none"), "policies": policies}
        super().__init__(config.model_copy(update=changed))
        self.work: TimedWork = TimedWork(self.work.root, self.work.block_size)
        self.origin = origin
        self.sample = sample
        self.measured: Measured = {} if measured is None else measured

    def look_at(self, stage: str, until: str) -> None:
        pass

    @cached_property
    def input_fingerprint(self) -> dict[str, Any]:
        return {}

    @cached_property
    def ingested(self) -> dict[str, Dataset]:
        sample = self.sample
        found = {
            "documents": self._write("documents", sample.documents, tables.DOCUMENTS),
            "queries": self._write("queries", sample.queries, tables.QUERIES),
            "positives": self._write("positives", sample.positives, tables.POSITIVES),
        }
        counts = self.origin.ingested["documents"].directory.parent / "counts.json"
        shutil.copy(storage.fetch(counts), self.work.root / "ingest" / counts.name)
        empty = tables.DEAD_LETTERS.empty_table()
        return found | {"dead_letters": self._write("dead_letters", empty, tables.DEAD_LETTERS)}

    @cached_property
    def candidates(self) -> dict[str, Dataset]:
        """As of a run; for given ones, which name documents outside the sample, others stand in."""
        return {
            str(name): self._stand_in() if name == Source.GIVEN else retrieve_source(self, name)
            for name in self.config.sources.on()
        }

    def _stand_in(self) -> Dataset:
        queries, documents = self.sample.queries.num_rows, self.sample.documents.num_rows
        asked = -(-fill_given(self.origin).mined() // max(self.origin.rows("queries"), 1))
        each = max(1, min(asked, documents))
        start = np.arange(queries) * each
        doc_ix = np.sort((start[:, None] + np.arange(each)) % documents, axis=1)
        columns = {
            "query_ix": np.repeat(np.arange(queries), each),
            "doc_ix": doc_ix.reshape(-1),
            "rank": np.tile(np.arange(1, each + 1), queries),
            "score": np.zeros(queries * each),
        }
        table = pa.table({k: pa.array(v) for k, v in columns.items()}).cast(tables.CANDIDATES)
        return self._write("given", table, tables.CANDIDATES, "retrieve")

    def _write(
        self, name: str, table: pa.Table, schema: pa.Schema, folder: str = "ingest"
    ) -> Dataset:
        dataset = Dataset(str(self.work.root / folder / name))
        by_query = name in {"positives", "given"}
        rows = self.sample.queries.num_rows if by_query else table.num_rows
        compression = "none" if folder == "embed" else "zstd"
        write_part(dataset.path, Block(0, rows).part, table, schema, compression=compression)
        dataset.finish(fingerprint=name, stage=folder)
        return dataset

    @cached_property
    def student(self) -> EncoderChoice | GivenStudent:
        return self.origin.student

    def token_encoder(self, settings: Any) -> EncoderChoice:
        return self.origin.token_encoder(settings)

    def place(self, texts: str, student: GivenStudent) -> Dataset:
        from negmine.transforms.vectors.embed import vectors_table

        given = self.sample.texts(texts)
        vectors = spread(student.files[texts].head(ENCODED, student.width), len(given))
        table = vectors_table(0, text_keys(given), vectors, [None] * len(given))
        return self._write(f"{texts}-given", table, tables.vectors(student.width), "embed")

    def embed(self, texts: str, encoder: EncoderChoice, tokens: bool) -> Dataset:
        kind: Literal["query", "document"] = "query" if texts == "queries" else "document"
        given = self.sample.texts(texts)
        identity = fingerprint(encoder.identity)
        if (texts, identity) not in self.measured:
            self.measured[texts, identity] = measure_encoder(encoder, kind, given, tokens)
        cost, encoded = self.measured[texts, identity]
        # Imported late, so that the time to load an encoder includes that of its library.
        from negmine.transforms.vectors.embed import vectors_table

        at = np.arange(len(given)) % len(encoded.vectors)
        kept = encoded.token_vectors
        token_bytes = [kept[i].tobytes() if kept is not None else None for i in at]
        vectors = spread(encoded.vectors, len(given))
        table = vectors_table(0, text_keys(given), vectors, token_bytes)
        return self._write(f"{texts}-{identity}", table, tables.vectors(cost.dimension), "embed")
