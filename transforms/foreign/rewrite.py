"""A cleaned copy of an audited file: the same format, order and other columns, bad entries gone."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
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
    dropped: list[int] = []
    with blamed(source, digest), replacing(target) as temporary:
        if container(source) == "jsonl":
            kind = compression_of(target)
            with pa.output_stream(str(temporary), compression=kind) as out:
                for line in _json_lines(source, format, bad, keep_short, dropped, digest):
                    out.write(line + b"\n")
        else:
            _write_table(source, temporary, format, bad, keep_short, dropped, digest)
    return dropped


def _json_lines(
    source: Path,
    format: str,
    bad: Bad,
    keep_short: bool,
    dropped: list[int],
    digest: Digest | None,
) -> Iterator[bytes]:
    columns: list[str] = []
    for number, record, data in objects(source, format, digest):
        if format in ("triplet", "n_tuple"):
            columns = columns or json_columns(source, record, format)
        if number not in bad:
            yield data
            continue
        if columns:
            kept = _short_row(record, columns, {place for _, place in bad[number]}, keep_short)
        else:
            kept = _LISTS[format](record, set(bad[number]))
        if kept is None:
            dropped.append(number)
        else:
            yield json.dumps(kept, ensure_ascii=False).encode()


def _short_row(
    record: JsonObject, columns: list[str], places: set[int], keep_short: bool
) -> JsonObject | None:
    """An n-tuple with its other negatives moved up, or None where it goes."""
    names = columns[2:]
    keep = [at for at, name in enumerate(names, 1) if at not in places and record.get(name)]
    if not keep_short or not keep:
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


def _write_table(
    source: Path,
    target: Path,
    format: str,
    bad: Bad,
    keep_short: bool,
    dropped: list[int],
    digest: Digest | None,
) -> None:
    with open_table(source, digest) as (schema, batches):
        kinds = [is_text(field.type) for field in schema]
        columns = text_columns(source, schema.names, kinds, format)
        if keep_short:
            for name in columns[2:]:
                at = schema.get_field_index(name)
                schema = schema.set(at, schema.field(at).with_nullable(True))
        with _writer(source, target, schema) as out:
            start = 1
            for batch in batches:
                numbers = range(start, start + batch.num_rows)
                start = numbers.stop
                if bad.keys().isdisjoint(numbers):
                    batch = pa.RecordBatch.from_arrays(batch.columns, schema=schema)
                else:
                    batch = _clean(batch, numbers, schema, columns, bad, keep_short, dropped)
                if batch.num_rows:
                    out.write_batch(batch)


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


def _clean(
    batch: pa.RecordBatch,
    numbers: range,
    schema: pa.Schema,
    columns: list[str],
    bad: Bad,
    keep_short: bool,
    dropped: list[int],
) -> pa.RecordBatch:
    rows = []
    for number, record in zip(numbers, batch.to_pylist(), strict=True):
        if number in bad:
            places = {place for _, place in bad[number]}
            record = _short_row(record, columns, places, keep_short)
        if record is None:
            dropped.append(number)
        else:
            rows.append(record)
    return pa.RecordBatch.from_pylist(rows, schema=schema)
