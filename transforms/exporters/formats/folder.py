"""Formats that are several files: a folder, written as the blocks go by."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.numbering import Numbering


class Piece(NamedTuple):
    """Rows for one of the files."""

    file: str
    table: pa.Table


class FolderFormat:
    """A format of several files; one object writes one part (a split) of an export.

    `OPTIONS` and `TAKES_GRADES` are as those of `Exporter`; `SCORED` formats always have scores.
    `ROWS` is the file whose rows are the export's.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset()
    TAKES_GRADES: ClassVar[bool] = False
    SCORED: ClassVar[bool] = False
    ROWS: ClassVar[str] = ""

    def __init__(self, rows: RunNegatives, part: str) -> None:
        self.rows = rows
        self.part = part
        self.numbering = Numbering()

    def files(self) -> dict[str, pa.Schema]:
        """Columns of each file, by its name in the folder."""
        raise NotImplementedError

    def choose(self, block: QueryBlock) -> QueryBlock:
        """The queries that the format can take; every one unless it says otherwise."""
        return block

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        """The rows of a chosen block, for each file."""
        raise NotImplementedError

    def closing(self) -> Iterator[Piece]:
        """What comes after the last block."""
        return iter(())

    def texts(self) -> dict[str, str]:
        """Small files beside them, by name."""
        return {}
