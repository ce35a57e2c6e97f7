"""For ms-swift's embedding models: messages, one positive and the negatives, a line a positive."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.trainers import ms_swift_messages as messages
from negmine.transforms.exporters.reading.block import ROWS, QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives

SUFFIX = ".jsonl"
OPTIONS = frozenset({"instruction", "n"})
TAKES_GRADES = False


def schema(rows: RunNegatives) -> pa.Schema:
    """Lists of messages."""
    return messages.SCHEMA


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A row for every positive of a query: the trainer takes exactly one in a row."""
    counts = messages.cut(rows, block, rows.options.n)
    query = np.repeat(np.arange(len(counts)), block.positive_counts)
    step = max(1, ROWS // max(1, int(counts.max(initial=1))))
    for start in range(0, len(query), step):
        mine = query[start : start + step]
        picks = (mine, np.arange(start, start + len(mine)), counts[mine])
        yield messages.table(rows, block, picks, "user")
