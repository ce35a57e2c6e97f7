"""Triplets for sentence-transformers: anchor, positive, negative[, scores]; one row a negative."""

from pathlib import Path

import numpy as np
import pyarrow as pa

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


def write(rows: Rows, path: Path) -> Written:
    """Write the file. `scores` is [positive, negative]; column order is what trainers go by."""
    fields = [text_field(name) for name in ("anchor", "positive", "negative")]
    if rows.options.scores:
        fields.append(scores_field())
    schema = pa.schema(fields)
    written = Written()
    with parquet_writer(path, schema) as writer:
        for block in rows.blocks():
            columns = [block[name].combine_chunks() for name in ("query", "positive", "negative")]
            if rows.options.scores:
                pair = [block["positive_score"].to_numpy(), block["score"].to_numpy()]
                columns.append(score_lists(np.stack(pair, axis=1)))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), ROW_GROUP)
            written.rows += block.num_rows
            written.queries += len(group_bounds(block)[0])
    written.short = rows.total_queries - written.queries
    return written
