"""How much a file may unpack to, and how many rows of a Parquet file are decoded at once."""

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from negmine.schemas.errors import DataError

LEAST, RATIO = 1 << 30, 100
"""Unless told otherwise a file may unpack to RATIO times its size, and to LEAST bytes always."""

ROWS = 256
_BATCH_BYTES = 1 << 26
_ONCE = {"PLAIN", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"}
_DICTIONARY = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_DICTIONARY_PAGE = 2
_HEADER = 32


class Unpacked:
    """Counts what a file unpacks to. `most` is the configured limit, None for the default."""

    def __init__(self, path: str | Path, most: int | None) -> None:
        self.path = path
        self.most = max(LEAST, RATIO * os.stat(path).st_size) if most is None else most
        self.bytes = 0

    def add(self, count: int) -> None:
        """Raises DataError where the file unpacks to more than is allowed."""
        self.bytes += count
        if self.bytes > self.most:
            raise DataError(
                f"{self.path} of {os.stat(self.path).st_size:,} bytes unpacks to more than "
                f"{self.most:,}, so it may be made to fill the memory or the disk. Unpack it and "
                "look; where it is meant to be so, raise input.max_unpacked_bytes or give it "
                "unpacked"
            )


def rows_at_once(path: str | Path, file: pq.ParquetFile, columns: Sequence[str]) -> int:
    """Rows to decode in one batch, 1 to ROWS, so that a batch of the columns stays near 64 MiB.

    A value is at most as long as the dictionary that holds it, or as all that its encoding builds
    values from; others take as much as they are stored in.
    """
    largest = 1
    paths = [file.schema.column(at).path for at in range(len(file.schema))]
    wanted = [at for at, name in enumerate(paths) if name.partition(".")[0] in columns]
    for group in range(file.metadata.num_row_groups):
        # Damaged column metadata is an error in a read, and ends the process when asked for.
        next(file.iter_batches(1, [group], columns=list(columns)), None)
        found = file.metadata.row_group(group)
        largest = max([largest, *(_longest(path, found.column(at)) for at in wanted)])
    return int(max(1, min(ROWS, _BATCH_BYTES // largest)))


def _longest(path: str | Path, column: pq.ColumnChunkMetaData) -> int:
    """Bytes of a column chunk's longest value where values repeat, else of its average value."""
    encodings = set(column.encodings)
    size = max(0, column.total_uncompressed_size)
    if encodings - _ONCE - _DICTIONARY:
        return size
    average = size // max(1, column.num_values)
    if not encodings & _DICTIONARY:
        return average
    start = column.data_page_offset
    if column.has_dictionary_page and 0 < column.dictionary_page_offset < start:
        start = column.dictionary_page_offset
    return max(average, _dictionary_bytes(path, start))


def _dictionary_bytes(path: str | Path, start: int) -> int:
    """Unpacked bytes of the dictionary page at `start`, 0 where there is another page.

    The first two fields of Parquet's PageHeader, in Thrift's compact protocol.
    """
    with open(path, "rb") as file:
        file.seek(max(0, start))
        header = file.read(_HEADER)
    kind, at = _field(header, 0)
    if kind != _DICTIONARY_PAGE:
        return 0
    return max(0, _field(header, at)[0])


def _field(header: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint after its field's first byte, and where the next field begins."""
    value = shift = 0
    at += 1
    while at < len(header):
        byte = header[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return (value >> 1) ^ -(value & 1), at
