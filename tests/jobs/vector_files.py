"""Vectors of a small collection, as somebody's own model would give them: Parquet by identifier."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DOCUMENTS, QUERIES, WIDTH = 60, 12, 8


def unit(rows: int, seed: int) -> np.ndarray:
    """Random vectors of length 1, (rows, WIDTH) float64."""
    vectors = np.random.default_rng(seed).normal(size=(rows, WIDTH))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def write_vectors(
    file: Path, ids: Sequence[Any], vectors: Any, kind: pa.DataType | None = None, **names: str
) -> Path:
    """Identifiers and vectors as Parquet, in one row group."""
    kind = kind or pa.list_(pa.float32(), WIDTH)
    rows = [None if row is None else np.asarray(row).tolist() for row in vectors]
    if pa.types.is_float16(kind.value_type):
        rows = [None if row is None else [np.float16(x) for x in row] for row in rows]
    columns = [pa.array(list(ids)), pa.array(rows, kind)]
    table = pa.table(columns, [names.get("id", "id"), names.get("vector", "vector")])
    pq.write_table(table, file)
    return file


def export(folder: Path, kind: pa.DataType | None = None) -> dict[str, str]:
    """Vectors of the collection's documents and queries, out of order and in two files."""
    (folder / "documents").mkdir(parents=True)
    order = np.random.default_rng(3).permutation(DOCUMENTS)
    vectors = unit(DOCUMENTS, 1)
    for number, part in enumerate(np.split(order, [23])):
        ids = [f"d{i:04}" for i in part]
        write_vectors(folder / "documents" / f"{number}.parquet", ids, vectors[part], kind)
    queries = [f"q{i:04}" for i in range(QUERIES)]
    write_vectors(folder / "queries.parquet", queries, unit(QUERIES, 2), kind)
    return {"documents": str(folder / "documents"), "queries": str(folder / "queries.parquet")}
