"""Arrow IPC files, in the file or the stream format, batch by batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from negmine.schemas.errors import DataError
from negmine.transforms import storage


@contextmanager
def damage(
    name: str | Path, what: str = "is cut off or damaged", advice: str = "fetch it again"
) -> Iterator[None]:
    """Turn what pyarrow raises for a file that is damaged, or no table, into a DataError."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, RuntimeError, MemoryError) as error:
        raise DataError(f"{name} {what} ({first_line(error)}); {advice}") from error


def first_line(error: BaseException) -> str:
    """What an error says in one line; its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def ipc_batches(source: pa.MemoryMappedFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of a mapped file, as they lie there: not yet validated."""
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        stream = pa.ipc.open_stream(source)
        return stream.schema, iter(stream)
    return file.schema, (file.get_batch(at) for at in range(file.num_record_batches))


@contextmanager
def open_arrow(
    path: str | Path, place: Path | None = None
) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Schema and batches of a file, at `place` or its own.

    Raises DataError where it is damaged or no Arrow file.
    """
    with (
        damage(path, "is not an Arrow file that can be read"),
        pa.memory_map(str(place or storage.fetch(path))) as source,
    ):
        yield ipc_batches(source)
