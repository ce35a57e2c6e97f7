"""Triplets for sentence-transformers: anchor, positive, negative[, scores or label]."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

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
OPTIONS = frozenset({"scores"})
TAKES_GRADES = False
WEIGHTS_IN = f"column {WEIGHTS}, unless there are scores"


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by; `scores` is [positive, negative], `label` the
    negative's weight in a list, where the run has weights and there are no scores."""
    fields = [text_field(name) for name in ("anchor", "positive", "negative")]
    if rows.options.scores:
        fields.append(scores_field())
    elif rows.weighted:
        fields.append(list_field(WEIGHTS, pa.float32()))
    return pa.schema(fields)


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive and negative of a query."""
    positives, negatives = (
        block.positives["positive"].combine_chunks(),
        block.negatives["negative"].combine_chunks(),
    )
    above, below = block.positives["score"].to_numpy(), block.negatives["score"].to_numpy()
    weight = block.negatives["weight"].to_numpy()
    for query, positive, negative in block.pairs():
        columns = [
            block.texts.take(pa.array(query)),
            positives.take(pa.array(positive)),
            negatives.take(pa.array(negative)),
        ]
        if rows.options.scores:
            columns.append(score_lists(np.stack([above[positive], below[negative]], axis=1)))
        elif rows.weighted:
            columns.append(score_lists(weight[negative][:, None]))
        yield pa.Table.from_arrays(columns, schema=schema)
