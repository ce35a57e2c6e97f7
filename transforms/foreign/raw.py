"""Rows of audited files as Parquet, before passages are resolved to documents and queries."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import DataError
from negmine.transforms.foreign import rows
from negmine.transforms.foreign.rows import Passage, Row
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.near_duplicates import sketches
from negmine.transforms.readers.rows import text_id
from negmine.transforms.storage.digests import Digest

_AT = [("file", pa.int32()), ("row", pa.int64())]
SCHEMAS = {
    "passages": pa.schema(
        [
            *_AT,
            ("query", pa.bool_()),
            ("ref", pa.string()),
            ("native", pa.string()),
            ("text", pa.large_string()),
            ("text_key", pa.uint64()),
        ]
    ),
    "positives": pa.schema([*_AT, ("query", pa.string()), ("document", pa.string())]),
    "negatives": pa.schema(
        [
            *_AT,
            ("list", pa.string()),
            ("place", pa.int32()),
            ("query", pa.string()),
            ("document", pa.string()),
            ("positives_key", pa.uint64()),
            ("fault", pa.string()),
        ]
    ),
    "texts": pa.schema(
        [("id", pa.string()), ("text", pa.large_string()), ("text_key", pa.uint64())]
    ),
    "judgements": pa.schema([("query_id", pa.string()), ("doc_id", pa.string())]),
}
_CHUNK = 8192
_REMEMBERED = 1 << 20


def reference(passage: Passage) -> str:
    """What a passage is told apart by: its identifier and its text, whichever it has."""
    if passage.id is None:
        return text_id(passage.text)
    return f"{passage.id}\t{text_id(passage.text)}" if passage.text else passage.id


class Writer:
    """Writes rows of one of SCHEMAS; texts get their keys here. Use it in a `with` block."""

    def __init__(self, directory: Path, name: str, kind: str | None = None) -> None:
        self.schema = SCHEMAS[kind or name]
        self._file = pq.ParquetWriter(
            directory / f"{name}.parquet", self.schema, compression="zstd"
        )
        self._rows: list[tuple[object, ...]] = []

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._file.close()

    def add(self, *values: object) -> None:
        """A row, text_key aside."""
        self._rows.append(values)
        if len(self._rows) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        names = [name for name in self.schema.names if name != "text_key"]
        columns = dict(zip(names, zip(*self._rows, strict=True), strict=True))
        arrays = {
            name: pa.array(values, self.schema.field(name).type) for name, values in columns.items()
        }
        if "text_key" in self.schema.names:
            keys, _ = sketches(columns["text"], minhash=False)
            arrays["text_key"] = pa.array(keys, pa.uint64())
        self._file.write_table(pa.table([arrays[n] for n in self.schema.names], schema=self.schema))
        self._rows = []


def write_rows(
    files: Sequence[str],
    format: str,
    directory: Path,
    digests: Mapping[str, Digest] = MappingProxyType({}),
    label_above: float | None = None,
) -> int:
    """Write passages, positives and negatives of the files; returns the number of rows.

    Raises DataError naming file and row, and where a file has no row or not its digest.
    """
    total = 0
    with (
        Writer(directory, "passages") as passages,
        Writer(directory, "positives") as positives,
        Writer(directory, "negatives") as negatives,
    ):
        seen: set[tuple[bool, str]] = set()
        for at, path in enumerate(files):
            before = total
            for row in rows(path, format, digests.get(path), label_above):
                total += 1
                if len(seen) > _REMEMBERED:
                    seen.clear()
                for is_query, passage in _passages(row):
                    ref = reference(passage)
                    if (is_query, ref) not in seen:
                        seen.add((is_query, ref))
                        native = passage.id or ref
                        passages.add(at, row.number, is_query, ref, native, passage.text)
                query = reference(row.query)
                known = sorted({reference(positive) for positive in row.positives})
                for ref in known:
                    positives.add(at, row.number, query, ref)
                # Trainers that take the first positive want a row for each, negatives the same.
                served = reference(row.positives[0]) if row.positives else ""
                key = int(text_keys(["\n".join((served, *known))])[0])
                for negative in row.negatives:
                    ref = reference(negative.document)
                    spot = (at, row.number, negative.list, negative.place)
                    negatives.add(*spot, query, ref, key, negative.fault)
            if total == before:
                raise DataError(f"{path} holds no row; there is nothing to audit")
    return total


def _passages(row: Row) -> Iterator[tuple[bool, Passage]]:
    yield True, row.query
    for positive in row.positives:
        yield False, positive
    for negative in row.negatives:
        yield False, negative.document
