"""N-tuples for sentence-transformers: anchor, positive, negative_1..n[, scores]; fixed width."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from schemas.errors import ConfigError, DataError
from transforms.exporters.files import (
    ROW_GROUP,
    Written,
    parquet_writer,
    score_lists,
    scores_field,
    text_field,
)
from transforms.exporters.rows import Rows, group_bounds

SUFFIX = ".parquet"


def _width(rows: Rows) -> int:
    width = rows.options.n
    if width is None:
        width = sum(rows.source.quotas[tier] for tier in rows.tiers)
    if width < 1:
        raise ConfigError(f"n-tuples of {width} negatives; give --n 1 or more")
    return width


def _refuse_short(rows: Rows, block: pa.Table, at: int, count: int, width: int) -> None:
    query = block["query_id"][at].as_py()
    raise DataError(
        f"query {query!r} has {count} of {width} negatives; use --short skip or repeat, "
        f"a smaller --n, or more tiers than {', '.join(rows.tiers)}"
    )


def write(rows: Rows, path: Path) -> Written:
    """Write the file: one row a query, its n hardest negatives in order.

    Trainers need a fixed width, so queries with fewer are left out and counted (`skip`), filled
    by repeating their negatives in order (`repeat`), or refused (`error`: DataError). A query
    without any negative cannot be repeated and is left out.
    """
    width, options = _width(rows), rows.options
    names = ["anchor", "positive", *(f"negative_{at}" for at in range(1, width + 1))]
    fields = [text_field(name) for name in names]
    if options.scores:
        fields.append(scores_field())
    schema = pa.schema(fields)
    written = Written(details={"n": width, "repeated": 0})
    seen = 0
    with parquet_writer(path, schema) as writer:
        for block in rows.blocks():
            starts, counts = group_bounds(block)
            seen += len(starts)
            short = counts < width
            if short.any() and options.short == "error":
                at = int(np.argmax(short))
                _refuse_short(rows, block, int(starts[at]), int(counts[at]), width)
            if options.short == "repeat":
                written.details["repeated"] += int(short.sum())
            else:
                starts, counts = starts[~short], counts[~short]
            picks = starts[:, None] + np.arange(width)[None, :] % counts[:, None]
            columns = [block[name].combine_chunks().take(starts) for name in ("query", "positive")]
            negatives = block["negative"].combine_chunks()
            columns += [negatives.take(picks[:, at]) for at in range(width)]
            if options.scores:
                positive = block["positive_score"].to_numpy()[starts]
                negative = block["score"].to_numpy()[picks]
                columns.append(score_lists(np.column_stack([positive, negative])))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), ROW_GROUP)
            written.rows += len(starts)
        if seen < rows.total_queries and options.short == "error":
            raise DataError(
                f"{rows.total_queries - seen} queries have no negative at all; "
                "use --short skip to leave them out"
            )
    written.queries = written.rows
    written.short = rows.total_queries - written.rows
    return written
