"""Labelled pairs for sentence-transformers: anchor, positive, label, or score; a row a document."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.formats.sentence_transformers import labels
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import text_field

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = False


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by: the document stands under `positive`."""
    last = (
        pa.field("score", pa.float32(), nullable=False)
        if rows.options.scores
        else pa.field("label", pa.int64(), nullable=False)
    )
    return pa.schema([text_field("anchor"), text_field("positive"), last])


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive and every negative of a query."""
    found = labels.documents_of(rows, block)
    last = labels.scores(found) if rows.options.scores else pa.array(found.positive.astype("i8"))
    queries = block.texts.take(pa.array(found.query))
    yield pa.Table.from_arrays([queries, found.table["text"].combine_chunks(), last], schema=schema)
