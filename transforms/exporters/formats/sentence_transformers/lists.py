"""Lists for listwise losses: a query, its documents, and the teacher's score of each."""

from collections.abc import Iterator

import pyarrow as pa

from negmine.transforms.exporters.formats.sentence_transformers import labeled_list
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import list_field, text_field

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"})
TAKES_GRADES = False


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by; `scores` is the label."""
    return pa.schema(
        [text_field("query"), list_field("documents"), list_field("scores", pa.float32())]
    )


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a document beside its positives."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every query, its positives first."""
    return labeled_list.tables(rows, block, schema)
