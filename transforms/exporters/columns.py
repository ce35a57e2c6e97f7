"""Columns of exported rows: texts, lists, scores."""

from typing import Any

import numpy as np
import pyarrow as pa


def text_field(name: str) -> pa.Field:
    """A column of texts."""
    return pa.field(name, pa.large_string(), nullable=False)


def list_field(name: str, kind: pa.DataType | None = None) -> pa.Field:
    """A column of lists, of texts where no type is named."""
    return pa.field(name, pa.list_(kind or pa.large_string()), nullable=False)


def scores_field() -> pa.Field:
    """The `scores` column of sentence-transformers: the positive's first."""
    return list_field("scores", pa.float32())


def score_lists(matrix: Any) -> pa.Array:
    """A (rows, width) matrix of scores as an Arrow column of lists."""
    rows, width = matrix.shape
    offsets = pa.array(range(0, (rows + 1) * width, width), type=pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel(), type=pa.float32()))


def grouped(table: pa.Table, bounds: np.ndarray, column: str) -> pa.Array:
    """A column of a table as one list a query; `bounds` (q + 1,) are where its rows begin."""
    offsets = pa.array(bounds, type=pa.int32())
    return pa.ListArray.from_arrays(offsets, table[column].combine_chunks())
