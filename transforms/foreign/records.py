"""Records of formats with names, whatever their file: JSON Lines, tables, words, one document."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.foreign.formats import NAMED, Lines
from negmine.transforms.foreign.labeled import NO_LABEL, Labels, refuse_classes
from negmine.transforms.foreign.rows import Row, broken
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.classes import classes_of
from negmine.transforms.readers.tables.lines import line_cap, lines
from negmine.transforms.storage.digests import Digest, held

MOST_DOCUMENT = 1 << 31
"""Bytes of a file that is one JSON value and is held in memory."""
_CAP = line_cap(1 << 24)


class Record(NamedTuple):
    """A row of a file: its number from 1, what it holds, and its bytes where it is a line."""

    number: int
    value: Any
    data: bytes = b""


def rows(
    path: str, format: str, digest: Digest | None = None, label_above: float | None = None
) -> Iterator[Row]:
    """The file's rows. Raises DataError naming file and row or line."""
    found = NAMED[format]
    table = found.lines == "objects" and container(path) != "jsonl"
    labels = Labels(label_above)
    parse = partial(found.parse, labels=labels) if found.labeled else found.parse
    if table and label_above is None:
        with open_table(path, digest) as (schema, _):
            refuse_classes(path, classes_of(schema.metadata), found.labeled)
    for number, value, _ in records(path, format, digest):
        try:
            yield parse(number, value)
        except Rejected as why:
            if why.code == NO_LABEL:
                place = f"{path} {'row' if table else 'line'} {number}"
                raise DataError(f"{place}: {why.reason}") from None
            raise broken(path, number, why, format, table) from None
    try:
        labels.check()
    except Rejected as why:
        raise DataError(f"{path}: {why.reason}") from None


def records(path: str | Path, format: str, digest: Digest | None = None) -> Iterator[Record]:
    """The file's records, streamed but for one JSON value. Raises DataError as `rows`."""
    kind: Lines = NAMED[format].lines
    if kind == "document":
        for number, entry in enumerate(document(path, digest)["data"], 1):
            yield Record(number, entry)
    elif kind == "words":
        for number, data, _ in lines(path, _CAP, None, digest):
            yield Record(number, data.decode("utf-8", "replace").split(), data)
    elif kind == "arrays":
        yield from _arrays(path, format, digest)
    elif container(path) == "jsonl":
        yield from (Record(*found) for found in objects(path, format, digest))
    else:
        with open_table(path, digest) as (_, batches):
            number = 0
            for batch in batches:
                for value in batch.to_pylist():
                    number += 1
                    yield Record(number, value)


def _arrays(path: str | Path, format: str, digest: Digest | None) -> Iterator[Record]:
    for number, data, _ in lines(path, _CAP, None, digest):
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} line {number} is not JSON: {error}. Repair the file") from None
        if not isinstance(value, list) or not value:
            raise DataError(
                f"{path} line {number} is no list of identifiers; this is not --format {format}"
            )
        yield Record(number, value, data)


def document(path: str | Path, digest: Digest | None = None) -> JsonObject:
    """One JSON value with `corpus` and `data`, as Automodel's training files are.

    Raises DataError where it is none, names no corpus, or an entry names another corpus.
    """
    with held(path, digest) as place:
        size = Path(place).stat().st_size
        if size > MOST_DOCUMENT:
            raise DataError(f"{path} has {size:,} bytes; cut it into files below 2 GiB")
        try:
            value = json.loads(Path(place).read_bytes())
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is not one JSON value: {error}. Repair the file") from None
    entries = value.get("data") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f'{path} has no list "data" of objects; this is not --format automodel')
    return dict(value)
