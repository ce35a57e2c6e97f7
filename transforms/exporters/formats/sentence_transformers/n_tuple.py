"""N-tuples for sentence-transformers: anchor, positive, negative_1..n[, scores or label]."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats import width
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import (
    WEIGHTS,
    list_field,
    score_lists,
    scores_field,
    text_field,
)

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores"}) | width.OPTIONS
TAKES_GRADES = False
WEIGHTS_IN = f"column {WEIGHTS}, unless there are scores"


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by; `scores` are the positive's and the negatives',
    `label` the negatives' weights, where the run has them and there are no scores.

    Raises DataError where --short error is given and a query has no negative at all.
    """
    count = width.set_width(rows)
    names = ["anchor", "positive", *(f"negative_{at}" for at in range(1, count + 1))]
    fields = [text_field(name) for name in names]
    if rows.options.scores:
        fields.append(scores_field())
    elif rows.weighted:
        fields.append(list_field(WEIGHTS, pa.float32()))
    return pa.schema(fields)


choose = width.of_width


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive of a query, with the query's n hardest negatives in order."""
    count = rows.details["n"]
    positives = block.positives["positive"].combine_chunks()
    negatives = block.negatives["negative"].combine_chunks()
    above, below = block.positives["score"].to_numpy(), block.negatives["score"].to_numpy()
    weight = block.negatives["weight"].to_numpy()
    for query, positive, picks in block.tuples(count):
        columns = [block.texts.take(pa.array(query)), positives.take(pa.array(positive))]
        columns += [negatives.take(pa.array(picks[:, at])) for at in range(count)]
        if rows.options.scores:
            columns.append(score_lists(np.column_stack([above[positive], below[picks]])))
        elif rows.weighted:
            columns.append(score_lists(weight[picks]))
        yield pa.Table.from_arrays(columns, schema=schema)
