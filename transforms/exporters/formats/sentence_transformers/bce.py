"""Pairs for binary cross-entropy: query, document, label from 0 to 1, graded where it is known."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.formats.sentence_transformers import labels
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import text_field

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = True


def schema(rows: RunNegatives) -> pa.Schema:
    """Two texts and the label, float32."""
    label = pa.field("label", pa.float32(), nullable=False)
    return pa.schema([text_field("query"), text_field("document"), label])


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive and negative of a query; with scores these are the labels."""
    found = labels.documents_of(rows, block)
    last = labels.scores(found) if rows.options.scores else pa.array(labels.shares(rows, found))
    queries = block.texts.take(pa.array(found.query))
    yield pa.Table.from_arrays([queries, found.table["text"].combine_chunks(), last], schema=schema)
