"""Builders of tiny input collections, and ingest without Beam."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from pydantic import TypeAdapter

from negmine.schemas import tables
from negmine.schemas.inputs import Input
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.ingesting.ingest import cut_of, resolve
from negmine.transforms.ingesting.raw import write_raw
from negmine.transforms.readers import read, sources

DOCUMENTS = (
    {"_id": "d1", "title": "Cells", "text": "Cells divide in two."},
    {"_id": "d2", "title": "", "text": "Stars burn hydrogen."},
    {"_id": "d3", "text": "Rivers carry sand to the sea."},
)
QUERIES = (
    {"_id": "q1", "text": "how do cells divide"},
    {"_id": "q2", "text": "what do stars burn"},
    {"_id": "q3", "text": "a query of another split"},
)
QRELS = (("q1", "d1", 1), ("q2", "d2", 2), ("q2", "d3", 0))


def config(**values: Any) -> Input:
    """The `input` section with these values."""
    made: Input = TypeAdapter(Input).validate_python(values)
    return made


def line(value: Any) -> bytes:
    """A line of JSON, or the bytes or text themselves."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """Rows as lines of a file, compressed as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join(line(row) + b"\n" for row in rows)
    if path.suffix == ".gz":
        data = gzip.compress(data)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


def write_table(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Rows as a table of the kind that its suffix says; `.json` is one array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table, kind = pa.Table.from_pylist(list(rows)), path.name.partition(".")[2]
    if kind in ("parquet", "pq"):
        pq.write_table(table, path)
    elif kind.endswith("arrow"):
        new = pa.ipc.new_stream if "stream" in kind else pa.ipc.new_file
        with new(str(path), table.schema) as writer:
            writer.write_table(table)
    elif kind == "json":
        path.write_text(json.dumps(list(rows), indent=1))
    elif kind.startswith("jsonl"):
        write_lines(path, rows)
    else:
        text = io.StringIO()
        delimiter = "," if kind.startswith("csv") else "\t"
        writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_lines(path, text.getvalue().splitlines())
    return path


def write_beir(
    folder: Path,
    documents: Sequence[Any] = DOCUMENTS,
    queries: Sequence[Any] = QUERIES,
    qrels: Sequence[Any] = QRELS,
    *,
    split: str = "train",
    suffix: str = "",
) -> Path:
    """A BEIR folder of these rows; qrels rows are tuples, text or bytes."""
    header = "query-id\tcorpus-id\tscore"
    joined = [row if isinstance(row, str | bytes) else "\t".join(map(str, row)) for row in qrels]
    write_lines(folder / f"corpus.jsonl{suffix}", documents)
    write_lines(folder / f"queries.jsonl{suffix}", queries)
    write_lines(folder / "qrels" / f"{split}.tsv{suffix}", [header, *joined])
    return folder


SCHEMAS = {
    "documents": tables.DOCUMENTS,
    "queries": tables.QUERIES,
    "positives": tables.POSITIVES,
    "confirmed_negatives": tables.CONFIRMED_NEGATIVES,
    "dead_letters": tables.DEAD_LETTERS,
}


def ingest(made: Input, directory: Path, *, block_size: int = 8192, seed: int = 42) -> Any:
    """What the pipeline does, without Beam."""
    raw = str(directory / "raw")
    cut = cut_of(made)
    reports = [
        write_raw(file, source, read(source, made, seed), seed, raw, block_size, cut)
        for file, source in enumerate(sources(made))
    ]
    return resolve(reports, made, str(directory), raw, block_size)


def rows(directory: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Dataset(str(directory / name)).read().to_pylist()
    return found
