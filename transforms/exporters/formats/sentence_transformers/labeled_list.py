"""Labelled lists for sentence-transformers' cross-encoders: query, documents, labels, or scores."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.formats.sentence_transformers import labels
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import grouped, list_field, nested, text_field

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = True


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by; the last is the label."""
    last = "scores" if rows.options.scores else "labels"
    return pa.schema([text_field("query"), list_field("documents"), list_field(last, pa.float32())])


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every query, all its documents in it."""
    found = labels.documents_of(rows, block)
    last = labels.scores(found) if rows.options.scores else pa.array(labels.grades(found))
    documents = grouped(found.table, found.bounds, "text")
    yield pa.Table.from_arrays([block.texts, documents, nested(last, found.bounds)], schema=schema)
