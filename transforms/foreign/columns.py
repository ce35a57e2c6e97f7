"""Triplets and n-tuples of sentence-transformers: anchor, positive, negatives, by column order."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.foreign.rows import Negative, Row, broken, text
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.storage.digests import Digest

LABELS = ("label", "labels", "score", "scores")
"""Columns that sentence-transformers takes for the label, wherever they stand."""


def text_columns(path: str | Path, names: Sequence[str], texts: Sequence[bool], format: str) -> Any:
    """Anchor, positive and negatives among a file's columns: those of text, in their order.

    Raises DataError, naming the columns there are, where their number is not the format's.
    """
    known = zip(names, texts, strict=True)
    found = [name for name, is_text in known if is_text and name not in LABELS]
    shown = ", ".join(found) or "none"
    if len(found) < 3:
        raise DataError(
            f"{path} has {len(found)} columns of text ({shown}; all columns: {', '.join(names)}); "
            f"--format {format} needs an anchor, a positive and a negative, in this order"
        )
    if format == "triplet" and len(found) > 3:
        raise DataError(
            f"{path} has {len(found)} columns of text ({shown}) and a triplet has three; give "
            "--format n_tuple, or take the others out"
        )
    return found


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow column holds text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def json_columns(path: str | Path, record: JsonObject, format: str) -> Any:
    """`text_columns` of a JSON Lines file, by its first line; a null counts as text."""
    kinds = [value is None or isinstance(value, str) for value in record.values()]
    return text_columns(path, list(record), kinds, format)


def rows(path: str, format: str, digest: Digest | None = None) -> Iterator[Row]:
    """The file's rows. Raises DataError naming file and row."""
    if container(path) == "jsonl":
        columns = None
        for number, record, _ in objects(path, format, digest):
            columns = columns or json_columns(path, record, format)
            yield _row(path, number, [record.get(name) for name in columns], columns, format)
        return
    with open_table(path, digest) as (schema, batches):
        kinds = [is_text(field.type) for field in schema]
        columns = text_columns(path, schema.names, kinds, format)
        number = 0
        for batch in batches:
            values = [batch.column(name).to_pylist() for name in columns]
            for row in zip(*values, strict=True):
                number += 1
                yield _row(path, number, row, columns, format, table=True)


def _row(
    path: str,
    number: int,
    values: Sequence[Any],
    columns: list[str],
    format: str,
    table: bool = False,
) -> Row:
    try:
        query, positive = (text(values[at], columns[at]) for at in (0, 1))
        negatives = tuple(
            Negative("", place, text(value, columns[place + 1]))
            for place, value in enumerate(values[2:], 1)
            if value is not None
        )
        if not negatives:
            raise Rejected("missing", f"{columns[2]} is missing")
    except Rejected as why:
        raise broken(path, number, why, format, table) from None
    return Row(number, query, (positive,), negatives)
