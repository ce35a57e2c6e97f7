"""For ColBERT: triples.jsonl of line numbers, collection.tsv and queries.tsv."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats import width
from negmine.transforms.exporters.formats.folder import Piece
from negmine.transforms.exporters.formats.numbered import NumberedFolder
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import LINE, as_text, lines


class Colbert(NumberedFolder):
    """A line a positive: the query, the positive, its n negatives; with scores, pairs of both.

    The trainer cuts a line to `nway` documents and takes no shorter one.
    """

    OPTIONS: ClassVar[frozenset[str]] = width.OPTIONS | {"scores"}
    ROWS: ClassVar[str] = "triples.jsonl"

    def __init__(self, rows: RunNegatives, part: str) -> None:
        super().__init__(rows, part)
        self.width = width.set_width(rows)

    def files(self) -> dict[str, pa.Schema]:
        return {"triples.jsonl": LINE, **self.TABLES}

    def choose(self, block: QueryBlock) -> QueryBlock:
        return width.of_width(self.rows, block)

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        documents = block.documents()
        qids, numbers = self.numbered(block, documents)
        # `documents` has a query's positives first; numbers in the order of the block's tables:
        of_positives, of_negatives = numbers[documents.positive], numbers[~documents.positive]
        scores = [part["score"].to_numpy() for part in (block.positives, block.negatives)]
        for query, positive, picks in block.tuples(self.width):
            pids = np.column_stack([of_positives[positive], of_negatives[picks]])
            words = [as_text(pids[:, at]) for at in range(pids.shape[1])]
            if self.rows.options.scores:
                values = np.column_stack([scores[0][positive], scores[1][picks]])
                parts = [
                    part
                    for at, pid in enumerate(words)
                    for part in (", [", pid, ", ", as_text(values[:, at]), "]")
                ]
            else:
                parts = [part for pid in words for part in (", ", pid)]
            yield Piece("triples.jsonl", lines("[", as_text(qids[query]), *parts, "]"))
        yield from self.beside(block, documents, numbers)
