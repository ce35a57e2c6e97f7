"""The beginning of a file of rows: names of its columns, some rows, and how many there are."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from negmine.jobs.inspection.encodings import encoding_of
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import PairsInput
from negmine.transforms import storage
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.classes import Classes, classes_of
from negmine.transforms.readers.tables.columnar import (
    is_nested,
    is_plain,
    row_count,
    schema_of,
    table_rows,
)
from negmine.transforms.readers.tables.delimited import Text, head, records
from negmine.transforms.readers.tables.headers import is_number, stands_out
from negmine.transforms.readers.tables.json_objects import objects
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import PANDAS_INDEX, names_a_column
from negmine.transforms.storage.suffixes import (
    KINDS,
    SHEETS,
    compression_of,
    require_kind,
    suffix_of,
)

ROWS = 200
"""Rows that are looked at."""

_COUNTED = 16 << 20
"""Bytes of a text file up to which its rows are counted one by one."""

CAP = line_cap(PairsInput.model_fields["max_text_bytes"].default)
"""Bytes of a row that are read."""


@dataclass(frozen=True)
class Head:
    """The beginning of a file.

    Attributes:
        path: the file.
        kind: parquet, arrow, jsonl, csv or tsv.
        names: of its columns; "column 1" and so on where it has no header.
        rows: up to ROWS of them, by column; text as text.
        header: whether a CSV or TSV file has one; of other kinds true.
        encoding: of a CSV or TSV file.
        count: its rows, None where that is not known.
        exact: whether they were counted, not estimated.
        unread: columns of types that no reader takes.
        classes: names of the classes of columns of Hugging Face data sets.
    """

    path: str
    kind: str
    names: tuple[str, ...]
    rows: list[dict[str, object]]
    header: bool = True
    encoding: str = "utf-8"
    count: int | None = None
    exact: bool = True
    unread: tuple[str, ...] = field(default=())
    classes: Mapping[str, Classes] = field(default_factory=dict)


def head_of(path: str, encoding: str | None = None, header: bool | None = None) -> Head:
    """The beginning of a file; `encoding` and `header` where they are known.

    Raises DataError where it cannot be read, or is no table.
    """
    if suffix_of(path) in SHEETS:
        raise DataError(f"{path} is a spreadsheet; save its sheet as CSV (UTF-8) and name that")
    kind = require_kind(path, "the data", tuple(KINDS))
    if kind in ("parquet", "arrow"):
        return _columnar(path, kind)
    if kind == "jsonl":
        return _json(path)
    return _delimited(path, kind, encoding or encoding_of(path), header)


def _columnar(path: str, kind: str) -> Head:
    schema = schema_of(path)
    read = [f.name for f in schema if is_plain(f.type) or is_nested(f.type)]
    rows: list[dict[str, object]] = []
    if read:
        found = islice(table_rows(path, read, listed=read), ROWS)
        rows = [dict(zip(read, map(as_text, values), strict=True)) for _, values in found]
    unread = tuple(name for name in schema.names if name not in read)
    names = tuple(schema.names)
    classes = classes_of(schema.metadata)
    return Head(path, kind, names, rows, count=row_count(path), unread=unread, classes=classes)


def as_text(value: object) -> object:
    """A value of Arrow with its bytes as text, in lists and objects too."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return value


def _json(path: str) -> Head:
    rows, size = [], 0
    names: dict[str, None] = {}
    for _, record, raw in islice(objects(path, CAP), ROWS):
        size += len(raw) + 1
        if not isinstance(record, Rejected):
            rows.append(dict(record))
            names.update(dict.fromkeys(record))
    if not rows:
        raise DataError(_no_objects(path))
    counted = _counted(path, len(rows), size, (1 for _ in objects(path, CAP)))
    return Head(path, "jsonl", tuple(names), rows, count=counted[0], exact=counted[1])


def _no_objects(path: str) -> str:
    """What is said of a JSON file of other values than objects."""
    _, first, raw = next(iter(objects(path, CAP)), (0, None, b""))
    if first is None:
        return f"{path} is empty"
    shown = raw[:60].decode("utf-8", "replace")
    if raw.lstrip().startswith(b"["):
        return (
            f"{path} holds lists and no objects ({shown}); name their places: jq -c "
            f"'{{query: .[0], positive: .[1]}}' {path} > pairs.jsonl"
        )
    return f"{path} holds no JSON object in its first {ROWS} lines: {shown}"


def _delimited(path: str, kind: str, encoding: str, header: bool | None) -> Head:
    text = Text(path, "csv" if kind == "csv" else "tsv", CAP, None, encoding=encoding)
    first, following = head(text, ROWS)
    if first is None:
        raise DataError(f"{path} is empty, or its first line cannot be read; look at it")
    has_header = looks_like_header(first, following) if header is None else header
    width = len(first)
    names = [field.strip() for field in first]
    if not has_header:
        names = [f"column {at}" for at in range(1, width + 1)]
    body = following if has_header else [first, *following]
    rows: list[dict[str, object]] = [
        dict(zip(names, row, strict=True)) for row in body if len(row) == width
    ]
    size = sum(sum(len(value.encode("utf-8", "replace")) + 1 for value in row) for row in body)
    seen = len(body) + has_header
    count, exact = _counted(path, seen, size, (1 for _ in records(text)))
    count = None if count is None else count - has_header
    return Head(path, kind, tuple(names), rows[:ROWS], has_header, encoding, count, exact)


def looks_like_header(first: Sequence[str], following: Sequence[list[str]]) -> bool:
    """Whether a first record names columns: no number, and a known name or unlike what follows."""
    names = [field.strip() for field in first]
    if any(map(is_number, names)) or len(set(names)) < len(names):
        return False
    known = any(name in PANDAS_INDEX[1:] or names_a_column(name) for name in names)
    return known or _has_index(names, following) or stands_out(names, following)


def _has_index(names: Sequence[str], following: Sequence[list[str]]) -> bool:
    """Whether rows are numbered in a first column without a name, as pandas writes its index."""
    numbered = all(row[0].isdigit() for row in following if row)
    return not names[0] and all(names[1:]) and bool(following) and numbered


def _counted(path: str, seen: int, size: int, rows: Iterator[int]) -> tuple[int | None, bool]:
    """Rows of a file, and whether they were counted; None where it is packed and large."""
    whole = os.stat(storage.fetch(path)).st_size
    packed = compression_of(path) is not None
    if whole <= (_COUNTED // 8 if packed else _COUNTED):
        return sum(rows), True
    return (None if packed else round(seen * whole / max(1, size))), False
