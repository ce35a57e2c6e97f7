"""For Tevatron 2: train.jsonl of identifiers, corpus.jsonl of texts."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa

from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.writing.columns import grouped, list_field, text_field

_TRAIN = pa.schema(
    [
        text_field("query_id"),
        text_field("query_text"),
        list_field("positive_document_ids"),
        list_field("negative_document_ids"),
    ]
)
_CORPUS = pa.schema([text_field("docid"), text_field("text")])


class TevatronV2(FolderFormat):
    """A line a query, and a line for every document that one names."""

    ROWS: ClassVar[str] = "train.jsonl"

    def files(self) -> dict[str, pa.Schema]:
        return {"train.jsonl": _TRAIN, "corpus.jsonl": _CORPUS}

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        columns = [
            block.query_ids,
            block.texts,
            grouped(block.positives, block.positive_bounds, "positive_id"),
            grouped(block.negatives, block.negative_bounds, "negative_id"),
        ]
        yield Piece("train.jsonl", pa.Table.from_arrays(columns, schema=_TRAIN))
        found = block.documents().table.select(["id", "text"])
        _, fresh = self.numbering.add(found["id"])
        new = found.take(pa.array(fresh)).combine_chunks()
        yield Piece("corpus.jsonl", pa.Table.from_arrays(new.columns, schema=_CORPUS))
