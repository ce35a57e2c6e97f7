"""Output files of exporters: under a temporary name until they are whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import StorageError
from transforms import storage

ROW_GROUP = 16_384


@dataclass
class Written:
    """What an exporter wrote: rows (JSONL: lines), queries, and queries that were left out."""

    rows: int = 0
    queries: int = 0
    short: int = 0
    details: dict[str, Any] = field(default_factory=dict)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well, else removed.

    Raises StorageError where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        storage.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; free space or give another --output"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A Parquet file that appears under `path` only when it is whole."""
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        yield writer


def text_field(name: str) -> pa.Field:
    """A column of texts."""
    return pa.field(name, pa.large_string(), nullable=False)


def scores_field() -> pa.Field:
    """The `scores` column of sentence-transformers: the positive's first."""
    return pa.field("scores", pa.list_(pa.float32()), nullable=False)


def score_lists(matrix: Any) -> pa.Array:
    """A (rows, width) matrix of scores as an Arrow column of lists."""
    rows, width = matrix.shape
    offsets = pa.array(range(0, (rows + 1) * width, width), type=pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel(), type=pa.float32()))
