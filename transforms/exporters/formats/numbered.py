"""Folders whose queries and documents go by number: the line in queries or collection."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.reading.block import Documents, QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import LINE, as_text, lines, one_line


class NumberedFolder(FolderFormat):
    """collection.tsv and queries.tsv (number, tab, text), and which identifier has which number."""

    TABLES: ClassVar[dict[str, pa.Schema]] = dict.fromkeys(
        ("collection.tsv", "queries.tsv", "pids.tsv", "qids.tsv"), LINE
    )

    def __init__(self, rows: RunNegatives, part: str) -> None:
        super().__init__(rows, part)
        self.queries = 0

    def numbered(self, block: QueryBlock, documents: Documents) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the queries (q,) and of the documents (r,)."""
        first = self.queries
        self.queries += len(block.counts)
        numbers, self._fresh = self.numbering.add(documents.table["id"])
        return np.arange(first, self.queries), numbers

    def beside(
        self, block: QueryBlock, documents: Documents, numbers: np.ndarray
    ) -> Iterator[Piece]:
        """Texts and identifiers of what `numbered` saw for the first time; call it after that."""
        fresh = pa.array(self._fresh)
        found = documents.table.select(["id", "text"]).take(fresh).combine_chunks()
        pid = as_text(numbers[self._fresh])
        qid = as_text(np.arange(self.queries - len(block.counts), self.queries))
        yield Piece("collection.tsv", lines(pid, "\t", one_line(found["text"])))
        yield Piece("pids.tsv", lines(pid, "\t", one_line(found["id"])))
        yield Piece("queries.tsv", lines(qid, "\t", one_line(block.texts)))
        yield Piece("qids.tsv", lines(qid, "\t", one_line(block.query_ids)))
