"""A cleaned copy of an audited file: the same format, order and other columns, bad entries gone."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.beside import Beside, Sides, numbered
from negmine.transforms.foreign.columns import is_text, json_columns, text_columns
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.foreign.formats import BY_COLUMNS, NAMED, Lines
from negmine.transforms.foreign.records import Record, document, records
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.digests import Digest, blamed
from negmine.transforms.storage.suffixes import compression_of

Bad = Mapping[int, Collection[tuple[str, int]]]
"""Row number to the bad negatives of the row: the name of their list, their place from 1."""

Writer: TypeAlias = pq.ParquetWriter | pa.RecordBatchFileWriter | pa.RecordBatchStreamWriter


def rewrite(
    source: Path,
    target: Path,
    format: str,
    bad: Bad,
    keep_short: bool,
    digest: Digest | None = None,
    label_above: float | None = None,
) -> list[int]:
    """Write the file without its bad negatives; returns the numbers of the rows dropped whole.

    A triplet goes with its negative. An n-tuple has a fixed width: the row goes or, with
    `keep_short`, its other negatives move up and the last ones become null. Lists lose the
    entries, and so do the lists beside them, and numbered columns, that have one for each
    negative. A row that has no negative left goes. `label_above` as in `foreign.rows`. Raises
    DataError, also where the file has not this digest or it is not to be told whose entries a
    list has, and StorageError.
    """
    copy = _Copy(source, format, bad, keep_short, digest, label_above)
    with blamed(source, digest), replacing(target) as temporary:
        copy.look()
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
    label_above: float | None = None
    columns: list[str] = field(default_factory=list)
    families: list[list[str]] = field(default_factory=list)
    beside: Beside | None = None
    dropped: list[int] = field(default_factory=list)

    @property
    def lines_are(self) -> Lines:
        """What a record of the format is."""
        found = NAMED.get(self.format)
        return found.lines if found else "objects"

    def look(self) -> None:
        """Find what stands beside the negatives, where some of them go and their row stays."""
        by_columns = self.format in BY_COLUMNS
        if not self.bad or (by_columns and not self.keep_short):
            return
        if not by_columns and NAMED[self.format].sides is None:
            return
        own = () if by_columns else NAMED[self.format].sides or ()
        self.beside = Beside(self.source, own, padded=by_columns)
        for number, record in self._records():
            if by_columns and not self.families:
                self.families = [
                    self.columns[2:],
                    *numbered(self.source, self.columns[2:], record),
                ]
            sides = self._sides(record)
            if sides is not None and self._keep(number, sides):
                self.beside.see(number, record, sides)

    def _records(self) -> Iterator[tuple[int, JsonObject]]:
        if self.format not in BY_COLUMNS:
            yield from ((found.number, found.value) for found in self._named())
        elif container(self.source) == "jsonl":
            for number, record, _ in objects(self.source, self.format, self.digest):
                self.columns = self.columns or json_columns(self.source, record, self.format)
                yield number, record
        else:
            with open_table(self.source, self.digest) as (schema, batches):
                self._name_columns(schema)
                every = chain.from_iterable(batch.to_pylist() for batch in batches)
                yield from enumerate(every, 1)

    def _named(self) -> Iterator[Record]:
        return records(self.source, self.format, self.digest)

    def _name_columns(self, schema: pa.Schema) -> None:
        kinds = [is_text(field.type) for field in schema]
        self.columns = text_columns(self.source, schema.names, kinds, self.format)

    def _sides(self, record: JsonObject) -> Sides | None:
        if self.columns:
            return Sides(1, [record.get(name) is not None for name in self.columns[2:]])
        return NAMED[self.format].sides_of(record)

    def _keep(self, number: int, sides: Sides) -> list[int]:
        """Places, from 0, of the good negatives."""
        places = {place for _, place in self.bad.get(number, ())}
        return [at for at, there in enumerate(sides.negatives) if there and at + 1 not in places]

    def clean(self, number: int, record: Any) -> Any | None:
        """A row without its bad negatives; None where it goes."""
        kept = record
        if number in self.bad and self.columns:
            kept = self._short_row(number, record) if self.keep_short else None
        elif number in self.bad:
            found = NAMED[self.format]
            limit = {"label_above": self.label_above} if found.labeled else {}
            kept = found.clean(record, set(self.bad[number]), **limit)
            sides = found.sides_of(record)
            if kept is not None and sides is not None and self.beside is not None:
                moved = self.beside.without(record, sides, self._keep(number, sides))
                kept = {**kept, **moved}
        if kept is None:
            self.dropped.append(number)
        return kept

    def _short_row(self, number: int, record: JsonObject) -> JsonObject | None:
        """An n-tuple with its other negatives moved up, or None where it has none."""
        sides = self._sides(record)
        if sides is None or self.beside is None or not (keep := self._keep(number, sides)):
            return None
        moved = self.beside.without(record, sides, keep)
        for names in self.families:
            left = [record.get(names[at]) for at in keep]
            moved |= dict(zip(names, [*left, *[None] * (len(names) - len(left))], strict=True))
        return {**record, **moved}

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
                self._name_columns(schema)
            for names in self.families:
                for name in names:
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
                        batch = self._batch(kept, schema)
                    if batch.num_rows:
                        out.write_batch(batch)

    def _batch(self, kept: list[JsonObject], schema: pa.Schema) -> pa.RecordBatch:
        try:
            return pa.RecordBatch.from_pylist(kept, schema=schema)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"--fix: {self.source} has a column of lists of a fixed length, and shorter ones "
                f"do not fit it ({str(error).splitlines()[0]}); write it with lists of any length"
            ) from None


def _writer(source: Path, target: Path, schema: pa.Schema) -> Writer:
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
