"""Containers of foreign negatives: Parquet, Arrow IPC and JSON Lines, read in batches."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.paths import METADATA
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables import json_objects
from negmine.transforms.readers.tables.arrow import damage, ipc_batches
from negmine.transforms.readers.tables.limits import rows_at_once
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.storage.digests import Digest, held
from negmine.transforms.storage.paths import files_at
from negmine.transforms.storage.suffixes import kind_of_file, require_kind

KINDS = ("parquet", "arrow", "jsonl")
_CAP = line_cap(1 << 27)


def container(path: str | Path) -> str:
    """`parquet`, `arrow` or `jsonl` by the suffix. Raises DataError for any other."""
    return require_kind(path, "negmine audit", KINDS)


def expand(path: str) -> list[Path]:
    """The file, or a folder's files of one container, by name. Raises DataError for none."""
    place = storage.local_path(path)
    if storage.is_file(place):
        return [place]
    if not storage.is_dir(place):
        raise DataError(f"{path} does not exist; looked at {place.absolute()}")
    files = (file for file in files_at(place) if file.name not in METADATA)
    found = [file for file in files if kind_of_file(file) in KINDS]
    if not found:
        raise DataError(f"folder {path} holds no Parquet, Arrow or JSON Lines file")
    return found


@contextmanager
def open_table(
    path: str | Path, digest: Digest | None = None
) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Schema and batches of a Parquet or Arrow IPC file (file or stream format).

    Raises DataError where it is damaged, also while batches are read, or has not this digest.
    """
    with ExitStack() as stack:
        place = stack.enter_context(held(path, digest)) if digest else None
        with damage(path, advice="write it again"):
            place = place or storage.fetch(path)
            if container(path) == "parquet":
                file = stack.enter_context(pq.ParquetFile(place))
                schema = file.schema_arrow
                batches = file.iter_batches(batch_size=rows_at_once(place, file, schema.names))
            else:
                schema, batches = ipc_batches(stack.enter_context(pa.memory_map(str(place))))
            names = schema.names
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            raise DataError(f"{path} has {names.count(repeated)} columns {repeated!r}; rename them")
        yield schema, _guarded(path, batches)


def _guarded(path: str | Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    while True:
        with damage(path, advice="write it again"):
            batch = next(batches, None)
            if batch is not None:
                batch.validate(full=True)
        if batch is None:
            return
        yield batch


def objects(
    path: str | Path, format: str, digest: Digest | None = None
) -> Iterator[tuple[int, JsonObject, bytes]]:
    """Number, JSON object and bytes of each line that is not blank, or element of an array.

    Raises DataError naming file and line, or where the file has not this digest.
    """
    for number, record, data in json_objects.objects(str(path), _CAP, None, digest):
        if isinstance(record, Rejected):
            raise DataError(
                f"{path} line {number}: {record.reason}. Repair the file; --format {format} is "
                "read line by line"
            )
        # An element of an array may span lines, and a copy of it is a line.
        one_line = b"\n" not in data
        yield number, record, data if one_line else json.dumps(record, ensure_ascii=False).encode()
