"""Lists for listwise losses: a query, its documents, and the teacher's score of each."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.block import QueryBlock
from negmine.transforms.exporters.columns import grouped, list_field, text_field
from negmine.transforms.exporters.rows import RunNegatives

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
    count = np.arange(len(block.counts))
    query = np.concatenate(
        [np.repeat(count, block.positive_counts), np.repeat(count, block.counts)]
    )
    order = pa.array(np.argsort(query, kind="stable"))
    both = {
        "documents": [block.positives["positive"], block.negatives["negative"]],
        "scores": [block.positives["score"], block.negatives["score"]],
    }
    merged = pa.table({n: pa.chunked_array([*a.chunks, *b.chunks]) for n, (a, b) in both.items()})
    merged = merged.take(order).combine_chunks()
    bounds = np.r_[0, np.cumsum(block.positive_counts + block.counts)]
    columns = [block.texts, *(grouped(merged, bounds, name) for name in schema.names[1:])]
    yield pa.Table.from_arrays(columns, schema=schema)
