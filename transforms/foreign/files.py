"""Containers of foreign negatives: Parquet, Arrow IPC and JSON Lines, read in batches."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import DataError
from transforms import storage
from transforms.readers.columns import damage
from transforms.readers.limits import rows_at_once
from transforms.readers.lines import COMPRESSIONS, line_cap, lines, parsed
from transforms.readers.paths import JSON_LINES, TABLES
from transforms.readers.rows import Rejected
from transforms.storage.digests import Digest, held

ARROW = (".arrow", ".feather", ".ipc")
_CAP = line_cap(1 << 27)


def container(path: str | Path) -> str:
    """`parquet`, `arrow` or `jsonl` by the suffix. Raises DataError for any other."""
    name = Path(path).name.lower()
    if name.endswith(TABLES):
        return "parquet"
    if name.endswith(ARROW):
        return "arrow"
    for compression in COMPRESSIONS[1:]:
        name = name.removesuffix(compression)
    if name.endswith(JSON_LINES):
        return "jsonl"
    raise DataError(
        f"{path}: the ending says nothing; name a .parquet, .arrow or .jsonl file (.gz, .zst)"
    )


def expand(path: str) -> list[Path]:
    """The file, or a folder's files of one container, by name. Raises DataError for none."""
    place = storage.local_path(path)
    if storage.is_file(place):
        return [place]
    if not storage.is_dir(place):
        raise DataError(f"{path} does not exist; looked at {place.absolute()}")
    endings = (*TABLES, *ARROW, ".jsonl", ".jsonl.gz", ".jsonl.zst")
    found = sorted(place / name for name in storage.sizes(place) if name.endswith(endings))
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
                schema, batches = _arrow(stack.enter_context(pa.memory_map(str(place))))
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


def _arrow(source: pa.MemoryMappedFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        stream = pa.ipc.open_stream(source)
        return stream.schema, iter(stream)
    return file.schema, (file.get_batch(at) for at in range(file.num_record_batches))


def objects(
    path: str | Path, format: str, digest: Digest | None = None
) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Line number, JSON object and bytes of each line that is not blank.

    Raises DataError naming file and line, or where the file has not this digest.
    """
    for number, data, size in lines(path, _CAP, None, digest):
        try:
            yield number, parsed(data, size), data
        except Rejected as why:
            raise DataError(
                f"{path} line {number}: {why.reason}. Repair the file; --format {format} is read "
                "line by line"
            ) from None
