"""Files by their ending, JSONL, CSV or Parquet: under a temporary name until they are whole."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms.exporters.writing.columns import LINE
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.targets import ending

STDOUT = "-"
ENDINGS = (
    ".parquet",
    *(f"{kind}{packed}" for kind in (".jsonl", ".csv") for packed in ("", ".gz", ".zst")),
)
LINE_ENDINGS = tuple(
    f"{kind}{packed}"
    for kind in (".txt", ".tsv", ".trec", ".run", ".qrels")
    for packed in ("", ".gz", ".zst")
)
"""Endings of files that are lines of text, whichever of them it is."""
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}
_ROWS_AT_ONCE = 1_024
_LINE_BREAKS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\u0085": "\\u0085"}

_ELSEWHERE = "Free space or give another --output"

Write = Callable[[pa.Table], None]


@contextmanager
def written(path: Path | None, schema: pa.Schema) -> Iterator[Write]:
    """What writes tables of a schema to a file, of the kind that its ending says.

    The file appears when the block ends well. None is standard output, as JSON lines.
    Raises ConfigError where the schema has lists and the file is CSV, StorageError where the disk
    refuses or standard output is closed.
    """
    if path is None:
        yield from _to_stdout()
        return
    refuse_nested(path, schema)
    with (
        replacing(path, advice=_ELSEWHERE) as temporary,
        opened(temporary, ending(path), schema) as write,
    ):
        yield write


def refuse_nested(path: Path, schema: pa.Schema) -> None:
    """Raise ConfigError where the schema has lists and the file is CSV."""
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if ending(path).startswith(".csv") and nested:
        raise ConfigError(
            f"{path}: {', '.join(nested)} hold lists, and a field of CSV holds none; name the file "
            ".jsonl or .parquet"
        )


@contextmanager
def opened(file: Path, kind: str, schema: pa.Schema) -> Iterator[Write]:
    """What writes tables to a file, as the ending `kind` says; rows of `LINE` as they stand."""
    if kind == ".parquet":
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_table
        return
    packed = _COMPRESSION.get(Path(kind).suffix or kind)
    with open(file, "wb") as raw:
        stream = pa.CompressedOutputStream(raw, packed) if packed else nullcontext(raw)
        with stream as out:
            if kind.startswith(".csv"):
                with pa.csv.CSVWriter(out, schema) as table:
                    yield table.write_table
            else:
                yield lambda table: out.writelines(map(str.encode, _lines(table)))


def _to_stdout() -> Iterator[Write]:
    yield lambda table: _say(_lines(table))
    _say([])


def _say(lines: Iterable[str]) -> None:
    """Text to standard output, in UTF-8 wherever it takes bytes."""
    try:
        if sys.stdout is None:
            raise OSError("closed")
        out = getattr(sys.stdout, "buffer", None)
        for text in lines:
            if out is None:
                sys.stdout.write(text)
            else:
                out.write(text.encode())
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        raise StorageError(
            "standard output was closed before the export was whole; give a file with --output"
        ) from error


def _lines(table: pa.Table) -> Iterator[str]:
    """The rows as JSON lines, some thousand a text."""
    names = table.column_names
    for batch in table.to_batches(_ROWS_AT_ONCE):
        if table.schema.equals(LINE):
            yield "".join(f"{line}\n" for line in batch.column(0).to_pylist())
            continue
        rows = zip(*(_values(column) for column in batch.columns), strict=True)
        yield "".join(json_line(dict(zip(names, row, strict=True))) for row in rows)


def json_line(record: JsonObject) -> str:
    """A record as a line of JSON that no reader breaks in two."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    for letter, escape in _LINE_BREAKS.items():
        if letter in text:
            text = text.replace(letter, escape)
    return text + "\n"


def _values(column: pa.Array) -> Sequence[object]:
    """A column as Python values; float32 as the shortest decimals that mean them."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = _values(column.flatten())
        ends = np.cumsum(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
        starts = np.concatenate([[0], ends[:-1]])
        return [values[start:end] for start, end in zip(starts, ends, strict=True)]
    if pa.types.is_struct(kind):
        names = [kind.field(at).name for at in range(kind.num_fields)]
        parts = [_values(column.field(at)) for at in range(kind.num_fields)]
        return [dict(zip(names, row, strict=True)) for row in zip(*parts, strict=True)]
    if pa.types.is_float32(kind):
        known = column.fill_null(0).to_numpy().astype("U32")
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        return [float(text) if there else None for text, there in zip(known, valid, strict=True)]
    return list(column.to_pylist())
