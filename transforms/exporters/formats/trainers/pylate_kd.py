"""For PyLate's distillation: train of identifiers and scores, queries and documents of texts."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats import width
from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.card import configs
from negmine.transforms.exporters.writing.columns import (
    list_field,
    listed,
    score_lists,
    text_field,
)

TRAIN = pa.schema(
    [text_field("query_id"), list_field("document_ids"), list_field("scores", pa.float32())]
)
QUERIES = pa.schema([text_field("query_id"), text_field("text")])
DOCUMENTS = pa.schema([text_field("document_id"), text_field("text")])
FILES = {"train": "train.parquet", "queries": "queries.parquet", "documents": "documents.parquet"}


class PylateKD(FolderFormat):
    """A row a positive: it first, then its query's n negatives. A batch needs rows of one width."""

    OPTIONS: ClassVar[frozenset[str]] = width.OPTIONS
    SCORED: ClassVar[bool] = True
    ROWS: ClassVar[str] = FILES["train"]

    def __init__(self, rows: RunNegatives, part: str) -> None:
        super().__init__(rows, part)
        self.width = width.set_width(rows)

    def files(self) -> dict[str, pa.Schema]:
        return dict(zip(FILES.values(), (TRAIN, QUERIES, DOCUMENTS), strict=True))

    def choose(self, block: QueryBlock) -> QueryBlock:
        return width.of_width(self.rows, block)

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        ids = [block.positives["positive_id"], block.negatives["negative_id"]]
        above, below = (column.combine_chunks() for column in ids)
        scores = [part["score"].to_numpy() for part in (block.positives, block.negatives)]
        for query, positive, picks in block.tuples(self.width):
            documents = width.interleaved(above, below, positive, picks)
            columns = [
                block.query_ids.take(pa.array(query)),
                listed(documents, len(query), self.width + 1),
                score_lists(np.column_stack([scores[0][positive], scores[1][picks]])),
            ]
            yield Piece(FILES["train"], pa.Table.from_arrays(columns, schema=TRAIN))
        queries = pa.Table.from_arrays([block.query_ids, block.texts], schema=QUERIES)
        yield Piece(FILES["queries"], queries)
        found = block.documents().table.select(["id", "text"])
        _, fresh = self.numbering.add(found["id"])
        new = found.take(pa.array(fresh)).combine_chunks()
        yield Piece(FILES["documents"], pa.Table.from_arrays(new.columns, schema=DOCUMENTS))

    def texts(self) -> dict[str, str]:
        return {"README.md": configs({name: {"train": file} for name, file in FILES.items()})}
