"""N-tuples for sentence-transformers: anchor, positive, negative_1..n[, scores]; fixed width."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters.block import QueryBlock
from negmine.transforms.exporters.columns import score_lists, scores_field, text_field
from negmine.transforms.exporters.rows import RunNegatives
from negmine.transforms.exporters.tally import FEWER_THAN_N

SUFFIX = ".parquet"
OPTIONS = frozenset({"scores", "n", "short"})
TAKES_GRADES = False


def _width(rows: RunNegatives) -> int:
    width = rows.options.n
    if width is None:
        width = rows.usual_width
    if width < 1:
        raise ConfigError(f"n-tuples of {width} negatives; give --n 1 or more")
    return width


def schema(rows: RunNegatives) -> pa.Schema:
    """Columns in the order that trainers go by; `scores` are the positive's and the negatives'.

    Raises DataError where --short error is given and a query has no negative at all.
    """
    width = _width(rows)
    without = rows.queries.given - rows.queries_with_negatives
    if rows.options.short == "error" and without:
        raise DataError(
            f"{without:,} queries have no negative at all; use --short skip to leave them out"
        )
    rows.details.update(n=width, repeated=0)
    names = ["anchor", "positive", *(f"negative_{at}" for at in range(1, width + 1))]
    fields = [text_field(name) for name in names]
    if rows.options.scores:
        fields.append(scores_field())
    return pa.schema(fields)


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Queries with n negatives; those with fewer are left out (`skip`) or kept (`repeat`).

    Trainers need a fixed width. Raises DataError for the first one with `error`.
    """
    width = rows.details["n"]
    short = block.counts < width
    if short.any() and rows.options.short == "error":
        at = int(np.argmax(short))
        raise DataError(
            f"query {block.query_ids[at].as_py()!r} has {block.counts[at]} of {width} negatives; "
            f"use --short skip or repeat, a smaller --n, or more tiers than {', '.join(rows.tiers)}"
        )
    if rows.options.short == "repeat":
        rows.details["repeated"] += int(short.sum())
        return block
    rows.leave_out(FEWER_THAN_N, block, short)
    return block.where(~short)


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive of a query, with the query's n hardest negatives in order."""
    width = rows.details["n"]
    positives = block.positives["positive"].combine_chunks()
    negatives = block.negatives["negative"].combine_chunks()
    above, below = block.positives["score"].to_numpy(), block.negatives["score"].to_numpy()
    for query, positive, picks in block.tuples(width):
        columns = [block.texts.take(pa.array(query)), positives.take(pa.array(positive))]
        columns += [negatives.take(pa.array(picks[:, at])) for at in range(width)]
        if rows.options.scores:
            columns.append(score_lists(np.column_stack([above[positive], below[picks]])))
        yield pa.Table.from_arrays(columns, schema=schema)
