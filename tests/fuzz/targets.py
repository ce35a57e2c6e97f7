"""What is fuzzed: each target takes any bytes, and may fail with an error for people only."""

import gzip
import io
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from negmine.jobs.load_config import load_config
from negmine.schemas import tables
from negmine.schemas.errors import NegmineError
from negmine.transforms import foreign
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.foreign import references
from negmine.transforms.judging.given_scores import FillScores
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.labels import label_source, read_labels
from negmine.transforms.readers.rows import Bad, Row
from negmine.transforms.sources.given import FillGiven
from negmine.transforms.vectors.files import VectorFiles
from negmine.transforms.vectors.spool import copy_as_float32
from tests.transforms.input_files import config

PRESETS = sorted((Path(__file__).parents[2] / "jobs" / "presets").glob("*.yaml"))
SMALL = {"max_text_bytes": 1000, "max_unpacked_bytes": 1 << 22}
TABLE = {
    "doc_id": ["a", "b", None], "text": ["x" * 40, "y", "z"], "query_id": ["q", "r", "s"],
    "positive": ["p", "q", "r"], "number": [1, 2, 3], "nested": [[{"a": 1}], [], None],
    "rank": [1, 2, 1], "score": [0.5, float("nan"), None], "vector": [[1.0, 2.0], [0.5, 1.0], None],
}  # fmt: skip


def _drain(rows: Any) -> None:
    for row in rows:
        if isinstance(row, Bad):
            assert row.reason.encode()
            assert len(row.excerpt.encode()) <= 4 * 200


def _collection(data: bytes, folder: Path, suffix: str, layout: str) -> None:
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    names = dict.fromkeys(("documents", "queries", "qrels"), str(path))
    made = config(format=layout, **names, **SMALL)
    for source in sources(made):
        _drain(_rows(source, made))


def _rows(source: Any, made: Any) -> list[Row]:
    return list(read(source, made, 1))


def jsonl(data: bytes, folder: Path) -> None:
    """Documents, queries and qrels as JSON lines."""
    _collection(data, folder, ".jsonl", "jsonl")


def tsv(data: bytes, folder: Path) -> None:
    """Tab-separated documents, queries and qrels."""
    _collection(data, folder, ".tsv", "tsv")


def csv(data: bytes, folder: Path) -> None:
    """The same cut at commas, with quotes."""
    _collection(data, folder, ".csv", "tsv")


def array(data: bytes, folder: Path) -> None:
    """Documents, queries and qrels as one JSON array."""
    _collection(data, folder, ".json", "jsonl")


def pairs(data: bytes, folder: Path) -> None:
    """Pairs with a positive or a list of them."""
    for suffix in (".jsonl", ".tsv", ".parquet"):
        path = folder / f"pairs{suffix}"
        path.write_bytes(data)
        made = config(format="pairs", path=str(path), **SMALL)
        _allowed(lambda made=made: [_drain(_rows(source, made)) for source in sources(made)])


def packed(data: bytes, folder: Path) -> None:
    """The same behind a compression, damaged or not."""
    kind, data = data[:1], data[1:]
    whole = {b"g": gzip.compress, b"z": zstandard.compress}.get(kind, bytes)(data)
    _collection(whole, folder, ".tsv.gz" if kind in b"gG" else ".tsv.zst", "tsv")


def parquet(data: bytes, folder: Path) -> None:
    """A Parquet file, most of the time one that was whole."""
    _collection(data, folder, ".parquet", "parquet")


def labels(data: bytes, folder: Path) -> None:
    """Labels and decisions."""
    path = folder / "labels.jsonl"
    path.write_bytes(data)
    _drain(read_labels(label_source(str(path)), 1000, 1 << 20))


def audited(data: bytes, folder: Path) -> None:
    """Trainers' files of negatives, and the corpus, queries and judgements beside them."""
    for suffix in (".jsonl", ".parquet", ".arrow"):
        path = folder / f"audited{suffix}"
        path.write_bytes(data)
        for name in foreign.FORMATS:
            _allowed(lambda path=path, name=name: list(foreign.rows(str(path), name)))
        for what in ("corpus", "queries"):
            _allowed(lambda path=path, what=what: list(references.texts(path, what)))
        _allowed(lambda path=path: list(references.judgements(path)))


def given(data: bytes, folder: Path) -> None:
    """Candidates and scores by identifier."""
    columns = ("query_id", "doc_id")
    for suffix in (".jsonl", ".jsonl.gz", ".parquet"):
        file = folder / f"given{suffix}"
        file.write_bytes(data)
        for fill in (
            FillGiven((str(file),), *columns, "rank", *_ingested()),
            FillScores((str(file),), *columns, "score", *_ingested()),
        ):
            with duckdb.connect() as connection:
                _allowed(lambda fill=fill, connection=connection: fill(connection))


def vectors(data: bytes, folder: Path) -> None:
    """Vectors by identifier."""
    file = folder / "vectors.parquet"
    file.write_bytes(data)
    files = VectorFiles.of(str(file), "query_id", "vector", "student.vectors.queries")
    ids = "SELECT 0 AS ix, 'q' AS id UNION ALL SELECT 1, 'r'"
    copy_as_float32(files, ids, files.width(), folder)


def yaml(data: bytes, folder: Path) -> None:
    """A run's config."""
    path = folder / "run.yaml"
    path.write_bytes(data)
    load_config(str(path))


def settings(data: bytes, folder: Path) -> None:
    """`--set` over a preset."""
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")
    load_config(str(PRESETS[len(data) % len(PRESETS)]), text.split("\n"))


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    target.__name__: target
    for target in (
        jsonl,
        tsv,
        csv,
        array,
        pairs,
        packed,
        parquet,
        labels,
        audited,
        given,
        vectors,
        yaml,
        settings,
    )
}


def _allowed(call: Callable[[], object]) -> None:
    try:
        call()
    except NegmineError as error:
        assert str(error)


def run(name: str, data: bytes, folder: Path) -> None:
    """Run a target on some bytes; passes on everything but errors for people."""
    _allowed(lambda: TARGETS[name](data, folder))


@cache
def seeds(name: str) -> list[bytes]:
    """Whole inputs of a target, to be changed."""
    line = b'{"doc_id": "a", "text": "b c", "query_id": "q", "decision": "positive"}\n'
    lists = b'{"query": "q", "pos": ["a"], "neg": ["b", "c"], "neg_scores": [1, 2]}\n'
    passages = b'{"query_id": "1", "query": "q", "positive_passages": [{"docid": "1", "text": "t"}]'
    whole = [_parquet(compression) for compression in ("none", "snappy", "zstd")]
    return {
        "jsonl": [line * 3],
        "tsv": [b"a\tb c\nq\t0\ta\t1\n"],
        "csv": [b'id,text\n1,"a ""b"", c"\n', b"q,d,1\nr,e,0\n"],
        "array": [b'[{"doc_id": "a", "text": "b c", "query_id": "q"}, {"score": 1}]'],
        "pairs": [lists, b"query\tpositive\na\tb\n", *whole],
        "packed": [b"ga\tb\n", b"za\tb\n", b"G" + gzip.compress(b"a\tb\n" * 9)],
        "parquet": whole,
        "labels": [line * 2],
        "audited": [line, lists, passages + b', "negative_passages": []}\n', *whole, *_arrow()],
        "given": [line * 2, b'{"query_id": "q", "doc_id": "a", "rank": 1, "score": 0.5}\n', *whole],
        "vectors": whole,
        "yaml": [path.read_bytes() for path in PRESETS],
        "settings": [b"seed=7\npolicies.known_positive={}", b"tiers.hard.quota=5\nsources=null"],
    }[name]


@cache
def _held() -> tempfile.TemporaryDirectory[str]:
    """Two documents and two queries, ingested; gone when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="negmine-fuzz-")
    keys, part = pa.array([0, 1], pa.uint64()), Block(0, 2).part
    rows = {
        "documents": (
            tables.DOCUMENTS,
            [
                *([0, 1], ["a", "b"], ["x", "y"], keys, keys, [b"0" * 128] * 2, [False] * 2),
                *(keys, [-1, -1]),
            ],
        ),
        "queries": (tables.QUERIES, [[0, 1], ["q", "r"], ["x", "y"], keys, keys, [["s"], []]]),
    }
    for name, (schema, columns) in rows.items():
        write_part(f"{folder.name}/{name}", part, pa.table(columns, schema=schema), schema)
    return folder


def _ingested() -> tuple[Dataset, Dataset]:
    return Dataset(f"{_held().name}/queries"), Dataset(f"{_held().name}/documents")


def _parquet(compression: str) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(TABLE), sink, compression=compression)
    return sink.getvalue()


def _arrow() -> list[bytes]:
    table = pa.table(TABLE)
    made = []
    for writer in (pa.ipc.new_file, pa.ipc.new_stream):
        sink = io.BytesIO()
        with writer(sink, table.schema) as out:
            out.write_table(table)
        made.append(sink.getvalue())
    return made
