"""For NeMo Automodel without a corpus: question_id, question, pos_doc, neg_doc."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import list_field, nested, text_field

SUFFIX = ".jsonl"
OPTIONS: frozenset[str] = frozenset()
TAKES_GRADES = False

_SCHEMA = pa.schema(
    [
        text_field("question_id"),
        text_field("question"),
        list_field("pos_doc"),
        list_field("neg_doc"),
    ]
)


def rotated(block: QueryBlock) -> Iterator[tuple[int, int, list[int]]]:
    """A query's positives, each of them first once: query, number of the row, rows in the block.

    A query with positives a, b, c has the rows a b c, b a c and c a b.
    """
    for query, (start, stop) in enumerate(
        zip(block.positive_bounds[:-1].tolist(), block.positive_bounds[1:].tolist(), strict=True)
    ):
        every = list(range(start, stop))
        for number, at in enumerate(every):
            yield query, number, [at, *every[:number], *every[number + 1 :]]


def schema(rows: RunNegatives) -> pa.Schema:
    """Fields of a line; documents are texts."""
    return _SCHEMA


def choose(rows: RunNegatives, block: QueryBlock) -> QueryBlock:
    """Every query that has a negative."""
    return block


def tables(rows: RunNegatives, block: QueryBlock, schema: pa.Schema) -> Iterator[pa.Table]:
    """A line a positive, that one first: the trainer takes the first, and negatives in order."""
    made = list(rotated(block))
    query = np.array([at for at, _, _ in made])
    ids = block.query_ids.to_pylist()
    names = [ids[at] if number == 0 else f"{ids[at]}#{number + 1}" for at, number, _ in made]
    above = [len(positives) for _, _, positives in made]
    order = np.concatenate([positives for _, _, positives in made])
    counts = block.counts[query]
    ends = np.cumsum(counts)
    picks = np.arange(ends[-1]) + np.repeat(block.starts[query] - (ends - counts), counts)
    columns = [
        pa.array(names, pa.large_string()),
        block.texts.take(pa.array(query)),
        nested(
            block.positives["positive"].combine_chunks().take(pa.array(order)),
            np.r_[0, np.cumsum(above)],
        ),
        nested(block.negatives["negative"].combine_chunks().take(pa.array(picks)), np.r_[0, ends]),
    ]
    yield pa.Table.from_arrays(columns, schema=schema)
