"""Negatives that somebody else mined, in the formats of trainers: read, and written again."""

from collections.abc import Iterator

from negmine.transforms.foreign import columns, records
from negmine.transforms.foreign.formats import ALIASES, BY_COLUMNS, FORMATS
from negmine.transforms.foreign.rows import Row
from negmine.transforms.storage.digests import Digest, blamed

__all__ = ["ALIASES", "FORMATS", "rows"]


def rows(
    path: str, format: str, digest: Digest | None = None, label_above: float | None = None
) -> Iterator[Row]:
    """The rows of a file, streamed; labels above `label_above` are those of positives.

    Without it labels are whole numbers or shares of a grade, positive above 0. Raises DataError
    naming file and row or line, or where the file has not this digest.
    """
    with blamed(path, digest):
        if format in BY_COLUMNS:
            yield from columns.rows(path, format, digest)
        else:
            yield from records.rows(path, format, digest, label_above)
