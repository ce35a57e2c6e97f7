"""For FlagEmbedding: query, pos, neg, and what was asked for of scores, prompt, type."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.block import QueryBlock
from negmine.transforms.exporters.columns import grouped, list_field, text_field
from negmine.transforms.exporters.rows import RunNegatives

SUFFIX = ".jsonl"
OPTIONS = frozenset({"scores", "prompt", "type"})
TAKES_GRADES = False


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line. Scores are written for every line or for none."""
    options = rows.options
    fields = [text_field("query"), list_field("pos"), list_field("neg")]
    if options.scores:
        fields += [list_field(name, pa.float32()) for name in ("pos_scores", "neg_scores")]
    fields += [text_field(name) for name in ("prompt", "type") if getattr(options, name)]
    return pa.schema(fields)


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative: the trainer divides by their number."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line for every query: all its positives, best first, and all its negatives."""
    count, options = len(block.texts), rows.options
    positive = (block.positives, np.append(block.positive_starts, block.positives.num_rows))
    negative = (block.negatives, np.append(block.starts, block.negatives.num_rows))
    columns = {
        "query": block.texts,
        "pos": grouped(*positive, "positive"),
        "neg": grouped(*negative, "negative"),
        "pos_scores": grouped(*positive, "score"),
        "neg_scores": grouped(*negative, "score"),
        "prompt": pa.array([options.prompt] * count, pa.large_string()),
        "type": pa.array([options.type] * count, pa.large_string()),
    }
    yield pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
