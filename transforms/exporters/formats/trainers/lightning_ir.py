"""For Lightning IR: query_id, doc_id, rank, score, query, text, relevance; a row a document."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.sentence_transformers.labels import grades
from negmine.transforms.exporters.reading.block import Order, QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import text_field

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = True
SCORED = True
ONE_DOT = True
"""The trainer takes what follows the first dot of a file's name for its ending."""


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns by name; the trainer reads texts from the first row of a query or document."""
    numbers = (("rank", pa.int32()), ("score", pa.float32()))
    return pa.schema(
        [
            text_field("query_id"),
            text_field("doc_id"),
            *(pa.field(name, kind, nullable=False) for name, kind in numbers),
            text_field("query"),
            text_field("text"),
            pa.field("relevance", pa.int32(), nullable=False),
        ]
    )


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """Documents of a query: in the order of the judge's scores with --scores, else the positives
    first, so that a sample of the top has them. Grades are whole numbers here."""
    found = block.documents(_order(rows))
    query = pa.array(found.query)
    relevance = np.where(found.positive, np.maximum(1, np.round(grades(found))), 0)
    columns = [
        block.query_ids.take(query),
        found.table["id"].combine_chunks(),
        pa.array(found.place + 1, pa.int32()),
        found.table["score"].combine_chunks(),
        block.texts.take(query),
        found.table["text"].combine_chunks(),
        pa.array(relevance, pa.int32()),
    ]
    yield pa.Table.from_arrays(columns, schema=schema)


def _order(rows: RunNegatives) -> Order:
    if rows.ranked:
        return "similarity"
    return "score" if rows.asked_for_scores else "given"
