"""A cleaned copy of an audited file: the same format, order and other columns, bad entries gone."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.transforms.foreign.columns import LABELS, is_text, json_columns, text_columns
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.foreign.formats import BY_COLUMNS, NAMED, Lines
from negmine.transforms.foreign.records import document, records
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
        if copy.lines_are == "document":
            temporary.write_text(copy.document(target), encoding="utf-8")
        elif copy.lines_are != "objects" or container(source) == "jsonl":
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

    @property
    def lines_are(self) -> Lines:
        """What a record of the format is."""
        found = NAMED.get(self.format)
        return found.lines if found else "objects"

    def clean(self, number: int, record: Any) -> Any | None:
        """A row without its bad negatives; None where it goes."""
        kept: Any | None = record
        if number in self.bad and self.columns:
            places = {place for _, place in self.bad[number]}
            kept = _short_row(record, self.columns, places) if self.keep_short else None
        elif number in self.bad:
            kept = NAMED[self.format].clean(record, set(self.bad[number]))
        if kept is None:
            self.dropped.append(number)
        return kept

    def lines(self) -> Iterator[bytes]:
        """Lines of JSON; those without a bad negative as they were, byte by byte."""
        by_columns = self.format in BY_COLUMNS
        read = objects if by_columns else records
        for number, record, data in read(self.source, self.format, self.digest):
            if by_columns and not self.columns:
                self.columns = json_columns(self.source, record, self.format)
            if number not in self.bad:
                yield data
            elif (kept := self.clean(number, record)) is not None:
                yield json.dumps(kept, ensure_ascii=False).encode()

    def document(self, target: Path) -> str:
        """One JSON value, an entry a line: its corpus found from the copy's folder, its question
        ids made unique, for Automodel's miner keeps one entry of an id."""
        value = document(self.source, self.digest)
        seen: dict[str, int] = {}
        left = []
        for number, entry in enumerate(value["data"], 1):
            if (kept := self.clean(number, entry)) is not None:
                name = str(kept["question_id"])
                seen[name] = seen.get(name, 0) + 1
                if seen[name] > 1:
                    kept = {**kept, "question_id": f"{name}#{seen[name]}"}
                left.append(json.dumps(kept, ensure_ascii=False))
        for corpus in value.get("corpus") or []:
            if isinstance(corpus, dict) and not Path(str(corpus.get("path"))).is_absolute():
                place = (self.source.parent / str(corpus["path"])).resolve()
                corpus["path"] = os.path.relpath(place, target.parent.resolve())
        rest = {key: entry for key, entry in value.items() if key != "data"}
        head = json.dumps(rest, ensure_ascii=False)[:-1]
        return f'{head}{", " if rest else ""}"data": [\n' + ",\n".join(left) + "\n]}\n"

    def write_table(self, target: Path) -> None:
        """Parquet or Arrow."""
        with open_table(self.source, self.digest) as (schema, batches):
            if self.format in BY_COLUMNS:
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
