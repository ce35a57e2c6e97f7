"""Geometry of the student's vectors, on collections whose geometry is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.metrics.vectors.geometry import (
    crowded_rows,
    length_bias_rows,
    tolerance_rows,
)
from negmine.transforms.pairs.features import Collection
from tests.transforms.metrics.triples import values


def collection(
    folder: Path, documents: np.ndarray, queries: np.ndarray, positives: list[tuple[int, int]]
) -> Collection:
    for name, vectors in (("documents", documents), ("queries", queries)):
        count, width = vectors.shape
        flat = pa.array(vectors.astype(np.float32).ravel(), pa.float32())
        columns = [
            pa.array(np.arange(count)),
            pa.array(np.arange(count, dtype=np.uint64)),
            pa.FixedSizeListArray.from_arrays(flat, width),
            pa.nulls(count, pa.large_binary()),
        ]
        schema = tables.vectors(width)
        table = pa.table(columns, schema=schema)
        part = Block(0, count).part
        write_part(str(folder / name), part, table, schema, compression="none")
    ix = np.array(positives).reshape(-1, 2)
    rows = [ix[:, 0], ix[:, 1], pa.nulls(len(ix), pa.float32()), np.ones(len(ix), dtype=bool)]
    write_part(
        str(folder / "positives"),
        Block(0, len(queries)).part,
        pa.table(rows, schema=tables.POSITIVES),
        tables.POSITIVES,
    )
    names = ("documents", "queries", "positives", "documents", "queries")
    return Collection(*(Dataset(str(folder / name)) for name in names))


def unit(rows: Any) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_tolerance_is_of_two_positives_of_a_query(tmp_path: Path) -> None:
    documents = unit([[1, 0], [1, 0], [1, 1], [0, 1]])
    found = collection(tmp_path, documents, unit([[1, 0]] * 3), [(0, 0), (0, 1), (1, 2), (2, 3)])
    assert values(tolerance_rows(found, 0), "tolerance") == [pytest.approx(1.0)]


def test_one_positive_a_query_has_no_tolerance(tmp_path: Path) -> None:
    found = collection(tmp_path, unit(np.eye(3)), unit(np.eye(3)), [(0, 0), (1, 1)])
    assert not list(tolerance_rows(found, 0))


@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_length_bias_is_found_where_it_was_put(tmp_path: Path, bias: float) -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(5, 500, size=300)
    documents = random.normal(size=(300, 32))
    documents[:, 0] += bias * 10 * (np.log(lengths) - np.log(lengths).mean())
    queries = random.normal(size=(50, 32))
    queries[:, 0] = 5
    found = collection(tmp_path, unit(documents), unit(queries), [(0, 0)])
    lexicon: Any = SimpleNamespace(lengths=lengths)
    rows = list(length_bias_rows(found, lexicon, 0))
    (auc,), (correlation,) = values(rows, "length_bias_auc"), values(rows, "length_bias")
    assert (auc > 0.7 and correlation > 0.5) if bias else abs(auc - 0.5) < 0.05


def test_a_first_pass_is_tried_only_where_vectors_are_crowded(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    documents, queries = random.normal(size=(400, 16)), random.normal(size=(30, 16))
    # One direction that all share hides the rest, as in encoders that were not trained for cosines.
    documents[:, -1] += 40
    queries[:, -1] += 40
    found = collection(tmp_path, unit(documents), unit(queries), [(0, 0)])
    assert not list(crowded_rows(found, 0.2, 0))
    rows = list(crowded_rows(found, 0.95, 0))
    recall = {row.key: row.value for row in rows}
    assert set(recall) == {"prefix", "pca", "whitening"}
    assert recall["whitening"] > recall["prefix"]
    assert all(0 <= share <= 1 for share in recall.values())
