"""Negatives that somebody else mined, in the formats of trainers: read, and written again."""

from collections.abc import Iterator
from types import ModuleType

from negmine.transforms.foreign import columns, lists
from negmine.transforms.foreign.rows import Row
from negmine.transforms.storage.digests import Digest, blamed

FORMATS: dict[str, ModuleType] = {
    "triplet": columns,
    "n_tuple": columns,
    "flagembedding": lists,
    "tevatron": lists,
    "msmarco": lists,
}


def rows(path: str, format: str, digest: Digest | None = None) -> Iterator[Row]:
    """The rows of a file, streamed.

    Raises DataError naming file and row or line, or where the file has not this digest.
    """
    with blamed(path, digest):
        yield from FORMATS[format].rows(path, format, digest)
