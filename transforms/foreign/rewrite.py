"""A cleaned copy of an audited file: the same format, order and other columns, bad entries gone."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.transforms.foreign.columns import LABELS, is_text, json_columns, text_columns
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.digests import Digest, blamed
from negmine.transforms.storage.suffixes import compression_of

Bad = Mapping[int, Collection[tuple[str, int]]]
"""Row number to the bad negatives of the row: the name of their list, their place from 1."""


def rewrite(
    source: Path,
    target: Path,
    format: str,
    bad: Bad,
    keep_short: bool,
    digest: Digest | None = None,
) -> list[int]:
    """Write the file without its bad negatives; returns the numbers of the rows dropped whole.

    A triplet goes with its negative. An n-tuple has a fixed width: the row goes or, with
    `keep_short`, its other negatives move up and the last ones become null. Lists lose the
    entries, and so do the lists beside them that belong to it (`neg_scores`). A row that has no
    negative left goes. Raises DataError, also where the file has not this digest, StorageError.
    """
    copy = _Copy(source, format, bad, keep_short, digest)
    with blamed(source, digest), replacing(target) as temporary:
        if container(source) == "jsonl":
            kind = compression_of(target)
            with pa.output_stream(str(temporary), compression=kind) as out:
                for line in copy.lines():
                    out.write(line + b"\n")
        else:
            copy.write_table(temporary)
    return copy.dropped


@dataclass
class _Copy:
    """What is left of a file; `columns` are those of an n-tuple, `dropped` the rows that went."""

    source: Path
    format: str
    bad: Bad
    keep_short: bool
    digest: Digest | None
    columns: list[str] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)

    def clean(self, number: int, record: JsonObject) -> JsonObject | None:
        """A row without its bad negatives; None where it goes."""
        kept: JsonObject | None = record
        if number in self.bad and self.columns:
            places = {place for _, place in self.bad[number]}
            kept = _short_row(record, self.columns, places) if self.keep_short else None
        elif number in self.bad:
            kept = _LISTS[self.format](record, set(self.bad[number]))
        if kept is None:
            self.dropped.append(number)
        return kept

    def lines(self) -> Iterator[bytes]:
        """Lines of JSON; those without a bad negative as they were, byte by byte."""
        for number, record, data in objects(self.source, self.format, self.digest):
            if self.format in ("triplet", "n_tuple") and not self.columns:
                self.columns = json_columns(self.source, record, self.format)
            if number not in self.bad:
                yield data
            elif (kept := self.clean(number, record)) is not None:
                yield json.dumps(kept, ensure_ascii=False).encode()

    def write_table(self, target: Path) -> None:
        """Parquet or Arrow."""
        with open_table(self.source, self.digest) as (schema, batches):
            kinds = [is_text(field.type) for field in schema]
            self.columns = text_columns(self.source, schema.names, kinds, self.format)
            if self.keep_short:
                for name in self.columns[2:]:
                    at = schema.get_field_index(name)
                    schema = schema.set(at, schema.field(at).with_nullable(True))
            with _writer(self.source, target, schema) as out:
                start = 1
                for batch in batches:
                    numbers = range(start, start + batch.num_rows)
                    start = numbers.stop
                    if self.bad.keys().isdisjoint(numbers):
                        batch = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
                    else:
                        rows = map(self.clean, numbers, batch.to_pylist())
                        kept = [row for row in rows if row is not None]
                        batch = pa.RecordBatch.from_pylist(kept, schema=schema)
                    if batch.num_rows:
                        out.write_batch(batch)


def _short_row(record: JsonObject, columns: list[str], places: set[int]) -> JsonObject | None:
    """An n-tuple with its other negatives moved up, or None where it has none."""
    names = columns[2:]
    keep = [at for at, name in enumerate(names, 1) if at not in places and record.get(name)]
    if not keep:
        return None
    padding = [None] * (len(names) - len(keep))
    moved = dict(zip(names, [*(record[names[at - 1]] for at in keep), *padding], strict=True))
    for label in LABELS:
        values = record.get(label)
        if isinstance(values, list) and len(values) in (len(names), len(names) + 1):
            first = len(values) - len(names)
            kept = [values[at - 1 + first] for at in keep]
            moved[label] = [*values[:first], *kept, *padding]
    return {**record, **moved}


def _flagembedding(record: JsonObject, bad: set[tuple[str, int]]) -> JsonObject | None:
    keep = [at for at in range(len(record["neg"])) if ("", at + 1) not in bad]
    if not keep:
        return None
    beside = {
        key: [values[at] for at in keep]
        for key, values in record.items()
        if (key == "neg" or key.startswith("neg_"))
        and isinstance(values, list)
        and len(values) == len(record["neg"])
    }
    return {**record, **beside}


def _tevatron(record: JsonObject, bad: set[tuple[str, int]]) -> JsonObject | None:
    passages = record["negative_passages"]
    keep = [passage for at, passage in enumerate(passages, 1) if ("", at) not in bad]
    return {**record, "negative_passages": keep} if keep else None


def _msmarco(record: JsonObject, bad: set[tuple[str, int]]) -> JsonObject | None:
    systems = {
        system: [value for at, value in enumerate(values or [], 1) if (system, at) not in bad]
        for system, values in record["neg"].items()
    }
    return {**record, "neg": systems} if any(systems.values()) else None


_LISTS: dict[str, Callable[[JsonObject, set[tuple[str, int]]], JsonObject | None]] = {
    "flagembedding": _flagembedding,
    "tevatron": _tevatron,
    "msmarco": _msmarco,
}


def _writer(source: Path, target: Path, schema: pa.Schema) -> Any:
    if container(source) == "parquet":
        metadata = pq.read_metadata(source)
        codec = "snappy"
        if metadata.num_row_groups and metadata.num_columns:
            codec = metadata.row_group(0).column(0).compression.lower()
        compression = "none" if codec == "uncompressed" else codec
        return pq.ParquetWriter(str(target), schema, compression=compression)
    with pa.memory_map(str(source)) as file:
        is_file = file.read(6) == b"ARROW1"
    return (pa.ipc.new_file if is_file else pa.ipc.new_stream)(str(target), schema)
