"""Negatives that somebody else mined, in the formats of trainers: read, and written again."""

from collections.abc import Iterator

from negmine.transforms.foreign import columns, records
from negmine.transforms.foreign.formats import ALIASES, BY_COLUMNS, FORMATS
from negmine.transforms.foreign.rows import Row
from negmine.transforms.storage.digests import Digest, blamed

__all__ = ["ALIASES", "FORMATS", "rows"]


def rows(path: str, format: str, digest: Digest | None = None) -> Iterator[Row]:
    """The rows of a file, streamed.

    Raises DataError naming file and row or line, or where the file has not this digest.
    """
    read = columns.rows if format in BY_COLUMNS else records.rows
    with blamed(path, digest):
        yield from read(path, format, digest)
