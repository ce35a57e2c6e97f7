"""Columns of exported rows: texts, lists, scores, messages, lines."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LINE = pa.schema([pa.field("line", pa.large_string(), nullable=False)])
"""Rows that are lines of text as they stand."""

WEIGHTS = "label"
"""Column of weights where a trainer takes every other column for a text: it hands this one to the
loss, and losses that know no weights do not read it."""


def text_field(name: str) -> pa.Field:
    """A column of texts."""
    return pa.field(name, pa.large_string(), nullable=False)


def list_field(name: str, kind: pa.DataType | None = None) -> pa.Field:
    """A column of lists, of texts where no type is named."""
    return pa.field(name, pa.list_(kind or pa.large_string()), nullable=False)


def scores_field() -> pa.Field:
    """The `scores` column of sentence-transformers: the positive's first."""
    return list_field("scores", pa.float32())


def score_lists(matrix: np.ndarray) -> pa.Array:
    """A (rows, width) matrix of scores as an Arrow column of lists."""
    return listed(pa.array(matrix.ravel(), type=pa.float32()), *matrix.shape)


def listed(values: pa.Array, rows: int, width: int) -> pa.Array:
    """Values, row by row, as lists of one width."""
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, values)


def grouped(table: pa.Table, bounds: np.ndarray, column: str) -> pa.Array:
    """A column of a table as one list a query; `bounds` (q + 1,) are where its rows begin."""
    return nested(table[column].combine_chunks(), bounds)


def nested(values: pa.Array, bounds: np.ndarray) -> pa.Array:
    """Values as one list a query; `bounds` (q + 1,) are where its values begin."""
    return pa.ListArray.from_arrays(pa.array(bounds, type=pa.int32()), values)


def structs(**columns: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Columns of one length as one column of records."""
    arrays = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns.values()]
    fields = [
        pa.field(name, a.type, nullable=False) for name, a in zip(columns, arrays, strict=True)
    ]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def repeated(text: str, rows: int) -> pa.Array:
    """One text in every row."""
    return pa.repeat(pa.scalar(text, pa.large_string()), rows)


def as_text(values: pa.Array | np.ndarray) -> pa.Array:
    """Numbers as texts; of float32 the shortest decimals that mean them."""
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return pa.array(values.astype("U32"), pa.large_string())
    return pc.cast(pa.array(values), pa.large_string())


def lines(*parts: pa.Array | str) -> pa.Table:
    """A table of `LINE`: the parts one after another, row by row."""
    joined = pc.binary_join_element_wise(
        *(pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts),
        pa.scalar("", pa.large_string()),
    )
    return pa.table([joined], schema=LINE)


def one_line(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Texts for a file of tabs and lines: every run of white space is a space."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return pc.utf8_trim_whitespace(
        pc.replace_substring_regex(texts, r"[\s\x0b\x85\x{2028}\x{2029}]+", " ")
    )
