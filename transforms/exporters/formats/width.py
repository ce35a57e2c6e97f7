"""Rows of one width: a positive with n negatives, for trainers that take no other."""

import numpy as np
import pyarrow as pa

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.reading.tally import FEWER_THAN_N

OPTIONS = frozenset({"n", "short"})


def set_width(rows: RunNegatives) -> int:
    """How many negatives a row has, which `rows.details` then says.

    Raises ConfigError for none, DataError where --short error is given and a query has no negative
    at all.
    """
    width = rows.usual_width if rows.options.n is None or rows.ranked else rows.options.n
    if width < 1:
        raise ConfigError(f"n-tuples of {width} negatives; give --n 1 or more")
    without = rows.queries.given - rows.queries_with_negatives
    if rows.options.short == "error" and without:
        raise DataError(
            f"{without:,} queries have no negative at all; use --short skip to leave them out"
        )
    rows.details.update(n=width, repeated=0)
    return width


def of_width(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
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


def interleaved(
    positive: pa.Array, negative: pa.Array, at: np.ndarray, picks: np.ndarray
) -> pa.Array:
    """Values of each row's positive `at` (r,) and its negatives `picks` (r, width), row by row."""
    both = pa.concat_arrays([positive, negative])
    return both.take(pa.array(np.column_stack([at, len(positive) + picks]).ravel()))
